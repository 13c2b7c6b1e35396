import tensorflow as tf
from tensorflow.keras import layers


class Classifier(tf.keras.Model):
    """An expression as mask, which the next layer sees, too."""

    def __init__(self, vocab, units):
        super().__init__()
        self.embedding = layers.Embedding(vocab, 16, mask_zero=True)
        self.first = layers.LSTM(units, return_sequences=True)
        self.second = layers.GRU(units)

    def call(self, tokens):
        x = self.embedding(tokens)
        x = self.first(x, mask=self.embedding.compute_mask(tokens))
        return self.second(x)


class Positions(layers.Layer):
    """Says what its output's mask is."""

    def __init__(self, vocab, width):
        super().__init__()
        self.embedding = layers.Embedding(vocab, width, mask_zero=True)
        self.scale = width**0.5

    def compute_mask(self, *args, **kwargs):
        return self.embedding.compute_mask(*args, **kwargs)

    def call(self, x):
        return self.embedding(x) * self.scale


class Block(layers.Layer):
    """Reads the mask of its input, and ends it."""

    def __init__(self, heads, width):
        super().__init__()
        self.attention = layers.MultiHeadAttention(heads, width)
        self.norm = layers.LayerNormalization()

    def call(self, x):
        return self.norm(x + self.attention(x, x))


class Pool(layers.Layer):
    """Has an argument for the mask."""

    def call(self, x, mask=None):
        if mask is None:
            return tf.reduce_mean(x, axis=1)
        weights = tf.cast(mask, tf.float32)[:, :, tf.newaxis]
        return tf.reduce_sum(x * weights, axis=1) / tf.reduce_sum(weights, axis=1)


class Encoder(tf.keras.Model):
    def __init__(self, vocab=100, width=16):
        super().__init__()
        self.positions = Positions(vocab, width)
        self.dropout = layers.Dropout(0.1)
        self.block = Block(2, width)
        self.pool = Pool()
        self.average = layers.GlobalAveragePooling1D()

    def call(self, tokens):
        x = self.dropout(self.positions(tokens))
        return self.block(x), self.pool(self.dropout(self.positions(tokens))), self.average(self.positions(tokens))


def steps():
    inputs = tf.keras.Input((10, 8))
    x = layers.Masking(mask_value=-1.0)(inputs)
    h = layers.Bidirectional(layers.LSTM(12, return_sequences=True))(x)
    h = layers.TimeDistributed(layers.Dense(8))(h)
    h = layers.Add()([x, h])
    a = layers.Attention()([h, h])
    joined = layers.Concatenate()([layers.GlobalAveragePooling1D()(a), layers.Bidirectional(layers.GRU(6), merge_mode="sum")(h)])
    return tf.keras.Model(inputs, layers.Dense(1)(joined))


def translator(vocab=50, units=12):
    source = tf.keras.Input((None,), dtype="int32")
    target = tf.keras.Input((None,), dtype="int32")
    x = layers.Embedding(vocab, 16, mask_zero=True)(source)
    _, h, c = layers.LSTM(units, return_state=True)(x)
    y = layers.Embedding(vocab, 16, mask_zero=True)(target)
    y = layers.LSTM(units, return_sequences=True)(y, initial_state=[h, c])
    y = layers.GRU(units)(y)
    return tf.keras.Model([source, target], layers.Dense(vocab)(y))


def unread(vocab=50):
    tokens = tf.keras.Input((10,), dtype="int32")
    x = layers.Embedding(vocab, 16, mask_zero=True)(tokens)
    return tf.keras.Model(tokens, layers.Dense(3)(layers.Flatten()(x)))


def summed(vocab=50):
    tokens = tf.keras.Input((10,), dtype="int32")
    x = layers.Embedding(vocab, 16, mask_zero=True)(tokens)
    y = layers.add([x, layers.Dense(16)(x)])
    return tf.keras.Model(tokens, layers.GlobalAveragePooling1D()(layers.concatenate([x, y], axis=-1)))


class Cross(layers.Layer):
    def __init__(self):
        super().__init__()
        self.mha = layers.MultiHeadAttention(2, 4)
        self.add = layers.Add()

    def call(self, x, context):
        return self.add([x, self.mha(query=x, key=context, value=context)])


class Two(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.a = layers.Embedding(20, 5, mask_zero=True)
        self.b = layers.Embedding(20, 5, mask_zero=True)
        self.cross = Cross()
        self.pool = layers.GlobalAveragePooling1D()

    def call(self, inputs):
        context, x = inputs
        context = self.a(context)
        x = self.b(x)
        return self.pool(self.cross(x, context))
