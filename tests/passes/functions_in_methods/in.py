"""Functions inside methods, called there by name and given to each other."""
import tensorflow as tf
from tensorflow.keras import layers


def call(x):
    return tf.nn.relu(x)


class Block(layers.Layer):
    def call(self, x):
        def doubled(y):
            return y * 2.0

        def applied(f, y):
            return f(y)

        return applied(doubled, call(doubled(x)))
