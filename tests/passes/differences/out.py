"""Calls that touch declared differences, each beside one that does not."""

import functools

import jax
import jax.numpy as jnp
from flax import nnx

# Keras defaults that differ from Flax's.
Conv = functools.partial(nnx.Conv, kernel_init=nnx.initializers.glorot_uniform())
Embed = functools.partial(nnx.Embed, embedding_init=functools.partial(jax.random.uniform, minval=-0.05, maxval=0.05))
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())
OptimizedLSTMCell = functools.partial(nnx.OptimizedLSTMCell, kernel_init=nnx.initializers.glorot_uniform())


class DropoutRNN(nnx.RNN):
    """An RNN that drops the same features of its inputs at all steps of a sequence."""

    def __init__(self, cell, rate, *, reverse=False, rngs: nnx.Rngs):
        super().__init__(cell, reverse=reverse)
        self.dropout = nnx.Dropout(rate, broadcast_dims=(1,), rngs=rngs)

    def __call__(self, inputs, *, deterministic=None, **kwargs):
        return super().__call__(self.dropout(inputs, deterministic=deterministic), **kwargs)


class GRUCell(nnx.GRUCell):
    """A GRU cell with a bias of its own on the recurrent side, as in cuDNN."""

    def __init__(self, in_features, hidden_features, *, bias_init=nnx.initializers.zeros_init(), rngs: nnx.Rngs, **kwargs):
        super().__init__(in_features, hidden_features, bias_init=bias_init, rngs=rngs, **kwargs)
        kernel = self.dense_h.kernel
        self.dense_h = nnx.Linear(hidden_features, 3 * hidden_features, bias_init=bias_init, rngs=rngs)
        self.dense_h.kernel = kernel


def forget_bias(key, shape, dtype=jnp.float32):
    """Zeros, and ones for the forget gate; the gates are input, forget, cell, output."""
    return jnp.zeros(shape, dtype).at[shape[0] // 4 : shape[0] // 2].set(1)


class Tagger(nnx.Module):
    def __init__(self, words, tags, *, rngs: nnx.Rngs):
        self.embedding = Embed(words, 16, rngs=rngs)
        self.dropout = nnx.Dropout(0.3, rngs=rngs)
        self.still = nnx.RNN(OptimizedLSTMCell(16, 16, bias_init=forget_bias, rngs=rngs))
        self.dropping = DropoutRNN(OptimizedLSTMCell(16, 16, bias_init=forget_bias, rngs=rngs), 0.2, rngs=rngs)
        self.both = nnx.Bidirectional(
            DropoutRNN(GRUCell(16, 8, kernel_init=nnx.initializers.glorot_uniform(), rngs=rngs), 0.1, rngs=rngs),
            DropoutRNN(GRUCell(16, 8, kernel_init=nnx.initializers.glorot_uniform(), rngs=rngs), 0.1, rngs=rngs),
        )
        self.narrow = Conv(16, 16, 3, feature_group_count=16, rngs=rngs)
        self.broad = Conv(16, 32, 3, feature_group_count=16, rngs=rngs)
        self.head = Linear(32, tags, rngs=rngs)

    def __call__(self, ids, training=False):
        x = self.embedding(ids.astype(jnp.int32))
        x = self.dropout(x, deterministic=not training)
        sequences_value = self.dropping(self.still(x), deterministic=not training)
        x = self.both.merge_fn(
            self.both.forward_rnn(sequences_value, deterministic=not training),
            self.both.backward_rnn(sequences_value, reverse=True, keep_order=True, deterministic=not training),
        )
        x = self.broad(self.narrow(x))
        return self.head(x)


@nnx.jit
def summary(logits, *, rngs: nnx.Rngs):
    wide = jnp.argmax(logits, axis=-1)
    narrow = jnp.argmax(logits, axis=-1)
    zeros = jnp.zeros([4], dtype=jnp.int32)
    share = jnp.mean(jnp.asarray(jnp.equal(narrow, 0), dtype=jnp.float32))
    rounded = jnp.mean(jnp.asarray(narrow, dtype=jnp.int32))
    places = jnp.argwhere(narrow > 0)
    chosen = jnp.where(narrow > 0, narrow, 0)
    noise = jax.random.normal(rngs.noise(), [4]) + jnp.zeros([4])
    return wide, zeros, share, rounded, places, chosen, noise


def build(words, tags, *, seed=0):
    model = Tagger(words, tags, rngs=nnx.Rngs(seed))
    return model
