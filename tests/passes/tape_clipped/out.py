import functools

import jax
import jax.numpy as jnp
import optax
from flax import nnx

# Keras defaults that differ from Flax's.
BatchNorm = functools.partial(nnx.BatchNorm, epsilon=0.001, use_fast_variance=False)
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())


def loss_object(y_true, y_pred):
    return optax.softmax_cross_entropy_with_integer_labels(y_pred, y_true).mean()


class Net(nnx.Module):
    def __init__(self, *, rngs: nnx.Rngs):
        self.dense1 = Linear(4, 7, rngs=rngs)
        self.norm = BatchNorm(7, rngs=rngs)
        self.dense2 = Linear(7, 3, rngs=rngs)

    def __call__(self, inputs, *, training=False):
        h = self.norm(nnx.relu(self.dense1(inputs)), use_running_average=not training)
        return self.dense2(h)


@nnx.jit
def train_step(net, optimizer, x, y):
    def loss_fn(net):
        logits = net(x, training=True)
        return loss_object(y, logits), logits

    (loss, logits), gradients = nnx.value_and_grad(loss_fn, has_aux=True)(net)
    # clipped twice, to show both forms
    gradients = jax.tree.map(lambda g: jnp.clip(g, -0.5, 0.5), gradients)
    gradients = optax.projections.projection_l2_ball(gradients, 0.3)
    optimizer.update(net, gradients)
    return loss, jnp.mean(jnp.asarray(jnp.argmax(logits, axis=-1) == y, dtype=jnp.float32))


def train(net, x, y):
    optimizer = nnx.Optimizer(net, optax.sgd(0.2, momentum=0.9), wrt=nnx.Param)
    return [[float(v) for v in train_step(net, optimizer, x, y)] for _ in range(4)]
