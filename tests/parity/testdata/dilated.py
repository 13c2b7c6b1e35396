"""An original whose gradient TensorFlow has on the CPU with oneDNN only."""

import tensorflow as tf


class Dilated(tf.Module):
    def __init__(self):
        super().__init__()
        self.kernel = tf.Variable(tf.random.normal([3, 3, 3, 4]) * 0.1, name="kernel")

    def __call__(self, x):
        return tf.nn.conv2d(x, self.kernel, strides=1, padding="SAME", dilations=2)
