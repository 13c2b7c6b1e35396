"""States that recurrent layers begin with."""

import tensorflow as tf
from tensorflow.keras import layers


class Generator(tf.keras.Model):
    def __init__(self, vocab, width, units):
        super().__init__()
        self.embedding = layers.Embedding(vocab, width)
        self.gru = layers.GRU(units, return_sequences=True, return_state=True)
        self.dense = layers.Dense(vocab)

    def call(self, inputs, states=None, return_state=False, training=False):
        x = self.embedding(inputs)
        if states is None:
            states = self.gru.get_initial_state(tf.shape(x)[0])
        x, states = self.gru(x, initial_state=states, training=training)
        x = self.dense(x)
        return (x, states) if return_state else x


class Taken(tf.keras.Model):
    """The port has no list around the one state."""

    def __init__(self):
        super().__init__()
        self.gru = layers.GRU(5)

    def call(self, x):
        states = self.gru.get_initial_state(tf.shape(x)[0])
        return self.gru(x, initial_state=states) + states[0]
