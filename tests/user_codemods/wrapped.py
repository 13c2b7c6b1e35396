"""A unit that needs codemods of its own: it calls a function of the house."""

import tensorflow as tf

from tests.user_codemods.house import magnitude


def helper(x, scale):
    return scale * x


class Scaled(tf.Module):
    """The absolute value, times a weight."""

    def __init__(self, size):
        super().__init__()
        self.scale = tf.Variable(tf.ones([size]), name="scale")

    def __call__(self, x):
        return helper(magnitude(x), self.scale)
