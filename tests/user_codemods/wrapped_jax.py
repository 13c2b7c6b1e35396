"""A unit that needs codemods of its own: it calls a function of the house."""

import jax.numpy as jnp
from flax import nnx


def scaled(x, scale):
    return scale * x


class Scaled(nnx.Module):
    """The absolute value, times a weight."""

    def __init__(self, size):
        self.scale = nnx.Param(jnp.ones([size]))

    def __call__(self, x):
        return scaled(jnp.abs(x), self.scale[...])
