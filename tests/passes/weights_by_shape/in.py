import numpy as np
import tensorflow as tf
from tensorflow.keras import layers


class Scale(layers.Layer):
    def __init__(self, dtype_of_b=tf.float32):
        super().__init__()
        self.dtype_of_b = dtype_of_b

    def build(self, input_shape):
        self.scale = self.add_weight(
            name="scale", shape=input_shape[-1:], initializer=tf.random_normal_initializer(1.0, 0.02)
        )
        self.full = self.add_weight(name="full", shape=input_shape[1:], initializer="glorot_uniform", dtype=self.dtype)
        self.half = self.add_weight(
            name="half", shape=(2, 2), dtype=tf.float16, initializer=tf.random_normal_initializer(1.0, 0.02)
        )
        self.b = self.add_weight(name="b", shape=(), dtype=self.dtype_of_b, initializer="ones")
        self.count = self.add_weight(name="count", shape=(), dtype="int32", initializer="zeros", trainable=False)
        self.each = self.add_weight(name="each", shape=input_shape[1:].num_elements(), initializer="random_normal")
        super().build(input_shape)

    def call(self, x):
        return x * self.scale + self.full


class Flat(layers.Layer):
    def __init__(self, units):
        super().__init__()
        self.units = units

    def build(self, input_shape):
        size = int(np.prod(input_shape[1:]))
        self.w = self.add_weight(shape=[size, self.units], initializer="random_normal", name="w")
        last = tf.TensorShape(input_shape).as_list()[-1]
        self.v = self.add_weight(shape=[last], initializer="zeros", name="v")

    def call(self, x):
        return tf.matmul(tf.reshape(x * self.v, [tf.shape(x)[0], -1]), self.w)


def build_model(units):
    x = inputs = tf.keras.Input((3, 5))
    x = Scale()(x)
    x = Flat(units)(x)
    return tf.keras.Model(inputs, layers.Dense(3)(x))
