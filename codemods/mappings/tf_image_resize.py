"""`tf.image.resize`, with every method."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from codemods.engine.rule import Difference, constant, f32, inline, known, refuse, rule, sample
from codemods.engine.touching import of_integers
from codemods.mappings.differences import CUBIC, HALF, NAN

for _method in ("bilinear", "bicubic", "lanczos3", "lanczos5", "area", "gaussian", "mitchellcubic"):
    constant(f"tf.image.ResizeMethod.{_method.upper()}", f'"{_method}"')
constant("tf.image.ResizeMethod.NEAREST_NEIGHBOR", '"nearest"')


def resize_by(images: jax.Array, size: tuple[int, int], method: str, antialias: bool = False) -> jax.Array:
    """Images (..., height, width, channels) in another size, by a method that jax.image.resize has not.

    `method` is "area" (the mean of what a pixel covers), "gaussian" or "mitchellcubic".
    """

    def kernel(x: jax.Array) -> jax.Array:
        x = jnp.abs(x)
        if method == "gaussian":
            return jnp.where(x < 1.5, jnp.exp(-2 * x**2), 0)
        near = (7 * x**3 - 12 * x**2 + 16 / 3) / 6
        return jnp.where(x < 1, near, jnp.where(x < 2, (-7 / 3 * x**3 + 12 * x**2 - 20 * x + 32 / 3) / 6, 0))

    def weights(count: int, length: int) -> jax.Array:
        scale = count / length
        pixels, starts = jnp.arange(count), scale * jnp.arange(length)[:, None]
        if method == "area":
            return jnp.maximum(jnp.minimum(starts + scale, pixels + 1) - jnp.maximum(starts, pixels), 0) / scale
        found = kernel((pixels - starts - scale / 2 + 0.5) / (max(scale, 1) if antialias else 1))
        return found / jnp.sum(found, axis=1, keepdims=True)

    rows, columns = weights(images.shape[-3], size[0]), weights(images.shape[-2], size[1])
    return jnp.einsum("...hwc,yh,xw->...yxc", images, rows, columns)


def size_within(height: int, width: int, size: tuple[int, int]) -> tuple[int, int]:
    """The largest size within another that keeps the proportions of an image."""
    scale = min(size[0] / height, size[1] / width)
    return round(scale * height), round(scale * width)


@inline
def resized(images, size, method, antialias):
    """Images (..., height, width, channels) with another height and width."""
    if method in ("area", "gaussian", "mitchellcubic"):
        return resize_by(images, tuple(size), method, antialias=antialias)
    shape = (*images.shape[:-3], size[0], size[1], images.shape[-1])
    if known(images.ndim) and images.ndim == 4:
        shape = (images.shape[0], size[0], size[1], images.shape[-1])
    if method == "nearest":
        return jax.image.resize(images, shape, "nearest")
    return jax.image.resize(images, shape, method, antialias=antialias)


METHODS = ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5", "area", "gaussian", "mitchellcubic")
OWN_SIZE = Difference(
    "the size that the image has", "TensorFlow gives the image as it is, in its own dtype", at=of_integers
)
IMAGES = f32(2, 6, 8, 3, low=0, high=1)


@rule(
    "tf.image.resize",
    helpers=(resize_by, size_within),
    samples=[
        sample(IMAGES, [12, 16]), sample(IMAGES, [9, 5]), sample(f32(6, 8, 3), size=(3, 4)),
        sample(IMAGES, [12, 12], method="nearest"), sample(IMAGES, [3, 4], "nearest"),
        sample(IMAGES, [3, 4], antialias=True), sample(IMAGES, [12, 16], "bicubic"),
        sample(IMAGES, [7, 5], "lanczos3"), sample(IMAGES, [7, 5], "lanczos5", antialias=True),
        sample(IMAGES, [4, 12], "area"), sample(IMAGES, [8, 4], "gaussian"), sample(IMAGES, [4, 3], "mitchellcubic"),
        sample(IMAGES, [4, 3], "mitchellcubic", antialias=True), sample(IMAGES, [12, 20], preserve_aspect_ratio=True),
        sample(IMAGES, [3, 9], "area", True), sample(IMAGES, [3, 4], "gaussian", antialias=True),
    ],
    differences=[OWN_SIZE, HALF, CUBIC, NAN],
)  # fmt: skip
def resize(images, size, method="bilinear", preserve_aspect_ratio=False, antialias=False, name=None):
    if method not in METHODS:
        refuse("a method that is not known here: state it, as one of the words that TensorFlow takes")
    if preserve_aspect_ratio:
        return resized(images, size_within(images.shape[-3], images.shape[-2], tuple(size)), method, antialias)
    return resized(images, size, method, antialias)
