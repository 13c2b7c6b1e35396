"""Ways in which originals make and call their layers."""

import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers


def dense(units, **kwargs):
    return layers.Dense(
        units,
        **kwargs,
    )


class Block(layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.first = dense(units, activation="relu")

    def build(self, input_shape):
        self.gain = self.add_weight(name="gain", shape=(input_shape[-1],), initializer="ones")
        self.second = dense(int(input_shape[-1]))

    def call(self, x):
        return self.second(self.first(x)) * self.gain


class Parts(keras.Model):
    """Layers in lists and dicts, nested models, and a method of its own."""

    def __init__(self, width=4):
        super().__init__()
        self.blocks = [Block(width), Block(width + 1)]
        self.heads = {name: layers.Dense(2) for name in ("a", "b")}
        self.tail = keras.Sequential([layers.Dense(3), layers.ReLU()])
        self.tail.add(layers.Dense(2))

    def encode(self, x):
        for block in self.blocks:
            x = block(x)
        return x

    def call(self, x, training=False):
        x = self.encode(x)
        return self.tail(x) + sum(self.heads[name](x) for name in sorted(self.heads))


def build_graph(width=4):
    inputs = keras.Input((6,))
    x = inputs
    for _ in range(2):
        x = layers.Dense(width)(x)
        x = layers.BatchNormalization()(x)
    return keras.Model(inputs, layers.add([x, x]))


class Counter:
    """No layer, no module."""

    def __init__(self, size):
        self.weight = tf.Variable(tf.ones([size, 2]))

    def __call__(self, x):
        return tf.matmul(x, self.weight)


class Scale(tf.Module):
    def __init__(self, size):
        super().__init__()
        self.inner = Counter(size)
        self.count = tf.Variable(0, trainable=False)

    def __call__(self, x):
        return self.inner(x)
