"""A small original with one of everything that ports get wrong."""

import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers


class Shake(layers.Layer):
    """Adds noise in training."""

    def call(self, x, training=False):
        if training:
            x = x + 0.1 * tf.random.normal(tf.shape(x))
        return x


class Tower(keras.Model):
    def __init__(self, units=6):
        super().__init__()
        self.conv = layers.Conv2D(8, 3, strides=2, padding="same", name="conv")
        self.norm = layers.BatchNormalization(name="norm")
        self.pool = layers.AveragePooling2D(3, strides=2, padding="same")
        self.hidden = [layers.Dense(8, activation="gelu", name=f"hidden_{i}") for i in range(2)]
        self.attention = layers.MultiHeadAttention(2, 4, dropout=0.2, name="attention")
        self.scale = layers.LayerNormalization(epsilon=1e-5, name="scale")
        self.shake = Shake()
        self.gru = layers.GRU(units, name="gru")
        self.dropout = layers.Dropout(0.5)
        self.top = layers.Dense(3, name="top")

    def call(self, x, training=False):
        x = tf.nn.leaky_relu(self.norm(self.conv(x), training=training))
        x = self.pool(x)
        x = tf.reshape(x, [-1, 4, 8])
        for layer in self.hidden:
            x = layer(x)
        x = self.scale(x + self.attention(x, x, training=training))
        x = self.gru(self.shake(x, training=training))
        return {"logits": self.top(self.dropout(x, training=training)), "state": x}


def train(x, y, learning_rate=1e-3):
    model = Tower()
    model.compile(keras.optimizers.Adam(learning_rate), "mse")
    model.fit(x, y)
