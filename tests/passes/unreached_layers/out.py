"""Layers that another file calls: the width of their input becomes a parameter."""

import functools

import jax.numpy as jnp
from flax import nnx

# Keras defaults that differ from Flax's.
BatchNorm = functools.partial(nnx.BatchNorm, epsilon=0.001, use_fast_variance=False)
Conv = functools.partial(nnx.Conv, kernel_init=nnx.initializers.glorot_uniform())
LayerNorm = functools.partial(nnx.LayerNorm, use_fast_variance=False)


class Linear(nnx.Module):
    def __init__(self, in_features, units=32, *, rngs: nnx.Rngs):
        self.units = units
        self.w = nnx.Param(nnx.initializers.normal(0.05)(rngs.params(), (in_features, self.units)))
        self.b = nnx.Param(jnp.zeros((self.units,)))

    def __call__(self, inputs):
        return jnp.matmul(inputs, self.w[...]) + self.b


class FeedForward(nnx.Module):
    """Two layers and a residual connection."""

    def __init__(self, in_features, width, hidden, dropout=0.1, *, rngs: nnx.Rngs):
        self.first = Linear(in_features, hidden, rngs=rngs)
        self.second = nnx.Linear(hidden, width, kernel_init=nnx.initializers.glorot_uniform(), rngs=rngs)
        self.norm = LayerNorm(width, rngs=rngs)
        self.dropout = nnx.Dropout(dropout, rngs=rngs)

    def __call__(self, x, training=False):
        h = nnx.relu(self.first(x))
        h = self.dropout(self.second(h), deterministic=not training)
        return self.norm(x + h)


class Stem(nnx.Module):
    """The convolution says that inputs have rank 4."""

    def __init__(self, in_features, filters, *, rngs: nnx.Rngs):
        self.conv = Conv(in_features, filters, (3, 3), rngs=rngs)
        self.norm = BatchNorm(filters, rngs=rngs)

    def __call__(self, images, training=False):
        return nnx.relu(self.norm(self.conv(images), use_running_average=not training))
