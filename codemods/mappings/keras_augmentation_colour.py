"""Augmentation layers of `tf.keras.layers` that change the values of pixels, and crops."""

import jax
import jax.numpy as jnp
from flax import nnx

from codemods.engine.rule import Difference, f32, layer, refuse, sample
from codemods.engine.touching import on_keras2
from codemods.mappings.keras_augmentation import DIFFERENCES, FIRST, IMAGES, augmented, high_of, low_of


class RandomContrast(nnx.Module):
    """Scales each image's distance from the mean of its channels in training."""

    def __init__(self, low, high, value_range=(0, 255), *, rngs: nnx.Rngs):
        self.low, self.high, self.value_range = low, high, value_range
        self.rngs = rngs.fork()

    def __call__(self, x, *, deterministic=False):
        if deterministic:
            return x
        factor = jax.random.uniform(self.rngs.noise(), (len(x), 1, 1, 1), minval=self.low, maxval=self.high)
        mean = x.mean(axis=(1, 2), keepdims=True)
        return jnp.clip((x - mean) * factor + mean, *self.value_range)


@layer(
    "tf.keras.layers.RandomContrast", "tf.keras.layers.experimental.preprocessing.RandomContrast",
    differences=[*DIFFERENCES, Difference("one factor, on Keras 2", "lowers the contrast as often; Keras 3 only raises it", at=on_keras2)],
    samples=[sample(0.4, x=IMAGES), sample((0.2, 0.8), (0.0, 1.0), x=f32(6, 8, 6, 3, low=0, high=1))],
)  # fmt: skip
class RandomContrastRule:
    helpers = (RandomContrast,)

    def make(factor, value_range=(0, 255), seed=None, *, rngs):
        if isinstance(factor, (list, tuple)):
            return RandomContrast(1 - factor[0], 1 + factor[1], value_range=value_range, rngs=rngs)
        return RandomContrast(1.0, 1 + factor, value_range=value_range, rngs=rngs)

    def call(layer, images, *, training):
        return augmented(layer, images, training)


class RandomBrightness(nnx.Module):
    """Adds a number to each image in training, drawn as a share of the range of values."""

    def __init__(self, low, high, value_range=(0, 255), *, rngs: nnx.Rngs):
        self.low, self.high, self.value_range = low, high, value_range
        self.rngs = rngs.fork()

    def __call__(self, x, *, deterministic=False):
        if deterministic:
            return x
        share = jax.random.uniform(self.rngs.noise(), (len(x), 1, 1, 1), minval=self.low, maxval=self.high)
        return jnp.clip(x + share * (self.value_range[1] - self.value_range[0]), *self.value_range)


@layer(
    "tf.keras.layers.RandomBrightness", differences=DIFFERENCES,
    samples=[sample(0.4, x=IMAGES), sample((0.1, 0.3), (0.0, 1.0), x=f32(6, 8, 6, 3, low=0, high=1))],
)  # fmt: skip
class RandomBrightnessRule:
    helpers = (RandomBrightness,)

    def make(factor, value_range=(0, 255), seed=None, *, rngs):
        return RandomBrightness(low_of(factor), high_of(factor), value_range=value_range, rngs=rngs)

    def call(layer, images, *, training):
        return augmented(layer, images, training)


@layer(
    "tf.keras.layers.CenterCrop", "tf.keras.layers.experimental.preprocessing.CenterCrop",
    samples=[sample(4, 5, x=f32(2, 8, 6, 3)), sample(height=8, width=3, x=f32(2, 8, 6, 3))],
)  # fmt: skip
class CenterCrop:
    def make(height, width, data_format=None, *, x):
        if data_format == "channels_first":
            refuse(FIRST)
        return None

    def call(layer, images, *, height, width):
        top, left = (images.shape[-3] - height) // 2, (images.shape[-2] - width) // 2
        return images[..., top : top + height, left : left + width, :]

    def shape(x, *, height, width):
        return (*x.shape[:-3], height, width, x.shape[-1])


@layer("tf.keras.layers.RandomCrop", "tf.keras.layers.experimental.preprocessing.RandomCrop", samples=[])
class RandomCrop:
    def make(height, width, seed=None, data_format=None, name=None):
        refuse(
            "Keras 3 crops in training only: crop in the input pipeline, or with lax.dynamic_slice at a random corner"
        )


class AlphaDropout(nnx.Module):
    """Dropout that keeps the mean and deviation of inputs to SELU in training."""

    def __init__(self, rate, *, rngs: nnx.Rngs):
        self.rate = rate
        self.rngs = rngs.fork()

    def __call__(self, x, *, deterministic=False):
        if deterministic or not self.rate:
            return x
        low = -1.6732632423543772 * 1.0507009873554805  # what SELU goes to for large negative inputs
        scale = ((1 - self.rate) * (1 + self.rate * low**2)) ** -0.5
        kept = jax.random.bernoulli(self.rngs.dropout(), 1 - self.rate, x.shape)
        return scale * (jnp.where(kept, x, low) - low * self.rate)


@layer("tf.keras.layers.AlphaDropout", differences=DIFFERENCES[:1], samples=[sample(0.3, x=f32(8, 64))])
class AlphaDropoutRule:
    helpers = (AlphaDropout,)
    keeps_mask = "always"

    def make(rate, noise_shape=None, seed=None, *, rngs):
        if noise_shape is not None:
            refuse("AlphaDropout with a noise_shape")
        return AlphaDropout(rate, rngs=rngs)

    def call(layer, inputs, *, training):
        return layer(inputs, deterministic=not training)
