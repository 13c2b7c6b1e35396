"""Classes that inherit from classes of the file, call their methods, and set themselves up in a method."""
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers


class Encoder(layers.Layer):
    activation = "tanh"

    def __init__(self, hidden, rate=0.1, **kwargs):
        super().__init__(**kwargs)
        self.hidden = hidden
        self.encoder = layers.Dense(hidden, activation="tanh")
        self.drop = layers.Dropout(rate)

    def encode(self, x, training=False):
        """What derived classes share."""
        return self.drop(self.encoder(x), training=training)

    def call(self, x, training=False):
        return self.encode(x, training=training)


class Wide(Encoder):
    """Twice as wide as asked."""

    def __init__(self, classes, **kwargs):
        # the base keeps what it is told
        super().__init__(2 * classes, rate=0.2, **kwargs)
        self.out = layers.Dense(classes)

    def call(self, x, training=False):
        return self.out(super().call(x, training=training))


class Wider(Wide):
    def call(self, x, training=False):
        return tf.nn.relu(super().call(x, training=training))


class Base(layers.Layer):
    def __init__(self, units):
        super().__init__()
        self.dense = layers.Dense(units)
        self.norm = layers.LayerNormalization()


class Residual(Base):
    def call(self, x):
        return self.norm(x + self.dense(x))


class Block(layers.Layer):
    expansion = 2

    def __init__(self, units):
        super().__init__()
        self.units = units
        self._build_layers()

    def _build_layers(self):
        self.inner = layers.Dense(self.units * self.expansion, activation="relu")
        self.outer = layers.Dense(self.units)

    def build(self, input_shape):
        if input_shape[-1] != self.units:
            self.shortcut = layers.Dense(self.units)
        else:
            self.shortcut = None

    def call(self, x):
        shortcut = x if self.shortcut is None else self.shortcut(x)
        return shortcut + self.outer(self.inner(x))


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.first = Wider(4)
        self.second = Residual(4)
        self.third = Block(3)
        self.heads = {name: layers.Dense(2) for name in ("a", "b")}

    def call(self, x, training=False):
        x = self.third(self.second(self.first(x, training=training)))
        return {name: head(x) for name, head in self.heads.items()}


def build_net():
    model = Net()
    model.build((None, 5))
    return model
