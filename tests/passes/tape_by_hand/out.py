import functools

import jax
import jax.numpy as jnp
from flax import nnx

# Keras defaults that differ from Flax's.
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())


class Net(nnx.Module):
    def __init__(self, *, rngs: nnx.Rngs):
        self.dense1 = Linear(4, 3, rngs=rngs)
        self.dense2 = Linear(3, 1, rngs=rngs)

    def __call__(self, inputs):
        return self.dense2(nnx.tanh(self.dense1(inputs)))


def penalty(net):
    return sum([jnp.sum(jnp.square(w)) / 2 for w in jax.tree.leaves(nnx.state(net, nnx.Param))])


def train(net, x, y, rate=0.1):
    losses = []
    for _ in range(3):

        def loss_fn(net):
            error = jnp.mean(jnp.square(net(x)[:, 0] - y))
            return error + 0.01 * penalty(net), error

        grads, error = nnx.grad(loss_fn, has_aux=True)(net)
        nnx.update(net, jax.tree.map(lambda w, g: w - rate * g, nnx.state(net, nnx.Param), grads))
        losses.append(float(error))
    return losses
