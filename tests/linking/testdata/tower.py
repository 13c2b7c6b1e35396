"""A model of blocks that lie in another file."""

import tensorflow as tf

from tests.linking.testdata.config import WIDTHS

from .blocks import ConvBlock, squeeze


class Tower(tf.keras.Model):
    def __init__(self, num_classes=3):
        super().__init__()
        self.stages = [ConvBlock(width, 2) for width in WIDTHS]
        self.head = tf.keras.layers.Dense(num_classes)

    def call(self, x, training=False):
        for stage in self.stages:
            x = stage(x, training=training)
        return self.head(squeeze(x))
