"""Sizes that have names: constants of the file, of a class, and of configuration objects."""

import dataclasses

import tensorflow as tf
from tensorflow.keras import layers

from shapes import sizes

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


class Constants(layers.Layer):
    def __init__(self):
        super().__init__()
        self.embed = layers.Embedding(10, HIDDEN)
        self.wide = layers.Dense(WIDTH, activation="relu")
        self.conv = layers.Conv1D(HIDDEN * 2, 3)
        self.mean = layers.GlobalAveragePooling1D()
        self.out = layers.Dense(CLASSES)

    def call(self, words):
        x = tf.nn.relu(self.embed(words))
        x = self.conv(self.wide(x))
        return self.out(self.mean(x))


class Shadowed(layers.Layer):
    def __init__(self, SHADOWED=8):
        super().__init__()
        self.embed = layers.Embedding(10, SHADOWED)
        self.out = layers.Dense(3)

    def call(self, words):
        return self.out(self.embed(words))


class OfAModule(layers.Layer):
    def __init__(self):
        super().__init__()
        self.embed = layers.Embedding(10, sizes.DIM)
        self.mix = layers.Dense(Config.DIM * Config.heads)
        self.out = layers.Dense(3)

    def call(self, words):
        return self.out(self.mix(self.embed(words)))


class Configured(layers.Layer):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.embed = layers.Embedding(10, config.hidden)
        self.blocks = [layers.Dense(config.hidden * 2) for _ in range(config.depth)]
        self.out = layers.Dense(3)

    def call(self, words):
        x = self.embed(words)
        for block in self.blocks:
            x = block(x)
        return self.out(x) / self.config.depth


class All(tf.keras.Model):
    def __init__(self, settings):
        super().__init__()
        self.configured = Configured(settings)
        self.of_a_module = OfAModule()
        self.head = layers.Dense(HIDDEN)

    def call(self, words):
        return self.head(self.configured(words) + self.of_a_module(words))
