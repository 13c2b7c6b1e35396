"""Keras 2 took the mode by position."""
import tensorflow as tf
from tensorflow.keras import layers


class Block(layers.Layer):
    def __init__(self, units, rate=0.1):
        super().__init__()
        self.dense = layers.Dense(units)
        self.norm = layers.BatchNormalization()
        self.dropout = layers.Dropout(rate)

    def call(self, x, training=None):
        x = self.norm(self.dense(x), training)
        return self.dropout(tf.nn.relu(x), training)
