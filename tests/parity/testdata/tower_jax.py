"""The same, ported by hand."""

import functools

import jax
import jax.numpy as jnp
from flax import nnx

BatchNorm = functools.partial(nnx.BatchNorm, epsilon=1e-3)
LayerNorm = functools.partial(nnx.LayerNorm, epsilon=1e-5)


class Shake(nnx.Module):
    """Adds noise in training."""

    def __init__(self, *, rngs: nnx.Rngs):
        self.rngs = rngs.fork()

    def __call__(self, x, *, training=False):
        if training:
            x = x + 0.1 * jax.random.normal(self.rngs.noise(), x.shape)
        return x


class GRUCell(nnx.GRUCell):
    """A GRU cell with a bias of its own on the recurrent side."""

    def __init__(self, in_features, hidden_features, *, rngs: nnx.Rngs):
        super().__init__(in_features, hidden_features, rngs=rngs)
        self.dense_h = nnx.Linear(hidden_features, 3 * hidden_features, rngs=rngs)


class Tower(nnx.Module):
    def __init__(self, units=6, *, rngs: nnx.Rngs):
        self.conv = nnx.Conv(3, 8, (3, 3), strides=2, rngs=rngs)
        self.norm = BatchNorm(8, rngs=rngs)
        self.hidden = nnx.List([nnx.Linear(8, 8, rngs=rngs) for _ in range(2)])
        self.attention = nnx.MultiHeadAttention(2, 8, dropout_rate=0.2, decode=False, rngs=rngs)
        self.scale = LayerNorm(8, rngs=rngs)
        self.shake = Shake(rngs=rngs)
        self.gru = nnx.RNN(GRUCell(8, units, rngs=rngs))
        self.dropout = nnx.Dropout(0.5, rngs=rngs)
        self.top = nnx.Linear(units, 3, rngs=rngs)

    def __call__(self, x, *, training=False):
        x = nnx.leaky_relu(self.norm(self.conv(x), use_running_average=not training), negative_slope=0.2)
        x = nnx.avg_pool(x, (3, 3), strides=(2, 2), padding="SAME", count_include_pad=False)
        x = x.reshape(-1, 4, 8)
        for layer in self.hidden:
            x = nnx.gelu(layer(x), approximate=False)
        x = self.scale(x + self.attention(x, deterministic=not training))
        x = self.gru(self.shake(x, training=training))[:, -1]
        return {"logits": self.top(self.dropout(x, deterministic=not training)), "state": x}


def compute_loss(outputs, y):
    return sum(jnp.mean(jnp.square(outputs[name] - y[name])) for name in outputs)


@nnx.jit
def train_step(model, optimizer, metrics, x, y):
    loss, grads = nnx.value_and_grad(lambda model: compute_loss(model(x, training=True), y))(model)
    optimizer.update(model, grads)
    metrics.update(loss=loss)


@nnx.jit
def wrong_step(model, optimizer, metrics, x, y):
    loss, grads = nnx.value_and_grad(lambda model: compute_loss(model(x, training=True), y) / 2)(model)
    optimizer.update(model, grads)
    metrics.update(loss=2 * loss)
