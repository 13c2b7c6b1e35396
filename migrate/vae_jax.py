"""Convolutional variational autoencoder on MNIST, with a custom train_step."""

import functools

import jax
import jax.numpy as jnp
import jax.scipy as jsp
import numpy as np
import optax
from flax import nnx
from tqdm import tqdm

# Keras defaults that differ from Flax's.
Conv = functools.partial(nnx.Conv, kernel_init=nnx.initializers.glorot_uniform())
ConvTranspose = functools.partial(nnx.ConvTranspose, kernel_init=nnx.initializers.glorot_uniform(), transpose_kernel=True)
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())

LATENT_DIM = 2


class Sampling(nnx.Module):
    """Uses (z_mean, z_log_var) to sample z, the vector encoding a digit."""

    def __init__(self, *, rngs: nnx.Rngs):
        self.rngs = rngs.fork()

    def __call__(self, inputs):
        z_mean, z_log_var = inputs
        batch = z_mean.shape[0]
        dim = z_mean.shape[1]
        epsilon = jax.random.normal(self.rngs.noise(), (batch, dim))
        return z_mean + jnp.exp(0.5 * z_log_var) * epsilon


class Encoder(nnx.Module):
    """28x28 image -> mean, log variance and one sample."""

    def __init__(self, latent_dim=LATENT_DIM, *, rngs: nnx.Rngs):
        self.conv1 = Conv(1, 32, (3, 3), strides=2, rngs=rngs)
        self.conv2 = Conv(32, 64, (3, 3), strides=2, rngs=rngs)
        self.dense = Linear(3136, 16, rngs=rngs)
        self.z_mean = Linear(16, latent_dim, rngs=rngs)
        self.z_log_var = Linear(16, latent_dim, rngs=rngs)
        self.sampling = Sampling(rngs=rngs)

    def __call__(self, encoder_inputs):
        x = nnx.relu(self.conv1(encoder_inputs))
        x = nnx.relu(self.conv2(x))
        x = x.reshape(x.shape[0], -1)
        x = nnx.silu(self.dense(x))
        z_mean = self.z_mean(x)
        z_log_var = self.z_log_var(x)
        z = self.sampling([z_mean, z_log_var])
        return [z_mean, z_log_var, z]


class Decoder(nnx.Module):
    """Latent vector -> 28x28 image of probabilities."""

    def __init__(self, latent_dim=LATENT_DIM, *, rngs: nnx.Rngs):
        self.dense = Linear(latent_dim, 7 * 7 * 64, rngs=rngs)
        self.conv1 = ConvTranspose(64, 64, (3, 3), strides=2, rngs=rngs)
        self.conv2 = ConvTranspose(64, 32, (3, 3), strides=2, rngs=rngs)
        self.decoder_conv = ConvTranspose(32, 1, (3, 3), rngs=rngs)

    def __call__(self, latent_inputs):
        x = nnx.relu(self.dense(latent_inputs))
        x = jnp.reshape(x, (-1, 7, 7, 64))
        x = nnx.relu(self.conv1(x))
        x = nnx.relu(self.conv2(x))
        return nnx.sigmoid(self.decoder_conv(x))


class VAE(nnx.Module):
    """Ties an encoder and a decoder together.

    The loss is the negative evidence lower bound, with the KL term weighted by
    `beta` (see beta-VAE, Higgins et al. 2017).
    """

    def __init__(self, encoder, decoder, beta=1.0):
        self.encoder = encoder
        self.decoder = decoder
        self.beta = beta

    def __call__(self, inputs, training=False):
        z_mean, z_log_var, z = self.encoder(inputs)
        return self.decoder(z)

    def compute_losses(self, data, training):
        z_mean, z_log_var, z = self.encoder(data)
        reconstruction = self.decoder(z)
        # sum over the pixels, mean over the batch
        reconstruction_loss = jnp.mean(
            jnp.sum(
                optax.sigmoid_binary_cross_entropy(jsp.special.logit(jnp.clip(reconstruction, 1e-7, 0.9999999)), data).mean(
                    axis=-1
                ),
                axis=(1, 2),
            )
        )
        kl_loss = -0.5 * (1 + z_log_var - jnp.square(z_mean) - jnp.exp(z_log_var))
        kl_loss = jnp.mean(jnp.sum(kl_loss, axis=1))
        return reconstruction_loss + self.beta * kl_loss, reconstruction_loss, kl_loss


def update_trackers(metrics, total_loss, reconstruction_loss, kl_loss):
    metrics.update(total_loss=total_loss, reconstruction_loss=reconstruction_loss, kl_loss=kl_loss)
    return metrics.compute()


@nnx.jit
def train_step(model, optimizer, metrics, data):
    def loss_fn(model):
        total_loss, reconstruction_loss, kl_loss = model.compute_losses(data, training=True)
        return total_loss, (reconstruction_loss, kl_loss)

    (total_loss, (reconstruction_loss, kl_loss)), grads = nnx.value_and_grad(loss_fn, has_aux=True)(model)
    optimizer.update(model, grads)
    return update_trackers(metrics, total_loss, reconstruction_loss, kl_loss)


@nnx.jit
def test_step(model, metrics, data):
    losses = model.compute_losses(data, training=False)
    return update_trackers(metrics, *losses)


def sample_grid(vae, n=10, scale=1.0):
    """Decodes an n x n grid of the (two-dimensional) latent space into one picture."""
    figure = np.zeros((28 * n, 28 * n))
    grid_x = np.linspace(-scale, scale, n)
    grid_y = np.linspace(-scale, scale, n)[::-1]
    for i, yi in enumerate(grid_y):
        for j, xi in enumerate(grid_x):
            z_sample = np.array([[xi, yi]], dtype="float32")
            digit = vae.decoder(z_sample)[0, :, :, 0]
            figure[i * 28 : (i + 1) * 28, j * 28 : (j + 1) * 28] = digit
    return figure


def make_metrics():
    return nnx.MultiMetric(
        total_loss=nnx.metrics.Average("total_loss"),
        reconstruction_loss=nnx.metrics.Average("reconstruction_loss"),
        kl_loss=nnx.metrics.Average("kl_loss"),
    )


def train(x_train, epochs=30, batch_size=128, *, seed=0):
    rngs = nnx.Rngs(seed)
    vae = VAE(Encoder(rngs=rngs), Decoder(rngs=rngs))
    optimizer = nnx.Optimizer(vae, optax.adam(1e-3, eps=1e-7), wrt=nnx.Param)
    metrics = make_metrics()
    order = np.random.default_rng(seed)
    for epoch in range(epochs):
        metrics.reset()
        shuffled = order.permutation(len(x_train))
        for start in tqdm(range(0, len(x_train), batch_size), desc=f"epoch {epoch + 1}/{epochs}"):
            batch = shuffled[start : start + batch_size]
            results = train_step(vae, optimizer, metrics, x_train[batch])
        print({name: float(value) for name, value in results.items()})
    return vae


def evaluate(model, x, batch_size=32):
    metrics = make_metrics()
    for start in range(0, len(x), batch_size):
        results = test_step(model, metrics, x[start : start + batch_size])
    return {name: float(value) for name, value in results.items()}


if __name__ == "__main__":
    from tensorflow import keras

    (x_train, _), (x_test, _) = keras.datasets.mnist.load_data()
    x_train = np.expand_dims(x_train, -1).astype("float32") / 255
    x_test = np.expand_dims(x_test, -1).astype("float32") / 255

    vae = train(x_train)
    print(evaluate(vae, x_test, 256))
    np.save("latent_grid.npy", sample_grid(vae))
