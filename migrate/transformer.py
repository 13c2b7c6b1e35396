"""A decoder-only transformer language model."""
import sys

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras.layers import Dense, Dropout, Embedding, Layer, MultiHeadAttention

PAD_ID = 0


def positional_encoding(length, depth):
    """Sinusoids of geometrically growing wavelength, shape (1, length, depth)."""
    positions = np.arange(length)[:, np.newaxis]
    rates = 1.0 / np.power(10000.0, 2 * (np.arange(depth) // 2) / depth)
    angles = positions * rates[np.newaxis, :]
    angles[:, 0::2] = np.sin(angles[:, 0::2])
    angles[:, 1::2] = np.cos(angles[:, 1::2])
    return tf.cast(angles[np.newaxis, ...], tf.float32)


def create_padding_mask(tokens):
    """True where there is a real token; (batch, 1, length)."""
    return tf.not_equal(tokens, PAD_ID)[:, tf.newaxis, :]


def create_look_ahead_mask(size):
    """Lower triangle: a position sees itself and what came before."""
    return tf.cast(tf.linalg.band_part(tf.ones((size, size)), -1, 0), tf.bool)


class RMSNorm(Layer):
    """Root mean square normalization with a learned gain."""

    def __init__(self, epsilon=1e-6, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def build(self, input_shape):
        self.gain = self.add_weight(name="gain", shape=(input_shape[-1],), initializer="ones", trainable=True)
        super().build(input_shape)

    def call(self, x):
        mean_square = tf.reduce_mean(tf.square(x), axis=-1, keepdims=True)
        return x * tf.math.rsqrt(mean_square + self.epsilon) * self.gain

    def get_config(self):
        config = super().get_config()
        config.update({"epsilon": self.epsilon})
        return config


class GatedFeedForward(Layer):
    """Feed-forward network with a sigmoid gate on the hidden units."""

    def __init__(self, d_ff, rate=0.1, **kwargs):
        super().__init__(**kwargs)
        self.d_ff = d_ff
        self.hidden = Dense(d_ff, activation="gelu")
        self.dropout = Dropout(rate)

    def build(self, input_shape):
        d_model = int(input_shape[-1])
        self.w_gate = self.add_weight(name="w_gate", shape=(d_model, self.d_ff), initializer="glorot_uniform")
        self.b_gate = self.add_weight(name="b_gate", shape=(self.d_ff,), initializer="zeros")
        self.out = Dense(d_model)

    def call(self, x, training=False):
        gate = tf.sigmoid(tf.einsum("btd,df->btf", x, self.w_gate) + self.b_gate)
        h = self.dropout(self.hidden(x) * gate, training=training)
        return self.out(h)


class DecoderLayer(Layer):
    def __init__(self, d_model, num_heads, d_ff, rate=0.1, **kwargs):
        super().__init__(**kwargs)
        self.mha = MultiHeadAttention(num_heads=num_heads, key_dim=d_model // num_heads, dropout=rate)
        self.ffn = GatedFeedForward(d_ff, rate)
        self.norm1 = RMSNorm()
        self.norm2 = RMSNorm()
        self.dropout = Dropout(rate)

    def call(self, x, attention_mask=None, training=False):
        h = self.norm1(x)
        attn = self.mha(query=h, value=h, key=h, attention_mask=attention_mask, training=training)
        x = x + self.dropout(attn, training=training)
        return x + self.ffn(self.norm2(x), training=training)


class TransformerLM(keras.Model):
    """Predicts the next token at every position."""

    def __init__(self, vocab_size, max_len=128, d_model=64, num_layers=2, num_heads=4, d_ff=128, rate=0.1):
        super().__init__()
        self.d_model = d_model
        self.embedding = Embedding(vocab_size, d_model)
        self.pos_encoding = positional_encoding(max_len, d_model)
        self.blocks = [DecoderLayer(d_model, num_heads, d_ff, rate) for _ in range(num_layers)]
        self.dropout = Dropout(rate)
        self.norm = RMSNorm(name="final_norm")
        self.logits = Dense(vocab_size)

    def call(self, tokens, training=False):
        seq_len = tf.shape(tokens)[1]
        mask = create_padding_mask(tokens) & create_look_ahead_mask(seq_len)

        x = self.embedding(tokens)
        x *= tf.math.sqrt(tf.cast(self.d_model, tf.float32))
        x += self.pos_encoding[:, :seq_len, :]
        x = self.dropout(x, training=training)
        for block in self.blocks:
            x = block(x, attention_mask=mask, training=training)
        return self.logits(self.norm(x))


class WarmupSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """Linear warm-up, then decay with the inverse square root of the step."""

    def __init__(self, d_model, warmup_steps=4000):
        super().__init__()
        self.d_model = d_model
        self.warmup_steps = warmup_steps

    def __call__(self, step):
        step = tf.cast(step, tf.float32) + 1.0
        return self.d_model**-0.5 * tf.minimum(tf.math.rsqrt(step), step * self.warmup_steps**-1.5)


loss_object = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="none")


def masked_loss(y_true, y_pred):
    """Cross-entropy averaged over the real tokens only."""
    mask = tf.cast(tf.not_equal(y_true, PAD_ID), tf.float32)
    return tf.reduce_sum(loss_object(y_true, y_pred) * mask) / tf.reduce_sum(mask)


def train(tokens, vocab_size, epochs=10, batch_size=32):
    model = TransformerLM(vocab_size, max_len=tokens.shape[1])
    optimizer = keras.optimizers.Adam(WarmupSchedule(64), beta_1=0.9, beta_2=0.98, epsilon=1e-9)
    model.compile(optimizer=optimizer, loss=masked_loss)
    model.fit(tokens[:, :-1], tokens[:, 1:], batch_size=batch_size, epochs=epochs)
    return model


if __name__ == "__main__":
    corpus = np.load(sys.argv[1])  # int32 [documents, length], zero-padded
    train(corpus, vocab_size=int(corpus.max()) + 1)
