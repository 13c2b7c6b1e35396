"""DCGAN for 28x28 images, trained with a custom loop."""

import functools
import os
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

# Keras defaults that differ from Flax's.
BatchNorm = functools.partial(nnx.BatchNorm, epsilon=0.001, use_fast_variance=False)
Conv = functools.partial(nnx.Conv, kernel_init=nnx.initializers.glorot_uniform())
ConvTranspose = functools.partial(nnx.ConvTranspose, kernel_init=nnx.initializers.glorot_uniform(), transpose_kernel=True)
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())


class Batches:
    """Batches of arrays; with `shuffle`, every pass over them is in a new order."""

    def __init__(self, arrays, batch_size, *, shuffle=False, drop_remainder=False, seed=0):
        self.arrays, self.batch_size = arrays, batch_size
        self.rows = len(jax.tree.leaves(arrays)[0])
        self.order = np.random.default_rng(seed) if shuffle else None
        self.end = self.rows - batch_size + 1 if drop_remainder else self.rows

    def __len__(self):
        return len(range(0, self.end, self.batch_size))

    def __iter__(self):
        index = self.order.permutation(self.rows) if self.order else np.arange(self.rows)
        for start in range(0, self.end, self.batch_size):
            batch = index[start : start + self.batch_size]
            yield jax.tree.map(lambda array: array[batch], self.arrays)


BUFFER_SIZE = 60000
BATCH_SIZE = 256
NOISE_DIM = 100
EPOCHS = 50
NUM_EXAMPLES = 16


class GeneratorModel(nnx.Module):
    """Noise vector -> image in [-1, 1]."""

    def __init__(self, noise_dim=NOISE_DIM, *, rngs: nnx.Rngs):
        self.dense = Linear(noise_dim, 7 * 7 * 128, use_bias=False, rngs=rngs)
        self.norm1 = BatchNorm(6272, rngs=rngs)
        self.conv1 = ConvTranspose(128, 64, (5, 5), use_bias=False, rngs=rngs)
        self.norm2 = BatchNorm(64, rngs=rngs)
        self.conv2 = ConvTranspose(64, 32, (5, 5), strides=2, use_bias=False, rngs=rngs)
        self.norm3 = BatchNorm(32, rngs=rngs)
        self.conv3 = ConvTranspose(32, 1, (5, 5), strides=2, rngs=rngs)

    def __call__(self, x, *, training=False):
        x = self.dense(x)
        x = self.norm1(x, use_running_average=not training)
        x = nnx.leaky_relu(x, negative_slope=0.3)
        x = jnp.reshape(x, (-1, 7, 7, 128))
        x = self.conv1(x)
        x = self.norm2(x, use_running_average=not training)
        x = nnx.leaky_relu(x, negative_slope=0.3)
        x = self.conv2(x)
        x = self.norm3(x, use_running_average=not training)
        x = nnx.leaky_relu(x, negative_slope=0.3)
        return nnx.tanh(self.conv3(x))


class DiscriminatorModel(nnx.Module):
    """Image -> one logit, positive for real images."""

    def __init__(self, *, rngs: nnx.Rngs):
        self.conv1 = Conv(1, 64, (5, 5), strides=2, rngs=rngs)
        self.dropout1 = nnx.Dropout(0.3, rngs=rngs)
        self.conv2 = Conv(64, 128, (5, 5), strides=2, rngs=rngs)
        self.dropout2 = nnx.Dropout(0.3, rngs=rngs)
        self.dense = Linear(6272, 1, rngs=rngs)

    def __call__(self, x, *, training=False):
        x = self.conv1(x)
        x = nnx.leaky_relu(x, negative_slope=0.2)
        x = self.dropout1(x, deterministic=not training)
        x = self.conv2(x)
        x = nnx.leaky_relu(x, negative_slope=0.2)
        x = self.dropout2(x, deterministic=not training)
        x = x.reshape(x.shape[0], -1)
        return self.dense(x)


rngs = nnx.Rngs(0)
generator = GeneratorModel(rngs=rngs)
discriminator = DiscriminatorModel(rngs=rngs)


# This helper computes the cross entropy from logits.
def cross_entropy(y_true, y_pred):
    return optax.sigmoid_binary_cross_entropy(y_pred, y_true.reshape(y_pred.shape)).mean()


generator_optimizer = nnx.Optimizer(generator, optax.adam(2e-4, b1=0.5, eps=1e-7), wrt=nnx.Param)
discriminator_optimizer = nnx.Optimizer(discriminator, optax.adam(1e-4, b1=0.5, eps=1e-7), wrt=nnx.Param)


def discriminator_loss(real_output, fake_output):
    # one-sided label smoothing
    real_loss = cross_entropy(0.9 * jnp.ones_like(real_output), real_output)
    fake_loss = cross_entropy(jnp.zeros_like(fake_output), fake_output)
    return real_loss + fake_loss


def generator_loss(fake_output):
    return cross_entropy(jnp.ones_like(fake_output), fake_output)


# `tf.function` compiles the step into a graph.
@nnx.jit
def train_step(generator, discriminator, generator_optimizer, discriminator_optimizer, images, *, rngs: nnx.Rngs):
    noise = jax.random.normal(rngs.noise(), [images.shape[0], NOISE_DIM])

    def losses(generator, discriminator):
        generated_images = generator(noise, training=True)

        real_output = discriminator(images, training=True)
        fake_output = discriminator(generated_images, training=True)

        gen_loss = generator_loss(fake_output)
        disc_loss = discriminator_loss(real_output, fake_output)
        return gen_loss, disc_loss

    (gen_loss, disc_loss), backward = nnx.vjp(losses, generator, discriminator, graph_updates=False)
    gradients_of_generator = nnx.state(backward((1.0, 0.0))[0], nnx.Param)
    gradients_of_discriminator = nnx.state(backward((0.0, 1.0))[1], nnx.Param)

    generator_optimizer.update(generator, gradients_of_generator)
    discriminator_optimizer.update(discriminator, gradients_of_discriminator)
    return gen_loss, disc_loss


def generate_and_save_images(model, epoch, test_input, out_dir="samples"):
    # `training=False` so that batch norm runs in inference mode.
    predictions = model(test_input)
    images = (np.asarray(predictions)[..., 0] * 127.5 + 127.5).astype(np.uint8)
    os.makedirs(out_dir, exist_ok=True)
    np.save(os.path.join(out_dir, "image_at_epoch_{:04d}.npy".format(epoch)), images)


def train(dataset, epochs, *, random_seed=0):
    rngs = nnx.Rngs(random_seed)
    # The same seed is used throughout, so that progress can be compared.
    seed = jax.random.normal(rngs.noise(), [NUM_EXAMPLES, NOISE_DIM])
    for epoch in range(epochs):
        start = time.time()
        gen_losses, disc_losses = [], []

        for image_batch in dataset:
            gen_loss, disc_loss = train_step(
                generator, discriminator, generator_optimizer, discriminator_optimizer, image_batch, rngs=rngs
            )
            gen_losses.append(float(gen_loss))
            disc_losses.append(float(disc_loss))

        if (epoch + 1) % 10 == 0:
            generate_and_save_images(generator, epoch + 1, seed)
        print(
            "epoch {}: generator {:.4f}, discriminator {:.4f}, {:.1f} s".format(
                epoch + 1, np.mean(gen_losses), np.mean(disc_losses), time.time() - start
            )
        )


def main(*, seed=0):
    import tensorflow as tf

    (train_images, _), (_, _) = tf.keras.datasets.fashion_mnist.load_data()
    train_images = train_images.reshape(train_images.shape[0], 28, 28, 1).astype("float32")
    train_images = (train_images - 127.5) / 127.5  # Normalize the images to [-1, 1]

    train_dataset = Batches(train_images, BATCH_SIZE, shuffle=True, seed=seed)
    train(train_dataset, EPOCHS)


if __name__ == "__main__":
    main()
