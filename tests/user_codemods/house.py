"""What a house has of its own around TensorFlow."""

import tensorflow as tf


def magnitude(x):
    """The absolute value."""
    return tf.raw_ops.Abs(x=x)
