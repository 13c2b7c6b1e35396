"""A decoder-only transformer language model."""

import functools
import sys

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax import lax
from tqdm import tqdm

# Keras defaults that differ from Flax's.
Embed = functools.partial(nnx.Embed, embedding_init=functools.partial(jax.random.uniform, minval=-0.05, maxval=0.05))
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())
MultiHeadAttention = functools.partial(nnx.MultiHeadAttention, decode=False, kernel_init=nnx.initializers.glorot_uniform())

PAD_ID = 0


def positional_encoding(length, depth):
    """Sinusoids of geometrically growing wavelength, shape (1, length, depth)."""
    positions = np.arange(length)[:, np.newaxis]
    rates = 1.0 / np.power(10000.0, 2 * (np.arange(depth) // 2) / depth)
    angles = positions * rates[np.newaxis, :]
    angles[:, 0::2] = np.sin(angles[:, 0::2])
    angles[:, 1::2] = np.cos(angles[:, 1::2])
    return jnp.asarray(angles[np.newaxis, ...], dtype=jnp.float32)


def create_padding_mask(tokens):
    """True where there is a real token; (batch, 1, length)."""
    return jnp.not_equal(tokens, PAD_ID)[:, None, :]


def create_look_ahead_mask(size):
    """Lower triangle: a position sees itself and what came before."""
    return jnp.asarray(jnp.tril(jnp.ones((size, size))), dtype=jnp.bool_)


class RMSNorm(nnx.Module):
    """Root mean square normalization with a learned gain."""

    def __init__(self, in_features, epsilon=1e-6):
        self.epsilon = epsilon
        self.gain = nnx.Param(jnp.ones((in_features,)))

    def __call__(self, x):
        mean_square = jnp.mean(jnp.square(x), axis=-1, keepdims=True)
        return x * lax.rsqrt(mean_square + self.epsilon) * self.gain


class GatedFeedForward(nnx.Module):
    """Feed-forward network with a sigmoid gate on the hidden units."""

    def __init__(self, in_features, d_ff, rate=0.1, *, rngs: nnx.Rngs):
        self.d_ff = d_ff
        self.hidden = Linear(in_features, d_ff, rngs=rngs)
        self.dropout = nnx.Dropout(rate, rngs=rngs)
        d_model = in_features
        self.w_gate = nnx.Param(nnx.initializers.glorot_uniform()(rngs.params(), (d_model, self.d_ff)))
        self.b_gate = nnx.Param(jnp.zeros((self.d_ff,)))
        self.out = Linear(d_ff, d_model, rngs=rngs)

    def __call__(self, x, training=False):
        gate = nnx.sigmoid(jnp.einsum("btd,df->btf", x, self.w_gate[...]) + self.b_gate)
        h = self.dropout(nnx.gelu(self.hidden(x), approximate=False) * gate, deterministic=not training)
        return self.out(h)


class DecoderLayer(nnx.Module):
    def __init__(self, in_features, d_model, num_heads, d_ff, rate=0.1, *, rngs: nnx.Rngs):
        self.mha = MultiHeadAttention(
            num_heads,
            in_features,
            qkv_features=num_heads * (d_model // num_heads),
            in_kv_features=in_features,
            dropout_rate=rate,
            broadcast_dropout=not rate,
            rngs=rngs,
        )
        self.ffn = GatedFeedForward(in_features, d_ff, rate, rngs=rngs)
        self.norm1 = RMSNorm(in_features)
        self.norm2 = RMSNorm(in_features)
        self.dropout = nnx.Dropout(rate, rngs=rngs)
        self.rate = rate

    def __call__(self, x, attention_mask=None, training=False):
        h = self.norm1(x)
        attn = self.mha(h, h, h, mask=attention_mask[:, None], deterministic=not training)
        x = x + self.dropout(attn, deterministic=not training)
        return x + self.ffn(self.norm2(x), training=training)


class TransformerLM(nnx.Module):
    """Predicts the next token at every position."""

    def __init__(self, vocab_size, max_len=128, d_model=64, num_layers=2, num_heads=4, d_ff=128, rate=0.1, *, rngs: nnx.Rngs):
        self.d_model = d_model
        self.embedding = Embed(vocab_size, d_model, rngs=rngs)
        self.pos_encoding = positional_encoding(max_len, d_model)
        self.blocks = nnx.List([DecoderLayer(d_model, d_model, num_heads, d_ff, rate, rngs=rngs) for _ in range(num_layers)])
        self.dropout = nnx.Dropout(rate, rngs=rngs)
        self.norm = RMSNorm(d_model)
        self.logits = Linear(d_model, vocab_size, rngs=rngs)

    def __call__(self, tokens, training=False):
        seq_len = tokens.shape[1]
        mask = create_padding_mask(tokens) & create_look_ahead_mask(seq_len)

        x = self.embedding(tokens)
        x *= jnp.sqrt(jnp.asarray(self.d_model, dtype=jnp.float32))
        x += self.pos_encoding[:, :seq_len, :]
        x = self.dropout(x, deterministic=not training)
        for block in self.blocks:
            x = block(x, attention_mask=mask, training=training)
        return self.logits(self.norm(x))


class WarmupSchedule:
    """Linear warm-up, then decay with the inverse square root of the step."""

    def __init__(self, d_model, warmup_steps=4000):
        self.d_model = d_model
        self.warmup_steps = warmup_steps

    def __call__(self, step):
        step = jnp.asarray(step, dtype=jnp.float32) + 1.0
        return self.d_model**-0.5 * jnp.minimum(lax.rsqrt(step), step * self.warmup_steps**-1.5)


def loss_object(y_true, y_pred):
    return optax.softmax_cross_entropy_with_integer_labels(y_pred, y_true)


def masked_loss(y_true, y_pred):
    """Cross-entropy averaged over the real tokens only."""
    mask = jnp.asarray(jnp.not_equal(y_true, PAD_ID), dtype=jnp.float32)
    return jnp.sum(loss_object(y_true, y_pred) * mask) / jnp.sum(mask)


@nnx.jit
def train_step(model, optimizer, metrics, x, y):
    def loss_fn(model):
        predictions = model(x, training=True)
        return masked_loss(y, predictions)

    loss, grads = nnx.value_and_grad(loss_fn)(model)
    optimizer.update(model, grads)
    metrics.update(loss=jnp.full(len(y), loss))


def train(tokens, vocab_size, epochs=10, batch_size=32, *, seed=0):
    model = TransformerLM(vocab_size, max_len=tokens.shape[1], rngs=nnx.Rngs(seed))
    optimizer = nnx.Optimizer(model, optax.adam(WarmupSchedule(64), b2=0.98, eps=1e-9), wrt=nnx.Param)
    x, y = tokens[:, :-1], tokens[:, 1:]
    metrics = nnx.MultiMetric(loss=nnx.metrics.Average("loss"))
    order = np.random.default_rng(seed)
    for epoch in range(epochs):
        metrics.reset()
        shuffled = order.permutation(len(x))
        for start in tqdm(range(0, len(x), batch_size), desc=f"epoch {epoch + 1}/{epochs}"):
            batch = shuffled[start : start + batch_size]
            train_step(model, optimizer, metrics, x[batch], y[batch])
        print({name: float(value) for name, value in metrics.compute().items()})
    return model


if __name__ == "__main__":
    corpus = np.load(sys.argv[1])  # int32 [documents, length], zero-padded
    train(corpus, vocab_size=int(corpus.max()) + 1)
