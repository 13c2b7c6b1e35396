"""Attributes that are a number first and an array in the end."""
import math

import tensorflow as tf
from tensorflow.keras import layers


class TimeEmbedding(layers.Layer):
    def __init__(self, dim, **kwargs):
        super().__init__(**kwargs)
        self.half = dim // 2
        self.emb = math.log(10000) / (self.half - 1)
        self.emb = tf.exp(tf.range(self.half, dtype=tf.float32) * -self.emb)

    def call(self, inputs):
        emb = inputs[:, None] * self.emb[None, :]
        return tf.concat([tf.sin(emb), tf.cos(emb)], axis=-1)


class Scaled(layers.Layer):
    def __init__(self, scale, other):
        super().__init__()
        self.scale = scale
        self.size = len(self.scale)
        # per channel
        self.scale = tf.constant(self.scale, tf.float32)
        other_ = other + 1
        self.other = other_
        self.other = tf.fill([3], self.other)
        self.twice = other
        self.twice = self.twice * 2

    def call(self, x):
        return x * self.scale + self.other[0] * self.size + self.twice


embed = TimeEmbedding(8)
scaled = Scaled([1.0, 2.0], 3.0)
print(embed(tf.zeros([2])), scaled(tf.zeros([2, 2])))
