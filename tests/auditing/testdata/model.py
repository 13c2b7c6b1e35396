"""A target on the TensorFlow side, which imports another."""

import tensorflow as tf

from tests.auditing.testdata import scale


def model(x):
    return tf.nn.relu(scale.scale(x))
