import functools
import operator

import jax
import jax.numpy as jnp
from flax import nnx
from jax import lax

# Keras defaults that differ from Flax's.
Embed = functools.partial(nnx.Embed, embedding_init=functools.partial(jax.random.uniform, minval=-0.05, maxval=0.05))
LayerNorm = functools.partial(nnx.LayerNorm, epsilon=0.001, use_fast_variance=False)
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())
MultiHeadAttention = functools.partial(nnx.MultiHeadAttention, decode=False, kernel_init=nnx.initializers.glorot_uniform())
OptimizedLSTMCell = functools.partial(nnx.OptimizedLSTMCell, kernel_init=nnx.initializers.glorot_uniform())


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


def held_and_states(result):
    """As `last_and_states`, of a masked RNN: where no step counts, the output is not the state that it began with."""
    (c, h), outputs = result
    return outputs[:, -1], h, c


def last_of(result):
    """The last output of an RNN that returns its carry."""
    return result[1][:, -1]


def masked_both(both, sequences, mask):
    """The outputs of both ways of a Bidirectional over the steps where `mask` is true, each in its own order."""
    _, forward = masked_rnn(both.forward_rnn, sequences, mask)
    _, backward = masked_rnn(both.backward_rnn, sequences[:, ::-1], mask[:, ::-1])
    return forward, backward


def masked_last(both, sequences, mask):
    """The last outputs of a Bidirectional that passes over the steps where `mask` is false."""
    forward, backward = masked_both(both, sequences, mask)
    return both.merge_fn(forward[:, -1], backward[:, -1])


def masked_outputs(both, sequences, mask):
    """The outputs of a Bidirectional, zero where `mask` is false, whose steps are passed over."""
    forward, backward = masked_both(both, sequences, mask)
    return both.merge_fn(*[jnp.where(mask[..., None], way, 0) for way in (forward, backward[:, ::-1])])


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


class Classifier(nnx.Module):
    """An expression as mask, which the next layer sees, too."""

    def __init__(self, vocab, units, *, rngs: nnx.Rngs):
        self.embedding = Embed(vocab, 16, rngs=rngs)
        self.first = nnx.RNN(OptimizedLSTMCell(16, units, bias_init=forget_bias, rngs=rngs))
        self.second = nnx.RNN(GRUCell(units, units, kernel_init=nnx.initializers.glorot_uniform(), rngs=rngs))

    def __call__(self, tokens):
        tokens_mask = tokens != 0
        x = self.embedding(tokens.astype(jnp.int32))
        x = masked_rnn(self.first, x, tokens_mask)[1]
        return last_of(masked_rnn(self.second, x, tokens_mask))


class Positions(nnx.Module):
    """Says what its output's mask is."""

    def __init__(self, vocab, width, *, rngs: nnx.Rngs):
        self.embedding = Embed(vocab, width, rngs=rngs)
        self.scale = width**0.5

    def __call__(self, x):
        return self.embedding(x.astype(jnp.int32)) * self.scale


class Block(nnx.Module):
    """Reads the mask of its input, and ends it."""

    def __init__(self, in_features, heads, width, *, rngs: nnx.Rngs):
        self.attention = MultiHeadAttention(
            heads, in_features, qkv_features=heads * width, in_kv_features=in_features, rngs=rngs
        )
        self.norm = LayerNorm(in_features, rngs=rngs)

    def __call__(self, x, *, mask=None):
        return self.norm(x + self.attention(x, x, mask=nnx.make_attention_mask(mask, mask)))


class Pool(nnx.Module):
    """Has an argument for the mask."""

    def __call__(self, x, mask=None):
        if mask is None:
            return jnp.mean(x, axis=1)
        weights = jnp.asarray(mask, dtype=jnp.float32)[:, :, None]
        return jnp.sum(x * weights, axis=1) / jnp.sum(weights, axis=1)


class Encoder(nnx.Module):
    def __init__(self, vocab=100, width=16, *, rngs: nnx.Rngs):
        self.positions = Positions(vocab, width, rngs=rngs)
        self.dropout = nnx.Dropout(0.1, rngs=rngs)
        self.block = Block(width, 2, width, rngs=rngs)
        self.pool = Pool()

    def __call__(self, tokens, *, training=False):
        mask = tokens != 0
        x = self.dropout(self.positions(tokens), deterministic=not training)
        return (
            self.block(x, mask=mask),
            self.pool(self.dropout(self.positions(tokens), deterministic=not training), mask=mask),
            jnp.mean(self.positions(tokens), axis=1, where=mask[..., None]),
        )


class Steps(nnx.Module):
    def __init__(self, *, rngs: nnx.Rngs):
        self.bidirectional = nnx.Bidirectional(
            nnx.RNN(OptimizedLSTMCell(8, 12, bias_init=forget_bias, rngs=rngs)),
            nnx.RNN(OptimizedLSTMCell(8, 12, bias_init=forget_bias, rngs=rngs)),
        )
        self.time_distributed = Linear(24, 8, rngs=rngs)
        self.joined_bidirectional = nnx.Bidirectional(
            nnx.RNN(GRUCell(8, 6, kernel_init=nnx.initializers.glorot_uniform(), rngs=rngs)),
            nnx.RNN(GRUCell(8, 6, kernel_init=nnx.initializers.glorot_uniform(), rngs=rngs)),
            merge_fn=operator.add,
        )
        self.dense = Linear(14, 1, rngs=rngs)

    def __call__(self, inputs):
        mask = jnp.any(inputs != -1.0, axis=-1)
        x = inputs * mask[..., None]
        h = masked_outputs(self.bidirectional, x, mask)
        h = self.time_distributed(h)
        h = x + h
        scores_value = h @ h.mT
        a = nnx.softmax(jnp.where(mask[:, None], scores_value, scores_value - 1e9)) @ h * mask[..., None]
        joined = jnp.concatenate(
            [jnp.mean(a, axis=1, where=mask[..., None]), masked_last(self.joined_bidirectional, h, mask)], axis=-1
        )
        return self.dense(joined)


class Translator(nnx.Module):
    def __init__(self, vocab=50, units=12, *, rngs: nnx.Rngs):
        self.embedding1 = Embed(vocab, 16, rngs=rngs)
        self.lstm1 = nnx.RNN(OptimizedLSTMCell(16, units, bias_init=forget_bias, rngs=rngs))
        self.embedding2 = Embed(vocab, 16, rngs=rngs)
        self.lstm2 = nnx.RNN(OptimizedLSTMCell(16, units, bias_init=forget_bias, rngs=rngs))
        self.gru = nnx.RNN(GRUCell(units, units, kernel_init=nnx.initializers.glorot_uniform(), rngs=rngs))
        self.dense = Linear(units, vocab, rngs=rngs)

    def __call__(self, inputs):
        source, target = inputs
        mask = source != 0
        x = self.embedding1(source)
        _, h, c = held_and_states(masked_rnn(self.lstm1, x, mask))
        target_mask = target != 0
        y = self.embedding2(target)
        y = self.lstm2(y, initial_carry=(c, h))
        y = last_of(masked_rnn(self.gru, y, target_mask))
        return self.dense(y)


class Unread(nnx.Module):
    def __init__(self, vocab=50, *, rngs: nnx.Rngs):
        self.embedding = Embed(vocab, 16, rngs=rngs)
        self.dense = Linear(160, 3, rngs=rngs)

    def __call__(self, tokens):
        x = self.embedding(tokens)
        return self.dense(x.reshape(x.shape[0], -1))


class Summed(nnx.Module):
    def __init__(self, vocab=50, *, rngs: nnx.Rngs):
        self.embedding = Embed(vocab, 16, rngs=rngs)
        self.dense = Linear(16, 16, rngs=rngs)

    def __call__(self, tokens):
        mask = tokens != 0
        x = self.embedding(tokens)
        y = x + self.dense(x)
        return jnp.mean(jnp.concatenate([x, y], axis=-1), axis=1, where=mask[..., None])


class Cross(nnx.Module):
    def __init__(self, in_features, *, rngs: nnx.Rngs):
        self.mha = MultiHeadAttention(2, in_features, qkv_features=8, in_kv_features=in_features, rngs=rngs)

    def __call__(self, x, context, *, mask=None, context_mask=None):
        return x + self.mha(x, context, context, mask=nnx.make_attention_mask(mask, context_mask))


class Two(nnx.Module):
    def __init__(self, *, rngs: nnx.Rngs):
        self.a = Embed(20, 5, rngs=rngs)
        self.b = Embed(20, 5, rngs=rngs)
        self.cross = Cross(5, rngs=rngs)

    def __call__(self, inputs):
        context, x = inputs
        mask = context != 0
        context = self.a(context.astype(jnp.int32))
        x_mask = x != 0
        x = self.b(x.astype(jnp.int32))
        return jnp.mean(self.cross(x, context, mask=x_mask, context_mask=mask), axis=1)
