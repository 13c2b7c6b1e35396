import functools

import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from tqdm import tqdm

# Keras defaults that differ from Flax's.
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())


class Model(nnx.Module):
    def __init__(self, units=32, lr=0.001, *, rngs: nnx.Rngs):
        self.dense1 = Linear(20, units, rngs=rngs)
        self.dropout = nnx.Dropout(0.2, rngs=rngs)
        self.dense2 = Linear(units, 10, rngs=rngs)

    def __call__(self, x, *, training=False):
        x = nnx.relu(self.dense1(x))
        x = self.dropout(x, deterministic=not training)
        return self.dense2(x)


def compute_loss(logits, y):
    return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()


@nnx.jit
def train_step(model, optimizer, metrics, x, y):
    y = y.reshape(-1).astype(int)

    def loss_fn(model):
        logits = model(x, training=True)
        return compute_loss(logits, y), logits

    (loss, logits), grads = nnx.value_and_grad(loss_fn, has_aux=True)(model)
    optimizer.update(model, grads)
    metrics.update(loss=jnp.full(len(y), loss), logits=logits, labels=y)


@nnx.jit
def eval_step(model, metrics, x, y):
    y = y.reshape(-1).astype(int)
    logits = model(x)
    loss = compute_loss(logits, y)
    metrics.update(loss=jnp.full(len(y), loss), logits=logits, labels=y)


def evaluate(model, x, y, batch_size=32):
    """Loss and metrics over a data set."""
    metrics = nnx.MultiMetric(loss=nnx.metrics.Average("loss"), accuracy=nnx.metrics.Accuracy())
    for start in range(0, len(y), batch_size):
        eval_step(model, metrics, x[start : start + batch_size], y[start : start + batch_size])
    return {name: float(value) for name, value in metrics.compute().items()}


def run(x, y, *, seed=0):
    model = Model(64, rngs=nnx.Rngs(seed))
    optimizer = nnx.Optimizer(model, optax.adam(0.001, eps=1e-7), wrt=nnx.Param)
    metrics = nnx.MultiMetric(loss=nnx.metrics.Average("loss"), accuracy=nnx.metrics.Accuracy())
    order = np.random.default_rng(seed)
    for epoch in range(5):
        metrics.reset()
        shuffled = order.permutation(len(x))
        for start in tqdm(range(0, len(x), 32), desc=f"epoch {epoch + 1}/5"):
            batch = shuffled[start : start + 32]
            train_step(model, optimizer, metrics, x[batch], y[batch])
        print({name: float(value) for name, value in metrics.compute().items()})
    print(list(evaluate(model, x, y).values()))
