"""Two models that are trained by one step, each with an optimizer of its own."""

import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

forger = keras.Sequential([layers.Input((4,)), layers.Dense(6), layers.BatchNormalization(), layers.Dense(5)])
critic = keras.Sequential([layers.Input((5,)), layers.Dense(7, activation="tanh"), layers.Dense(1)])

forger_optimizer = keras.optimizers.Adam(1e-3)
critic_optimizer = keras.optimizers.SGD(1e-2, momentum=0.9)


@tf.function
def train_step(real):
    noise = tf.random.normal([tf.shape(real)[0], 4])
    with tf.GradientTape() as forger_tape, tf.GradientTape() as critic_tape:
        fake = forger(noise, training=True)
        forger_loss = tf.reduce_mean(tf.square(critic(fake) - 1.0))
        critic_loss = tf.reduce_mean(tf.square(critic(fake))) + tf.reduce_mean(tf.square(critic(real) - 1.0))
    forger_gradients = forger_tape.gradient(forger_loss, forger.trainable_variables)
    critic_gradients = critic_tape.gradient(critic_loss, critic.trainable_variables)
    forger_optimizer.apply_gradients(zip(forger_gradients, forger.trainable_variables, strict=True))
    critic_optimizer.apply_gradients(zip(critic_gradients, critic.trainable_variables, strict=True))
    return {"forger": forger_loss, "critic": critic_loss}


def loss_of(model, samples, targets):
    return tf.reduce_mean(tf.square(model(samples, training=True) - targets))


def fit_step(model, samples, targets, learning_rate):
    with tf.GradientTape() as tape:
        loss = loss_of(model, samples, targets)
    gradients = tape.gradient(loss, model.trainable_variables)
    for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
        variable.assign_sub(learning_rate * gradient)
    return loss


def train(dataset):
    for real in dataset:
        train_step(real)


def train_inline(dataset):
    for real in dataset:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(critic(real))
        gradients = tape.gradient(loss, critic.trainable_weights)
        critic_optimizer.apply_gradients(zip(gradients, critic.trainable_weights, strict=True))


class Trainer:
    def step(self, real):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(critic(real))
        critic_optimizer.minimize(loss, critic.trainable_weights, tape=tape)
