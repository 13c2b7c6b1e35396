"""A critic with a gradient penalty: a method with a tape of its own, within the tape of the step."""
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers


def make_generator():
    return keras.Sequential([keras.Input((4,)), layers.Dense(5, activation="tanh"), layers.Dense(4)])


def make_critic():
    inputs = keras.Input((4,))
    x = layers.Dense(6)(inputs)
    x = layers.LeakyReLU(0.2)(x)
    return keras.Model(inputs, layers.Dense(1)(x))


class Adversaries(keras.Model):
    def __init__(self, critic, generator, steps=2, weight=10.0):
        super().__init__()
        self.critic = critic
        self.generator = generator
        self.steps = steps
        self.weight = weight

    def compile(self, c_optimizer, g_optimizer, c_loss_fn, g_loss_fn):
        super().compile()
        self.c_optimizer = c_optimizer
        self.g_optimizer = g_optimizer
        self.c_loss_fn = c_loss_fn
        self.g_loss_fn = g_loss_fn

    def call(self, x):
        return self.critic(x), self.generator(x)

    def gradient_penalty(self, real, fake):
        between = 0.5 * real + 0.5 * fake
        with tf.GradientTape() as tape:
            tape.watch(between)
            score = self.critic(between, training=True)
        gradients = tape.gradient(score, [between])[0]
        norm = tf.sqrt(tf.reduce_sum(tf.square(gradients), axis=[1]))
        return tf.reduce_mean((norm - 1.0) ** 2)

    def train_step(self, real):
        if isinstance(real, tuple):
            real = real[0]
        for _ in range(self.steps):
            with tf.GradientTape() as tape:
                fake = self.generator(real, training=True)
                cost = self.c_loss_fn(real=self.critic(real, training=True), fake=self.critic(fake, training=True))
                c_loss = cost + self.weight * self.gradient_penalty(real, fake)
            gradients = tape.gradient(c_loss, self.critic.trainable_variables)
            self.c_optimizer.apply_gradients(zip(gradients, self.critic.trainable_variables))

        with tf.GradientTape() as tape:
            g_loss = self.g_loss_fn(self.critic(self.generator(real, training=True), training=True))
        gradients = tape.gradient(g_loss, self.generator.trainable_variables)
        self.g_optimizer.apply_gradients(zip(gradients, self.generator.trainable_variables))
        return {"c_loss": c_loss, "g_loss": g_loss}


def critic_loss(real, fake):
    return tf.reduce_mean(fake) - tf.reduce_mean(real)


def generator_loss(fake):
    return -tf.reduce_mean(fake)


def train(model, x):
    model.compile(
        c_optimizer=keras.optimizers.SGD(0.05),
        g_optimizer=keras.optimizers.SGD(0.05),
        c_loss_fn=critic_loss,
        g_loss_fn=generator_loss,
    )
    return model.fit(x, batch_size=11, epochs=2, shuffle=False, verbose=0).history


def build_adversaries():
    return Adversaries(make_critic(), make_generator())
