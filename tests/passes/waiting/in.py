"""What uses a definition that stays TensorFlow stays with it, at module level too."""
import tensorflow as tf
from tensorflow.keras import layers


class Block(layers.Layer):
    def __init__(self, units=4):
        super().__init__()
        self.dense = layers.Dense(units)

    def call(self, x):
        return tf.raw_ops.Foo(x=self.dense(x))


class Other(layers.Layer):
    def call(self, x):
        return tf.abs(x)


# one of each
block = Block()
other = Other()
print(block(tf.zeros([2, 3])))
print(other(tf.zeros([2, 3])))


def apply(x):
    return block(x)


if __name__ == "__main__":
    print(apply(tf.ones([2, 3])))
