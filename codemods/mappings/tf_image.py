"""Images: sizes, crops, flips, colours and noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
from flax import nnx
from jax import lax

from codemods.engine.rule import Difference, f32, i32, known, refuse, rule, sample
from codemods.mappings.differences import EMPTY, HALF, HALF_SUMS, NAN
from codemods.mappings.tf_nn import RANDOM

if TYPE_CHECKING:
    rngs = nnx.Rngs(0)

INTEGER_IMAGES = Difference(
    "integer images", "TensorFlow scales them to [0, 1] for the computation and back", ("int32",), "shape"
)
IMAGES = f32(2, 6, 8, 3, low=0, high=1)


@rule("tf.image.flip_left_right", samples=[sample(IMAGES), sample(f32(4, 5, 3))])
def flip_left_right(image):
    return jnp.flip(image, -2)


@rule("tf.image.flip_up_down", samples=[sample(IMAGES), sample(f32(4, 5, 3))])
def flip_up_down(image):
    return jnp.flip(image, -3)


@rule("tf.image.rot90", samples=[sample(IMAGES), sample(f32(4, 5, 3), k=2), sample(IMAGES, 3)])
def rot90(image, k=1, name=None):
    return jnp.rot90(image, k, axes=(-3, -2))


@rule("tf.image.transpose", samples=[sample(IMAGES), sample(f32(4, 5, 3))])
def transpose(image, name=None):
    return jnp.swapaxes(image, -3, -2)


@rule(
    "tf.image.crop_to_bounding_box",
    samples=[sample(IMAGES, 1, 2, 3, 4), sample(f32(4, 5, 3), 0, 1, target_height=2, target_width=2)],
)
def crop_to_bounding_box(image, offset_height, offset_width, target_height, target_width):
    return image[..., offset_height : offset_height + target_height, offset_width : offset_width + target_width, :]


@rule(
    "tf.image.pad_to_bounding_box",
    samples=[sample(IMAGES, 1, 2, 10, 12), sample(f32(4, 5, 3), 0, 1, target_height=6, target_width=7)],
)
def pad_to_bounding_box(image, offset_height, offset_width, target_height, target_width):
    below = target_height - offset_height - image.shape[-3]
    right = target_width - offset_width - image.shape[-2]
    spatial = ((offset_height, below), (offset_width, right), (0, 0))
    return jnp.pad(image, ((0, 0),) * (image.ndim - 3) + spatial)


@rule(
    "tf.image.central_crop",
    samples=[sample(IMAGES, 0.5), sample(f32(9, 7, 3), central_fraction=0.4), sample(IMAGES, 1.0)],
)
def central_crop(image, central_fraction):
    top = int((image.shape[-3] - image.shape[-3] * central_fraction) / 2)
    left = int((image.shape[-2] - image.shape[-2] * central_fraction) / 2)
    return image[..., top : image.shape[-3] - top, left : image.shape[-2] - left, :]


@rule("tf.image.grayscale_to_rgb", samples=[sample(f32(2, 3, 4, 1)), sample(f32(3, 4, 1))])
def grayscale_to_rgb(images, name=None):
    return jnp.repeat(images, 3, axis=-1)


@rule(
    "tf.image.rgb_to_grayscale",
    samples=[sample(IMAGES), sample(f32(3, 4, 3))],
    differences=[INTEGER_IMAGES, HALF],
)
def rgb_to_grayscale(images, name=None):
    return jnp.sum(images * jnp.array([0.2989, 0.587, 0.114]), axis=-1, keepdims=True)


@rule(
    "tf.image.adjust_brightness",
    samples=[sample(IMAGES, 0.2), sample(f32(3, 4, 3), delta=-0.1)],
    differences=[INTEGER_IMAGES],
)
def adjust_brightness(image, delta):
    return image + delta


@rule(
    "tf.image.adjust_contrast",
    samples=[sample(IMAGES, 2.0), sample(f32(3, 4, 3), contrast_factor=0.5)],
    differences=[INTEGER_IMAGES],
)
def adjust_contrast(images, contrast_factor):
    mean = jnp.mean(images, axis=(-3, -2), keepdims=True)
    return (images - mean) * contrast_factor + mean


@rule("tf.image.adjust_gamma", samples=[sample(IMAGES), sample(IMAGES, 2.0, gain=0.5)])
def adjust_gamma(image, gamma=1, gain=1):
    return gain * image**gamma


@rule(
    "tf.image.per_image_standardization",
    samples=[sample(IMAGES), sample(f32(3, 4, 3)), sample(f32(3, 4, 2, low=0.5, high=0.500001))],
    differences=[HALF],
)
def per_image_standardization(image):
    pixels = image.shape[-3] * image.shape[-2] * image.shape[-1]
    mean = jnp.mean(image, axis=(-3, -2, -1), keepdims=True)
    return (image - mean) / jnp.maximum(jnp.std(image, axis=(-3, -2, -1), keepdims=True), pixels**-0.5)


@rule(
    "tf.image.psnr",
    samples=[sample(IMAGES, f32(2, 6, 8, 3, low=0, high=1), 1.0), sample(f32(3, 4, 3), f32(3, 4, 3), max_val=4.0)],
    differences=[HALF_SUMS],
)
def psnr(a, b, max_val, name=None):
    return 20 * jnp.log10(max_val) - 10 * jnp.log10(jnp.mean(jnp.square(a - b), axis=(-3, -2, -1)))


@rule("tf.image.total_variation", samples=[sample(IMAGES), sample(f32(3, 4, 3))])
def total_variation(images, name=None):
    rows = jnp.sum(jnp.abs(jnp.diff(images, axis=-3)), axis=(-3, -2, -1))
    return rows + jnp.sum(jnp.abs(jnp.diff(images, axis=-2)), axis=(-3, -2, -1))


@rule("tf.image.image_gradients", samples=[sample(IMAGES)])
def image_gradients(image):
    dy = jnp.pad(jnp.diff(image, axis=1), ((0, 0), (0, 1), (0, 0), (0, 0)))
    return dy, jnp.pad(jnp.diff(image, axis=2), ((0, 0), (0, 0), (0, 1), (0, 0)))


@rule(
    "tf.image.convert_image_dtype",
    samples=[sample(i32(3, 4, 3), "float32")],
    differences=[Difference("float images", "TensorFlow leaves them as they are, jnp.iinfo fails", ("bfloat16",))],
)
def convert_image_dtype(image, dtype, saturate=False, name=None):
    if not known(dtype) or dtype != "float32":
        refuse("another dtype than float32: scale by the largest value of the dtypes")
    if known(image.dtype) and image.dtype == "float32":
        return image
    return image / jnp.iinfo(image.dtype).max


@rule(
    "tf.image.random_flip_left_right",
    samples=[sample(f32(40, 8, 8, 3)), sample(f32(20, 20, 3), seed=1)],
    differences=[RANDOM],
    random=True,
)
def random_flip_left_right(image, seed=None):
    return jnp.where(jax.random.bernoulli(rngs.noise(), shape=(*image.shape[:-3], 1, 1, 1)), jnp.flip(image, -2), image)


@rule(
    "tf.image.random_flip_up_down",
    samples=[sample(f32(40, 8, 8, 3)), sample(f32(20, 20, 3), seed=1)],
    differences=[RANDOM],
    random=True,
)
def random_flip_up_down(image, seed=None):
    return jnp.where(jax.random.bernoulli(rngs.noise(), shape=(*image.shape[:-3], 1, 1, 1)), jnp.flip(image, -3), image)


@rule(
    "tf.image.random_brightness",
    samples=[sample(f32(6, 8, 3), 0.1), sample(f32(6, 8, 3), max_delta=0.2, seed=1)],
    differences=[RANDOM, HALF, INTEGER_IMAGES],
    random=True,
)
def random_brightness(image, max_delta, seed=None):
    return image + jax.random.uniform(rngs.noise(), minval=-max_delta, maxval=max_delta)


@rule(
    "tf.image.random_contrast",
    samples=[sample(f32(6, 8, 3), 0.5, 1.5), sample(f32(6, 8, 3), lower=0.9, upper=1.1, seed=1)],
    differences=[RANDOM, HALF, INTEGER_IMAGES],
    random=True,
)
def random_contrast(image, lower, upper, seed=None):
    mean = jnp.mean(image, axis=(-3, -2), keepdims=True)
    return (image - mean) * jax.random.uniform(rngs.noise(), minval=lower, maxval=upper) + mean


@rule(
    "tf.image.random_crop",
    samples=[sample(f32(40, 40, 3), [20, 20, 3]), sample(f32(20, 50), size=[20, 30], seed=1)],
    differences=[RANDOM],
    random=True,
)
def random_crop(value, size, seed=None, name=None):
    room = jnp.array(value.shape) - jnp.array(size) + 1
    return lax.dynamic_slice(value, jax.random.randint(rngs.noise(), (value.ndim,), 0, room), size)


@rule(
    "tf.image.extract_patches",
    samples=[
        sample(f32(1, 6, 6, 2), [1, 2, 2, 1], [1, 2, 2, 1], [1, 1, 1, 1], "VALID"),
        sample(f32(2, 5, 5, 3), [1, 3, 3, 1], [1, 1, 1, 1], [1, 1, 1, 1], padding="SAME"),
        sample(f32(1, 7, 7, 2), [1, 2, 2, 1], [1, 1, 1, 1], [1, 2, 2, 1], "VALID"),
    ],
    differences=[NAN, EMPTY],
)
def extract_patches(images, sizes, strides, rates, padding, name=None):
    patches = lax.conv_general_dilated_patches(
        images, sizes[1:3], strides[1:3], padding, rhs_dilation=rates[1:3], dimension_numbers=("NHWC", "OIHW", "NHWC")
    )
    by_channel = jnp.reshape(patches, (*patches.shape[:3], images.shape[-1], -1))
    return jnp.reshape(jnp.swapaxes(by_channel, -1, -2), patches.shape)
