"""Calls that touch declared differences, each beside one that does not."""

import tensorflow as tf


class Tagger(tf.keras.Model):
    def __init__(self, words, tags):
        super().__init__()
        self.embedding = tf.keras.layers.Embedding(words, 16)
        self.dropout = tf.keras.layers.Dropout(0.3)
        self.still = tf.keras.layers.LSTM(16, return_sequences=True)
        self.dropping = tf.keras.layers.LSTM(16, return_sequences=True, dropout=0.2)
        self.both = tf.keras.layers.Bidirectional(tf.keras.layers.GRU(8, return_sequences=True, dropout=0.1))
        self.narrow = tf.keras.layers.DepthwiseConv1D(3, padding="same")
        self.broad = tf.keras.layers.DepthwiseConv1D(3, padding="same", depth_multiplier=2)
        self.head = tf.keras.layers.Dense(tags)

    def call(self, ids, training=False):
        x = self.embedding(ids)
        x = self.dropout(x, training=training)
        x = self.both(self.dropping(self.still(x), training=training), training=training)
        x = self.broad(self.narrow(x))
        return self.head(x)


@tf.function
def summary(logits):
    logits = tf.ensure_shape(logits, [None, 10, 4])
    wide = tf.argmax(logits, axis=-1)
    narrow = tf.argmax(logits, axis=-1, output_type=tf.int32)
    zeros = tf.zeros([4], tf.int64)
    share = tf.reduce_mean(tf.cast(tf.equal(narrow, 0), tf.float32))
    rounded = tf.reduce_mean(tf.cast(narrow, tf.int32))
    places = tf.where(narrow > 0)
    chosen = tf.where(narrow > 0, narrow, 0)
    noise = tf.random.normal([4]) + tf.zeros([4])
    return wide, zeros, share, rounded, places, chosen, noise


def build(words, tags):
    model = Tagger(words, tags)
    model.compile(
        optimizer=tf.keras.optimizers.Adam(1e-3),
        loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model
