"""What uses a definition that stays TensorFlow stays with it, at module level too."""

import jax.numpy as jnp
import tensorflow as tf
from flax import nnx
from tensorflow.keras import layers


# jaxport: line 12: tf.raw_ops.Foo: an operation without its Python function: use the public function of the same name
class Block(layers.Layer):
    def __init__(self, units=4):
        super().__init__()
        self.dense = layers.Dense(units)

    def call(self, x):
        return tf.raw_ops.Foo(x=self.dense(x))


class Other(nnx.Module):
    def __call__(self, x):
        return jnp.abs(x)


# one of each
# jaxport: waits for Block
block = Block()
other = Other()
# jaxport: waits for block
print(block(tf.zeros([2, 3])))
print(other(jnp.zeros([2, 3])))


# jaxport: line 27: block: waits for block, which stays TensorFlow for now
def apply(x):
    return block(x)


# jaxport: waits for apply
if __name__ == "__main__":
    print(apply(tf.ones([2, 3])))
# residual: in.py:12:16: tf.raw_ops.Foo: an operation without its Python function: use the public function of the same name
# residual: in.py:27:5: block: waits for block, which stays TensorFlow for now
