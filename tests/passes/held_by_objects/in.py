import tensorflow as tf
from tensorflow.keras import layers


def build(n=16):
    inputs = tf.keras.Input((8,))
    return tf.keras.Model(inputs, layers.Dense(n)(inputs))


small = build


class Trainer:
    """Holds a model and its optimizer, and is no module itself."""

    def __init__(self, model, loss, learning_rate):
        self.loss = loss
        self.model = model
        self.optimizer = tf.keras.optimizers.Adam(learning_rate)

    @tf.function
    def train_step(self, x, y):
        with tf.GradientTape() as tape:
            loss = self.loss(y, self.model(x, training=True))
        gradients = tape.gradient(loss, self.model.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.model.trainable_variables))
        return loss


class Eager:
    def __init__(self, model):
        self.model = model
        self.optimizer = tf.keras.optimizers.SGD(0.1)

    def step(self, x):
        with tf.GradientTape() as tape:
            x = tf.cast(x, tf.float32)
            loss = tf.reduce_mean(self.model(x))
        gradients = tape.gradient(loss, self.model.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.model.trainable_variables))
