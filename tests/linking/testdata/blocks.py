"""Blocks that several models share."""

import tensorflow as tf
from tensorflow.keras import layers


class ConvBlock(layers.Layer):
    """Convolution, norm, relu."""

    def __init__(self, filters, stride=1):
        super().__init__()
        self.conv = layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False)
        self.norm = layers.BatchNormalization()

    def call(self, x, training=False):
        return tf.nn.relu(self.norm(self.conv(x), training=training))


def squeeze(x):
    return tf.reduce_mean(x, axis=[1, 2])
