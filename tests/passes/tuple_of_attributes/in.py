from tensorflow.keras import layers
import tensorflow as tf


class Mm(layers.Layer):
    def __init__(self, n, m):
        super().__init__()
        # Two sizes.
        self.n, self.m = n, m  # both
        self.q, self.k = layers.Dense(n), layers.Dense(m)
        self.n, self.m = self.m, self.n

    def call(self, x):
        return self.q(x), self.k(x)

def build_model(units, m):
    x = inputs = tf.keras.Input((8,))
    x, y = Mm(units, m)(x)
    return tf.keras.Model(inputs, [layers.Dense(3)(x), layers.Dense(3)(y)])
