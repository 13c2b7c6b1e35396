import tensorflow as tf
from tensorflow.keras import layers


def build_generator():
    z = tf.keras.Input((3,))
    return tf.keras.Model(z, layers.Dense(4)(layers.BatchNormalization()(layers.Dense(5)(z))))


def build_critic():
    x = tf.keras.Input((4,))
    return tf.keras.Model(x, layers.Dense(1)(layers.BatchNormalization()(layers.Dense(6)(x))))


def train(generator, critic, noise, real):
    generator_optimizer = tf.keras.optimizers.SGD(0.1)
    critic_optimizer = tf.keras.optimizers.SGD(0.2, momentum=0.5)
    found = []
    for _ in range(3):
        with tf.GradientTape(persistent=True) as tape:
            fake = generator(noise, training=True)
            fake_score = critic(fake, training=True)
            real_score = critic(real, training=True)
            generator_loss = -tf.reduce_mean(fake_score)
            critic_loss = tf.reduce_mean(fake_score) - tf.reduce_mean(real_score) + 0.1 * tf.reduce_mean(real_score**2)
        generator_gradients = tape.gradient(generator_loss, generator.trainable_variables)
        critic_gradients = tape.gradient(critic_loss, critic.trainable_variables)
        del tape
        generator_optimizer.apply_gradients(zip(generator_gradients, generator.trainable_variables))
        critic_optimizer.apply_gradients(zip(critic_gradients, critic.trainable_variables))
        found.append([float(generator_loss), float(critic_loss)])
    return found
