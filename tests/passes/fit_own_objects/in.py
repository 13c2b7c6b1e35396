"""A loss, a metric, a function as a metric, and a schedule of the user's own."""
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import backend as K


class FocalLoss(keras.losses.Loss):
    """Counts what is easy less."""

    def __init__(self, gamma=2.0, name="focal_loss", **kwargs):
        super().__init__(name=name, **kwargs)
        self.gamma = gamma

    def call(self, y_true, y_pred):
        y_true = tf.cast(y_true, tf.float32)
        p = tf.clip_by_value(y_pred, K.epsilon(), 1.0 - K.epsilon())
        pt = tf.where(tf.equal(y_true, 1.0), p, 1.0 - p)
        return -tf.pow(1.0 - pt, self.gamma) * tf.math.log(pt)


class F1(keras.metrics.Metric):
    def __init__(self, threshold=0.5, name="f1", **kwargs):
        super().__init__(name=name, **kwargs)
        self.threshold = threshold
        self.hits = self.add_weight(name="hits", initializer="zeros")
        self.misses = self.add_weight(name="misses", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true = tf.cast(y_true, tf.float32)
        chosen = tf.cast(y_pred > self.threshold, tf.float32)
        self.hits.assign_add(tf.reduce_sum(y_true * chosen))
        self.misses.assign_add(tf.reduce_sum(tf.abs(y_true - chosen)))

    def result(self):
        return 2.0 * self.hits / (2.0 * self.hits + self.misses + K.epsilon())

    def reset_state(self):
        self.hits.assign(0.0)
        self.misses.assign(0.0)


class Warmup(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, rate, steps):
        super().__init__()
        self.rate = rate
        self.steps = steps

    def __call__(self, step):
        step = tf.cast(step, tf.float32)
        return self.rate * tf.minimum(1.0, (step + 1.0) / self.steps)


def mean_output(y_true, y_pred):
    return tf.reduce_mean(y_pred)


def build_net():
    inputs = keras.Input((4,))
    x = keras.layers.Dense(5, activation="relu")(inputs)
    return keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(x))


def train(model, x, y):
    optimizer = keras.optimizers.SGD(Warmup(0.5, 5))
    model.compile(optimizer=optimizer, loss=FocalLoss(gamma=1.5), metrics=[F1(), "accuracy", mean_output])
    return model.fit(x, y, batch_size=11, epochs=3, shuffle=False, verbose=0).history
