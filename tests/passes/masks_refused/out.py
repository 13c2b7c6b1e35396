import functools

import jax
import jax.numpy as jnp
import optax
import tensorflow as tf
from flax import nnx
from jax import lax
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


def masked_rnn(rnn, sequences, mask, initial_carry=None):
    """(carry, outputs) of an RNN over steps of which those where `mask`, of shape (batch, steps), is false are passed
    over: the state stays, and the output is the one before."""
    if mask is None:
        return rnn(sequences, initial_carry=initial_carry, return_carry=True)
    steps = (sequences.swapaxes(0, 1), mask.T)
    if rnn.reverse:
        steps = tuple(jnp.flip(part, axis=0) for part in steps)
    carry = rnn.cell.initialize_carry(steps[0].shape[1:], rnn.rngs) if initial_carry is None else initial_carry

    def step(held, inputs):
        x, counts = inputs
        found = rnn.cell(held[0], x)
        held = jax.tree.map(lambda new, old: jnp.where(counts[:, None], new, old), found, held)
        return held, held[1]

    output = jnp.zeros_like(jax.tree.leaves(carry)[-1])
    (carry, _), outputs = lax.scan(step, (carry, output), steps)
    return carry, outputs.swapaxes(0, 1)


class Tagger(nnx.Module):
    def __init__(self, vocab=20, *, rngs: nnx.Rngs):
        self.embedding = Embed(vocab, 5, rngs=rngs)
        self.gru = nnx.RNN(GRUCell(5, 6, kernel_init=nnx.initializers.glorot_uniform(), rngs=rngs))
        self.dense = Linear(6, 4, rngs=rngs)

    def __call__(self, tokens):
        mask = tokens != 0
        x = self.embedding(tokens)
        x = masked_rnn(self.gru, x, mask)[1]
        return self.dense(x)


def train(x, y, *, seed=0):
    model = Tagger(rngs=nnx.Rngs(seed))
    optimizer = nnx.Optimizer(model, optax.adam(0.001, eps=1e-07), wrt=nnx.Param)
    model.fit(x, y, epochs=2)


# jaxport: line 21: tf.keras.layers.Multiply: its input has a mask, which Keras reads here: multiply by it, or give it to what comes after
def products(vocab=20):
    tokens = tf.keras.Input((7,), dtype="int32")
    x = layers.Embedding(vocab, 5, mask_zero=True)(tokens)
    return tf.keras.Model(tokens, layers.Multiply()([x, x]))


# jaxport: line 27: tf.keras.layers.BatchNormalization: batch normalisation with a mask
def normalised(vocab=20):
    tokens = tf.keras.Input((7,), dtype="int32")
    x = layers.Embedding(vocab, 5, mask_zero=True)(tokens)
    return tf.keras.Model(tokens, layers.BatchNormalization()(x))


class Twice(nnx.Module):
    """A mask made inside, of what its caller has no name for."""

    def __init__(self, vocab, *, rngs: nnx.Rngs):
        self.embedding = Embed(vocab, 5, rngs=rngs)

    def __call__(self, tokens):
        tokens = jnp.flip(tokens, axis=(1,))
        return self.embedding(tokens.astype(jnp.int32))


# jaxport: line 49: tf.keras.layers.LSTM: its input's mask is made inside Twice: return it with the output, and pass it on
class Reader(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.twice = Twice(20)
        self.rnn = layers.LSTM(6)

    def call(self, tokens):
        return self.rnn(self.twice(tokens))


# jaxport: line 67: tf.keras.layers.LSTM: whether its input has a mask depends on the way taken: compute the mask, and pass it on
class Chosen(tf.keras.Model):
    """Only one of two ways has a mask."""

    def __init__(self, plain):
        super().__init__()
        self.plain = plain
        self.embedding = layers.Embedding(20, 5, mask_zero=True)
        self.other = layers.Embedding(20, 5)
        self.rnn = layers.LSTM(6)

    def call(self, tokens):
        if self.plain:
            x = self.other(tokens)
        else:
            x = self.embedding(tokens)
        return self.rnn(x)
# residual: in.py:49:16: tf.keras.layers.LSTM: its input's mask is made inside Twice: return it with the output, and pass it on
# residual: in.py:67:16: tf.keras.layers.LSTM: whether its input has a mask depends on the way taken: compute the mask, and pass it on
# residual: in.py:21:35: tf.keras.layers.Multiply: its input has a mask, which Keras reads here: multiply by it, or give it to what comes after
# residual: in.py:27:35: tf.keras.layers.BatchNormalization: batch normalisation with a mask
# residual: in.py:14:5: Model.compile: the model's output has a mask, so that Keras leaves masked steps out of the loss: return the mask, too, and give it to the loss as weights (jnp.mean(losses, where=mask))
