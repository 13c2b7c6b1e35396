"""Colours of images: HSV, YUV and YIQ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
from flax import nnx

from codemods.engine.rule import f32, rule, sample
from codemods.mappings.differences import HALF, NAN, NO_GRADIENT
from codemods.mappings.tf_image import INTEGER_IMAGES
from codemods.mappings.tf_nn import RANDOM

if TYPE_CHECKING:
    rngs = nnx.Rngs(0)

COLOURS = f32(3, 4, 3, low=0, high=1)


def rgb_to_hsv(rgb: jax.Array) -> jax.Array:
    """Hue, saturation and value of colours, all in [0, 1]."""
    red, green, blue = jnp.moveaxis(rgb, -1, 0)
    value = jnp.max(rgb, axis=-1)
    chroma = value - jnp.min(rgb, axis=-1)
    scale = jnp.where(chroma > 0, chroma, 1)
    other = jnp.where(value == green, 2 + (blue - red) / scale, 4 + (red - green) / scale)
    hue = jnp.where(value == red, (green - blue) / scale, other) / 6 % 1
    saturation = jnp.where(value > 0, chroma / jnp.where(value > 0, value, 1), 0)
    return jnp.stack([jnp.where(chroma > 0, hue, 0), saturation, value], axis=-1)


def hsv_to_rgb(hsv: jax.Array) -> jax.Array:
    """Colours of hue, saturation and value, all in [0, 1]."""
    hue, saturation, value = jnp.moveaxis(hsv, -1, 0)
    distance = jnp.abs(6 * hue[..., None] - jnp.array([3.0, 2.0, 4.0]))
    pure = jnp.clip(jnp.array([-1.0, 2.0, 2.0]) + distance * jnp.array([1.0, -1.0, -1.0]), 0, 1)
    return (1 + saturation[..., None] * (pure - 1)) * value[..., None]


def scale_saturation(rgb: jax.Array, factor: jax.Array | float) -> jax.Array:
    """Colours with the saturation multiplied by a factor."""
    hsv = rgb_to_hsv(rgb)
    return hsv_to_rgb(hsv.at[..., 1].set(jnp.clip(hsv[..., 1] * factor, 0, 1)))


def turn_hue(rgb: jax.Array, delta: jax.Array | float) -> jax.Array:
    """Colours with the hue turned by a part of the circle."""
    hsv = rgb_to_hsv(rgb)
    return hsv_to_rgb(hsv.at[..., 0].set((hsv[..., 0] + delta) % 1))


@rule("tf.image.rgb_to_hsv", helpers=(rgb_to_hsv,), samples=[sample(COLOURS), sample(f32(5, 3, low=0, high=1))])
def to_hsv(images, name=None):
    return rgb_to_hsv(images)


@rule(
    "tf.image.hsv_to_rgb",
    helpers=(hsv_to_rgb,),
    samples=[sample(COLOURS), sample(f32(5, 3, low=0, high=1))],
    differences=[NO_GRADIENT, HALF],
)
def to_rgb(images, name=None):
    return hsv_to_rgb(images)


@rule(
    "tf.image.adjust_saturation",
    helpers=(rgb_to_hsv, hsv_to_rgb, scale_saturation),
    samples=[sample(COLOURS, 0.5), sample(COLOURS, saturation_factor=1.7)],
    differences=[HALF, INTEGER_IMAGES, NAN],
)
def adjust_saturation(image, saturation_factor, name=None):
    return scale_saturation(image, saturation_factor)


@rule(
    "tf.image.adjust_hue",
    helpers=(rgb_to_hsv, hsv_to_rgb, turn_hue),
    samples=[sample(COLOURS, 0.2), sample(COLOURS, delta=-0.4)],
    differences=[HALF, INTEGER_IMAGES, NAN],
)
def adjust_hue(image, delta, name=None):
    return turn_hue(image, delta)


@rule(
    "tf.image.random_saturation",
    helpers=(rgb_to_hsv, hsv_to_rgb, scale_saturation),
    samples=[sample(COLOURS, 0.5, 1.5), sample(COLOURS, lower=0.9, upper=1.1, seed=1)],
    differences=[RANDOM, HALF, INTEGER_IMAGES],
    random=True,
)
def random_saturation(image, lower, upper, seed=None):
    return scale_saturation(image, jax.random.uniform(rngs.noise(), minval=lower, maxval=upper))


@rule(
    "tf.image.random_hue",
    helpers=(rgb_to_hsv, hsv_to_rgb, turn_hue),
    samples=[sample(COLOURS, 0.1), sample(COLOURS, max_delta=0.3, seed=1)],
    differences=[RANDOM, HALF, INTEGER_IMAGES],
    random=True,
)
def random_hue(image, max_delta, seed=None):
    return turn_hue(image, jax.random.uniform(rngs.noise(), minval=-max_delta, maxval=max_delta))


@rule("tf.image.rgb_to_yuv", samples=[sample(COLOURS)], differences=[HALF])
def rgb_to_yuv(images):
    return images @ jnp.array([
        [0.299, -0.14714119, 0.61497538], [0.587, -0.28886916, -0.51496512], [0.114, 0.43601035, -0.10001026],
    ])  # fmt: skip


@rule("tf.image.yuv_to_rgb", samples=[sample(COLOURS)], differences=[HALF])
def yuv_to_rgb(images):
    return images @ jnp.array([[1.0, 1.0, 1.0], [0.0, -0.394642334, 2.03206185], [1.13988303, -0.58062185, 0.0]])


@rule("tf.image.rgb_to_yiq", samples=[sample(COLOURS)], differences=[HALF])
def rgb_to_yiq(images):
    return images @ jnp.array([
        [0.299, 0.59590059, 0.2115], [0.587, -0.27455667, -0.52273617], [0.114, -0.32134392, 0.31119955],
    ])  # fmt: skip


@rule("tf.image.yiq_to_rgb", samples=[sample(COLOURS)], differences=[HALF])
def yiq_to_rgb(images):
    return images @ jnp.array([
        [1.0, 1.0, 1.0], [0.95598634, -0.27201283, -1.10674021], [0.6208248, -0.64720424, 1.70423049],
    ])  # fmt: skip
