"""Penalties on weights, losses that a layer adds, and a regularizer of the user's own."""
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers, regularizers


class Orthogonal(regularizers.Regularizer):
    def __init__(self, strength=0.01):
        self.strength = strength

    def __call__(self, x):
        gram = tf.matmul(x, x, transpose_a=True)
        return self.strength * tf.reduce_sum(tf.square(gram - tf.eye(gram.shape[0])))

    def get_config(self):
        return {"strength": self.strength}


class Sparse(layers.Layer):
    """Adds a loss where the activity is high."""

    def __init__(self, rate=0.1):
        super().__init__()
        self.rate = rate

    def call(self, inputs):
        self.add_loss(self.rate * tf.reduce_mean(tf.square(inputs)))
        return inputs


class Net(keras.Model):
    def __init__(self, units=3):
        super().__init__()
        self.hidden = layers.Dense(units, activation="tanh", kernel_regularizer=regularizers.l2(0.1))
        self.sparse = Sparse()
        self.out = layers.Dense(2, kernel_regularizer=Orthogonal(0.02), bias_regularizer="l1", bias_initializer="ones")

    def call(self, x):
        return self.out(self.sparse(self.hidden(x)))


def build_net():
    model = Net()
    model(tf.zeros((1, 4)))
    return model


loss_fn = keras.losses.MeanSquaredError()


def train_by_hand(model, optimizer, x, y):
    with tf.GradientTape() as tape:
        loss = loss_fn(y, model(x, training=True))
        # losses that were added during the forward pass
        loss += sum(model.losses)
    gradients = tape.gradient(loss, model.trainable_weights)
    optimizer.apply_gradients(zip(gradients, model.trainable_weights))
    return loss


def train(model, x, y):
    optimizer = keras.optimizers.SGD(0.05)
    losses = [float(train_by_hand(model, optimizer, x, y)) for _ in range(2)]
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse")
    history = model.fit(x, y, batch_size=8, epochs=2, shuffle=False, validation_data=(x, y), verbose=0)
    return losses, history.history
