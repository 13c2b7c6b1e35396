"""`compile` of the user's own: losses, numbers, metrics, and optimizers for parts of the model."""
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers


def make_student():
    return keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="relu"), layers.Dense(3)])


def make_teacher():
    return keras.Sequential([keras.Input((4,)), layers.Dense(8, activation="relu"), layers.Dense(3)])


class Distiller(keras.Model):
    def __init__(self, student, teacher):
        super().__init__()
        self.student = student
        self.teacher = teacher
        self.probe = keras.Sequential([keras.Input((3,)), layers.Dense(1)])

    def compile(self, optimizer, probe_optimizer, student_loss_fn, alpha=0.1, temperature=3):
        """Configure the distiller.

        Args:
            alpha: weight of the labels
            temperature: softens the probabilities
        """
        super().compile(optimizer=optimizer)
        self.probe_optimizer = probe_optimizer
        self.student_loss_fn = student_loss_fn
        self.probe_loss_fn = keras.losses.MeanSquaredError()
        self.alpha = alpha
        self.temperature = temperature
        self.loss_tracker = keras.metrics.Mean(name="loss")
        self.probe_tracker = keras.metrics.Mean(name="probe_loss")

    @property
    def metrics(self):
        return [self.loss_tracker, self.probe_tracker]

    def call(self, x):
        return self.probe(self.student(x)), self.teacher(x)

    def distance(self, teacher_logits, student_logits):
        soft = tf.nn.softmax(teacher_logits / self.temperature, axis=1)
        return tf.reduce_mean(tf.square(soft - tf.nn.softmax(student_logits / self.temperature, axis=1)))

    def train_step(self, data):
        x, y = data
        teacher_logits = self.teacher(x, training=False)
        with tf.GradientTape() as tape:
            logits = self.student(x, training=True)
            distance = self.distance(teacher_logits, logits)
            loss = self.alpha * self.student_loss_fn(y, logits) + (1 - self.alpha) * distance
        gradients = tape.gradient(loss, self.student.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.student.trainable_variables))

        # a probe that reads the student, and moves it a little
        with tf.GradientTape() as tape:
            outputs = self.probe(self.student(x, training=True))
            probe_loss = self.probe_loss_fn(tf.ones_like(outputs), outputs)
        variables = self.student.trainable_variables + self.probe.trainable_variables
        gradients = tape.gradient(probe_loss, variables)
        self.probe_optimizer.apply_gradients(zip(gradients, variables))

        self.loss_tracker.update_state(loss)
        self.probe_tracker.update_state(probe_loss)
        return {m.name: m.result() for m in self.metrics}


def train(model, x, y):
    model.compile(
        optimizer=keras.optimizers.SGD(0.1),
        probe_optimizer=keras.optimizers.Adam(0.01),
        student_loss_fn=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        temperature=2,
    )
    return model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0).history


def build_distiller():
    return Distiller(make_student(), make_teacher())
