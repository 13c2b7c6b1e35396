"""Attributes that are a number first and an array in the end."""

import math

import jax.numpy as jnp
from flax import nnx


class TimeEmbedding(nnx.Module):
    def __init__(self, dim):
        self.half = dim // 2
        emb = math.log(10000) / (self.half - 1)
        self.emb = jnp.exp(jnp.arange(self.half, dtype=jnp.float32) * -emb)

    def __call__(self, inputs):
        emb = inputs[:, None] * self.emb[None, :]
        return jnp.concatenate([jnp.sin(emb), jnp.cos(emb)], axis=-1)


class Scaled(nnx.Module):
    def __init__(self, scale, other):
        self.size = len(scale)
        # per channel
        self.scale = jnp.array(scale, dtype=jnp.float32)
        other_ = other + 1
        other_2 = other_
        self.other = jnp.full([3], other_2)
        self.twice = other
        self.twice = self.twice * 2

    def __call__(self, x):
        return x * self.scale + self.other[0] * self.size + self.twice


embed = TimeEmbedding(8)
scaled = Scaled([1.0, 2.0], 3.0)
print(embed(jnp.zeros([2])), scaled(jnp.zeros([2, 2])))
