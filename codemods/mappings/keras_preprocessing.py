"""Preprocessing layers of `tf.keras.layers` that compute on tensors."""

import jax
import jax.numpy as jnp
from flax import nnx

from codemods.engine.rule import Difference, f32, i32, known, layer, refuse, sample


@layer(
    "tf.keras.layers.Rescaling",
    "tf.keras.layers.experimental.preprocessing.Rescaling",
    samples=[sample(1 / 255, x=f32(2, 3)), sample(scale=2.0, offset=-1.0, x=f32(2, 3))],
)
class Rescaling:
    keeps_mask = "always"

    def make(scale, offset=0.0):
        return None

    def call(layer, inputs, *, scale, offset):
        if known(offset) and offset == 0:
            return inputs * scale
        if known(offset) and offset < 0:
            return inputs * scale - -offset
        return inputs * scale + offset


@layer("tf.keras.layers.Masking", samples=[sample(x=f32(2, 3, 4)), sample(mask_value=1.5, x=f32(2, 3, 4))])
class Masking:
    def make(mask_value=0.0):
        return None

    def call(layer, inputs, *, mask_value):
        return inputs * jnp.any(inputs != mask_value, axis=-1, keepdims=True)


@layer(
    "tf.keras.layers.Resizing",
    "tf.keras.layers.experimental.preprocessing.Resizing",
    samples=[
        sample(6, 4, x=f32(2, 3, 5, 2)),
        sample(2, 3, x=f32(2, 4, 7, 2)),
    ],
)
class Resizing:
    def make(height, width, interpolation="bilinear", crop_to_aspect_ratio=False, pad_to_aspect_ratio=False,
             fill_mode="constant", fill_value=0.0, antialias=False, data_format=None):  # fmt: skip
        if data_format == "channels_first" or crop_to_aspect_ratio or pad_to_aspect_ratio:
            refuse("Resizing that keeps the aspect ratio, or with channels first")
        if interpolation != "bilinear":
            refuse("this interpolation: jax.image.resize weighs its neighbours otherwise")
        return None

    def call(layer, data, *, height, width, antialias):
        return jax.image.resize(data, (data.shape[0], height, width, data.shape[-1]), "bilinear", antialias=antialias)

    def shape(x, *, height, width):
        return (x.shape[0], height, width, x.shape[-1])


_DRAWS = [Difference("in training", "other numbers are drawn, from the same distribution")]


class GaussianNoise(nnx.Module):
    """Adds normal noise in training."""

    def __init__(self, stddev, *, rngs: nnx.Rngs):
        self.stddev = stddev
        self.rngs = rngs.fork()

    def __call__(self, x, *, deterministic=False):
        return x if deterministic else x + self.stddev * jax.random.normal(self.rngs.noise(), x.shape, x.dtype)


@layer("tf.keras.layers.GaussianNoise", differences=_DRAWS, samples=[sample(0.5, x=f32(8, 64, low=1))])
class GaussianNoiseRule:
    helpers = (GaussianNoise,)
    keeps_mask = "always"

    def make(stddev, seed=None, *, rngs):
        return GaussianNoise(stddev, rngs=rngs)

    def call(layer, inputs, *, training):
        return layer(inputs, deterministic=not training)


class GaussianDropout(nnx.Module):
    """Multiplies by normal noise of mean 1 in training."""

    def __init__(self, rate, *, rngs: nnx.Rngs):
        self.stddev = (rate / (1 - rate)) ** 0.5
        self.rngs = rngs.fork()

    def __call__(self, x, *, deterministic=False):
        return x if deterministic else x * (1 + self.stddev * jax.random.normal(self.rngs.noise(), x.shape, x.dtype))


@layer("tf.keras.layers.GaussianDropout", differences=_DRAWS, samples=[sample(0.3, x=f32(8, 64, low=1))])
class GaussianDropoutRule:
    helpers = (GaussianDropout,)
    keeps_mask = "always"

    def make(rate, seed=None, *, rngs):
        return GaussianDropout(rate, rngs=rngs)

    def call(layer, inputs, *, training):
        return layer(inputs, deterministic=not training)


@layer("tf.keras.layers.CategoryEncoding", samples=[
    sample(5, output_mode="one_hot", x=i32(4, high=5)), sample(num_tokens=6, x=i32(4, 3, high=6)),
    sample(6, output_mode="count", x=i32(4, 3, high=6)),
])  # fmt: skip
class CategoryEncoding:
    def make(num_tokens=None, output_mode="multi_hot", sparse=False):
        if sparse:
            refuse("sparse output")
        return None

    def call(layer, inputs, count_weights=None, *, num_tokens, output_mode):
        if count_weights is not None:
            refuse("count_weights")
        if output_mode == "one_hot":
            return jax.nn.one_hot(inputs, num_tokens)
        if output_mode == "count":
            return jax.nn.one_hot(inputs, num_tokens).sum(axis=-2)
        return jax.nn.one_hot(inputs, num_tokens).max(axis=-2)

    def shape(x, *, num_tokens, output_mode):
        return (*x.shape, num_tokens) if output_mode == "one_hot" else (*x.shape[:-1], num_tokens)
