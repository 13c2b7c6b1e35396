"""Layers that another file calls: the width of their input becomes a parameter."""

import tensorflow as tf
from tensorflow import keras


class Linear(keras.layers.Layer):
    def __init__(self, units=32):
        super().__init__()
        self.units = units

    def build(self, input_shape):
        self.w = self.add_weight(shape=(input_shape[-1], self.units), initializer="random_normal", trainable=True)
        self.b = self.add_weight(shape=(self.units,), initializer="zeros", trainable=True)

    def call(self, inputs):
        return tf.matmul(inputs, self.w) + self.b


class FeedForward(keras.layers.Layer):
    """Two layers and a residual connection."""

    def __init__(self, width, hidden, dropout=0.1):
        super().__init__()
        self.first = Linear(hidden)
        self.second = keras.layers.Dense(width)
        self.norm = keras.layers.LayerNormalization(epsilon=1e-6)
        self.dropout = keras.layers.Dropout(dropout)

    def call(self, x, training=False):
        h = tf.nn.relu(self.first(x))
        h = self.dropout(self.second(h), training=training)
        return self.norm(x + h)


class Stem(keras.layers.Layer):
    """The convolution says that inputs have rank 4."""

    def __init__(self, filters):
        super().__init__()
        self.conv = keras.layers.Conv2D(filters, 3, padding="same")
        self.norm = keras.layers.BatchNormalization()

    def call(self, images, training=False):
        return tf.nn.relu(self.norm(self.conv(images), training=training))
