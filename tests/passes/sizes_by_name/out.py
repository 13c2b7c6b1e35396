"""Sizes that have names: constants of the file, of a class, and of configuration objects."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
from flax import nnx
from shapes import sizes

# Keras defaults that differ from Flax's.
Conv = functools.partial(nnx.Conv, kernel_init=nnx.initializers.glorot_uniform(), padding="VALID")
Embed = functools.partial(nnx.Embed, embedding_init=functools.partial(jax.random.uniform, minval=-0.05, maxval=0.05))
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())

HIDDEN = 24
WIDTH = 2 * HIDDEN
CLASSES = 24
SHADOWED = 8


class Config:
    DIM = 16
    heads: int = 4


@dataclasses.dataclass
class Settings:
    hidden: int = 20
    depth: int = 2


class Constants(nnx.Module):
    def __init__(self, *, rngs: nnx.Rngs):
        self.embed = Embed(10, HIDDEN, rngs=rngs)
        self.wide = Linear(HIDDEN, WIDTH, rngs=rngs)
        self.conv = Conv(WIDTH, HIDDEN * 2, 3, rngs=rngs)
        self.out = Linear(HIDDEN * 2, CLASSES, rngs=rngs)

    def __call__(self, words):
        x = nnx.relu(self.embed(words.astype(jnp.int32)))
        x = self.conv(nnx.relu(self.wide(x)))
        return self.out(jnp.mean(x, axis=1))


class Shadowed(nnx.Module):
    def __init__(self, SHADOWED=8, *, rngs: nnx.Rngs):
        self.embed = Embed(10, SHADOWED, rngs=rngs)
        self.out = Linear(SHADOWED, 3, rngs=rngs)

    def __call__(self, words):
        return self.out(self.embed(words.astype(jnp.int32)))


class OfAModule(nnx.Module):
    def __init__(self, *, rngs: nnx.Rngs):
        self.embed = Embed(10, sizes.DIM, rngs=rngs)
        self.mix = Linear(sizes.DIM, Config.DIM * Config.heads, rngs=rngs)
        self.out = Linear(Config.DIM * Config.heads, 3, rngs=rngs)

    def __call__(self, words):
        return self.out(self.mix(self.embed(words.astype(jnp.int32))))


class Configured(nnx.Module):
    def __init__(self, config, *, rngs: nnx.Rngs):
        self.config = config
        self.embed = Embed(10, config.hidden, rngs=rngs)
        blocks_features = config.hidden
        self.blocks = nnx.List()
        for _ in range(config.depth):
            self.blocks.append(Linear(blocks_features, config.hidden * 2, rngs=rngs))
            blocks_features = config.hidden * 2
        self.out = Linear(blocks_features, 3, rngs=rngs)

    def __call__(self, words):
        x = self.embed(words.astype(jnp.int32))
        for block in self.blocks:
            x = block(x)
        return self.out(x) / self.config.depth


class All(nnx.Module):
    def __init__(self, settings, *, rngs: nnx.Rngs):
        self.configured = Configured(settings, rngs=rngs)
        self.of_a_module = OfAModule(rngs=rngs)
        self.head = Linear(3, HIDDEN, rngs=rngs)

    def __call__(self, words):
        return self.head(self.configured(words) + self.of_a_module(words))
