"""States that recurrent layers begin with."""

import functools

import jax
import jax.numpy as jnp
import tensorflow as tf
from flax import nnx
from tensorflow.keras import layers

# Keras defaults that differ from Flax's.
Embed = functools.partial(nnx.Embed, embedding_init=functools.partial(jax.random.uniform, minval=-0.05, maxval=0.05))
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())


class GRUCell(nnx.GRUCell):
    """A GRU cell with a bias of its own on the recurrent side, as in cuDNN."""

    def __init__(self, in_features, hidden_features, *, bias_init=nnx.initializers.zeros_init(), rngs: nnx.Rngs, **kwargs):
        super().__init__(in_features, hidden_features, bias_init=bias_init, rngs=rngs, **kwargs)
        kernel = self.dense_h.kernel
        self.dense_h = nnx.Linear(hidden_features, 3 * hidden_features, bias_init=bias_init, rngs=rngs)
        self.dense_h.kernel = kernel


class Generator(nnx.Module):
    def __init__(self, vocab, width, units, *, rngs: nnx.Rngs):
        self.embedding = Embed(vocab, width, rngs=rngs)
        self.gru = nnx.RNN(GRUCell(width, units, kernel_init=nnx.initializers.glorot_uniform(), rngs=rngs))
        self.dense = Linear(units, vocab, rngs=rngs)

    def __call__(self, inputs, states=None, return_state=False, training=False):
        x = self.embedding(inputs.astype(jnp.int32))
        if states is None:
            states = jnp.zeros((x.shape[0], self.gru.cell.hidden_features))
        x, states = self.gru(x, initial_carry=states, return_carry=True)[::-1]
        x = self.dense(x)
        return (x, states) if return_state else x


# jaxport: line 32: get_initial_state: an element of the list of one state, which the port has without the list: use it as it is
class Taken(tf.keras.Model):
    """The port has no list around the one state."""

    def __init__(self):
        super().__init__()
        self.gru = layers.GRU(5)

    def call(self, x):
        states = self.gru.get_initial_state(tf.shape(x)[0])
        return self.gru(x, initial_state=states) + states[0]
# residual: in.py:32:52: get_initial_state: an element of the list of one state, which the port has without the list: use it as it is
