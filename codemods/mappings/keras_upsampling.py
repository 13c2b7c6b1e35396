"""Upsampling layers of `tf.keras.layers`."""

import jax
import jax.numpy as jnp

from codemods.engine.rule import Difference, f32, inline, known, layer, refuse, sample
from codemods.engine.touching import equal
from codemods.mappings.keras_conv import pair, triple
from codemods.mappings.keras_reshaping import repeated


@layer("tf.keras.layers.UpSampling1D", samples=[sample(x=f32(2, 3, 4)), sample(size=3, x=f32(2, 3, 4))])
class UpSampling1D:
    def make(size=2):
        return None

    def call(layer, inputs, *, size):
        return jnp.repeat(inputs, size, axis=1)

    def shape(x, *, size):
        return repeated(x.shape, size)


@inline
def repeat_pair(inputs, sizes):
    if known(sizes[1] == 1) and sizes[1] == 1:
        return jnp.repeat(inputs, sizes[0], axis=1)
    if known(sizes[0] == 1) and sizes[0] == 1:
        return jnp.repeat(inputs, sizes[1], axis=2)
    return jnp.repeat(jnp.repeat(inputs, sizes[0], axis=1), sizes[1], axis=2)


@inline
def resize_pair(inputs, sizes, method):
    return jax.image.resize(
        inputs, (inputs.shape[0], sizes[0] * inputs.shape[1], sizes[1] * inputs.shape[2], inputs.shape[3]), method
    )


OTHERWISE = Difference(
    "interpolation `bicubic` or `gaussian`, where the value is not known when porting",
    "jax.image.resize weighs its neighbours otherwise than Keras",
    at=equal("interpolation", "bicubic"),
)


@layer("tf.keras.layers.UpSampling2D", samples=[
    sample(x=f32(2, 3, 4, 2)), sample((2, 3), x=f32(2, 3, 4, 2)),
    sample(3, interpolation="bilinear", x=f32(2, 3, 4, 2)),
    sample(size=(1, 2), interpolation="nearest", x=f32(2, 3, 4, 2)),
    sample(interpolation="lanczos3", x=f32(2, 7, 8, 2)),
], differences=[OTHERWISE])  # fmt: skip
class UpSampling2D:
    def make(size=(2, 2), data_format=None, interpolation="nearest"):
        if data_format == "channels_first":
            refuse("channels_first: JAX's layers keep channels last")
        if known(interpolation) and interpolation not in ("nearest", "bilinear", "lanczos3", "lanczos5"):
            refuse("this interpolation: jax.image.resize weighs its neighbours otherwise")
        return None

    def call(layer, inputs, *, size, interpolation):
        if known(interpolation) and interpolation == "nearest":
            return repeat_pair(inputs, pair(size))
        return resize_pair(inputs, pair(size), interpolation)

    def shape(x, *, size):
        return repeated(x.shape, size)


@layer("tf.keras.layers.UpSampling3D", samples=[sample(x=f32(1, 2, 3, 4, 2)), sample((1, 2, 3), x=f32(1, 2, 3, 4, 2))])
class UpSampling3D:
    def make(size=(2, 2, 2), data_format=None):
        if data_format == "channels_first":
            refuse("channels_first: JAX's layers keep channels last")
        return None

    def call(layer, inputs, *, size):
        return jnp.repeat(repeat_pair(inputs, triple(size)), triple(size)[2], axis=3)

    def shape(x, *, size):
        return repeated(x.shape, size)
