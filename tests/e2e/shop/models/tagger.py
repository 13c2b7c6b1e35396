"""Tags the words of descriptions."""
import tensorflow as tf
from tensorflow.keras import layers

from models import sizes


class Tagger(tf.keras.Model):
    """Words in, tags out: (batch, words) -> (batch, words, tags)."""

    def __init__(self, tags=7, **kwargs):
        super().__init__(**kwargs)
        self.embed = layers.Embedding(sizes.VOCAB, sizes.DIM)
        self.mix = layers.Conv1D(sizes.DIM, 3, padding="same", activation="relu")
        self.norm = layers.LayerNormalization()
        self.drop = layers.Dropout(0.1)
        self.out = layers.Dense(tags)

    def call(self, words, training=False):
        x = self.embed(words)
        # neighbours, as a residual
        x = x + self.norm(self.mix(x))
        return self.out(self.drop(x, training=training))
