"""Layers whose settings are parameters, so that no value of them is known."""

import functools

import jax
from flax import nnx

# Keras defaults that differ from Flax's.
Conv = functools.partial(nnx.Conv, kernel_init=nnx.initializers.glorot_uniform())
GroupNorm = functools.partial(nnx.GroupNorm, epsilon=0.001, use_fast_variance=False)


class UpBlock(nnx.Module):
    def __init__(self, in_features, width, groups=4, interpolation="nearest", *, rngs: nnx.Rngs):
        self.norm = GroupNorm(in_features, num_groups=groups, rngs=rngs)
        self.conv = Conv(in_features, width, (3, 3), rngs=rngs)
        self.interpolation = interpolation

    def __call__(self, x):
        x = self.norm(x)
        x = jax.image.resize(x, (x.shape[0], 2 * x.shape[1], 2 * x.shape[2], x.shape[3]), self.interpolation)
        return self.conv(x)


class Build(nnx.Module):
    def __init__(self, groups=4, interpolation="bilinear", *, rngs: nnx.Rngs):
        self.up_block1 = UpBlock(8, 8, groups=groups, interpolation=interpolation, rngs=rngs)
        self.up_block2 = UpBlock(8, 4, groups=groups, interpolation=interpolation, rngs=rngs)

    def __call__(self, inputs):
        x = self.up_block1(inputs)
        return self.up_block2(x)
