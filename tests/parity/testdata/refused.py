"""Originals that no port can be checked against."""

import tensorflow as tf
from tensorflow import keras


class Log(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(2)

    def call(self, x):
        return tf.math.log(self.dense(x))


class Unused(keras.Model):
    def __init__(self):
        super().__init__()
        self.used = keras.layers.Dense(2)
        self.idle = keras.layers.Dense(2, name="idle")

    def call(self, x):
        self.idle(x)
        return self.used(x)


class Constant(keras.Model):
    def call(self, x):
        return tf.ones([4, 2])


class Needy(keras.Model):
    def __init__(self, units):
        super().__init__()
        if units < 1:
            raise ValueError("units must be positive")


class Counting(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(2)
        self.calls = 0

    def call(self, x):
        self.calls += 1
        return self.dense(x) * float(self.calls)
