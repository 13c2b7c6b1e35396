import tensorflow as tf
from tensorflow.keras import layers


def tagger(vocab=20):
    tokens = tf.keras.Input((7,), dtype="int32")
    x = layers.Embedding(vocab, 5, mask_zero=True)(tokens)
    x = layers.GRU(6, return_sequences=True)(x)
    return tf.keras.Model(tokens, layers.Dense(4)(x))


def train(x, y):
    model = tagger()
    model.compile(optimizer="adam", loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(x, y, epochs=2)


def products(vocab=20):
    tokens = tf.keras.Input((7,), dtype="int32")
    x = layers.Embedding(vocab, 5, mask_zero=True)(tokens)
    return tf.keras.Model(tokens, layers.Multiply()([x, x]))


def normalised(vocab=20):
    tokens = tf.keras.Input((7,), dtype="int32")
    x = layers.Embedding(vocab, 5, mask_zero=True)(tokens)
    return tf.keras.Model(tokens, layers.BatchNormalization()(x))


class Twice(layers.Layer):
    """A mask made inside, of what its caller has no name for."""

    def __init__(self, vocab):
        super().__init__()
        self.embedding = layers.Embedding(vocab, 5, mask_zero=True)

    def call(self, tokens):
        tokens = tf.reverse(tokens, [1])
        return self.embedding(tokens)


class Reader(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.twice = Twice(20)
        self.rnn = layers.LSTM(6)

    def call(self, tokens):
        return self.rnn(self.twice(tokens))


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
