"""Sums of what came before, by an operation that jaxport has no rule for; `rules/` has one."""

import functools

import jax.numpy as jnp
from flax import nnx

# Keras defaults that differ from Flax's.
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())


def before(x):
    return jnp.cumsum(x, -1) - x


class Summed(nnx.Module):
    def __init__(self, units, *, rngs: nnx.Rngs):
        self.dense = Linear(3, units, rngs=rngs)

    def __call__(self, x):
        h = self.dense(before(x))
        return jnp.flip(jnp.cumsum(jnp.flip(h, 1), 1), 1) * 0.5
