import functools

import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

# Keras defaults that differ from Flax's.
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())


class Net(nnx.Module):
    def __init__(self, *, rngs: nnx.Rngs):
        self.dense1 = Linear(4, 3, rngs=rngs)
        self.dense2 = Linear(3, 2, rngs=rngs)

    def __call__(self, inputs):
        return self.dense2(nnx.tanh(self.dense1(inputs)))


def saliency(net, x):
    """How much every input changes the first output."""
    x = jnp.asarray(x)

    def score_fn(x):
        score = net(x)[:, 0]
        return jnp.sum(score)

    grads = nnx.grad(score_fn)(x)
    return np.asarray(jnp.abs(grads))


def penalised_step(net, optimizer, x, y):
    """A penalty on the gradient with respect to the input, inside the gradient of the weights."""
    x = jnp.asarray(x)

    def loss_fn(net):
        def out_fn(x, net):
            out = net(x)
            return jnp.sum(out), out

        slope, out = nnx.grad(out_fn, has_aux=True)(x, net)
        return jnp.mean(jnp.square(out - y)) + jnp.mean(jnp.sum(jnp.square(slope), axis=1))

    loss, grads = nnx.value_and_grad(loss_fn)(net)
    optimizer.update(net, grads)
    return float(loss)


def train(net, x, y):
    optimizer = nnx.Optimizer(net, optax.sgd(0.05), wrt=nnx.Param)
    return [penalised_step(net, optimizer, x, y) for _ in range(3)], saliency(net, x)
