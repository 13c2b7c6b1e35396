import tensorflow as tf
from tensorflow import keras


def build_net():
    inputs = keras.Input((4,))
    return keras.Model(inputs, keras.layers.Dense(2)(keras.layers.BatchNormalization()(keras.layers.Dense(3)(inputs))))


class Regressor(keras.Model):
    def __init__(self, net, weight=0.5):
        super().__init__()
        self.net = net
        self.weight = weight
        self.loss_tracker = keras.metrics.Mean(name="loss")
        self.mae_tracker = keras.metrics.MeanAbsoluteError(name="mae")

    def call(self, x, training=False):
        return self.net(x, training=training)

    @property
    def metrics(self):
        return [self.loss_tracker, self.mae_tracker]

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            # the model in training mode
            predictions = self(x, training=True)
            loss = self.weight * tf.reduce_mean(tf.square(predictions - y))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
        self.loss_tracker.update_state(loss)
        self.mae_tracker.update_state(y, predictions)
        return {"loss": self.loss_tracker.result(), "mae": self.mae_tracker.result()}

    def test_step(self, data):
        x, y = data
        predictions = self(x)
        self.loss_tracker.update_state(tf.reduce_mean(tf.square(predictions - y)))
        self.mae_tracker.update_state(y, predictions)
        return {m.name: m.result() for m in self.metrics}


def train(model, x, y):
    model.compile(keras.optimizers.SGD(0.1))
    history = model.fit(x, y, epochs=2, batch_size=4, shuffle=False, validation_data=(x, y), verbose=0)
    return history.history
