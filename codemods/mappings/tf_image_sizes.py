"""Images in another size: with a border, cropped, and cut along boxes."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import jax.scipy as jsp

from codemods.engine.rule import f32, i32, refuse, rule, sample
from codemods.mappings.differences import CUBIC, HALF, NAN, SNUG

IMAGES = f32(2, 6, 8, 3, low=0, high=1)


def crop_or_pad(images: jax.Array, height: int, width: int) -> jax.Array:
    """Images (..., height, width, channels) cropped around the centre, or with a border of zeros."""
    for axis, size in ((-3, height), (-2, width)):
        spare = images.shape[axis] - size
        start = max(spare // 2, 0)
        images = jax.lax.slice_in_dim(images, start, start + min(size, images.shape[axis]), axis=images.ndim + axis)
        before = max(-spare // 2, 0)
        border = [(0, 0)] * images.ndim
        border[axis] = (before, size - before - images.shape[axis])
        images = jnp.pad(images, border)
    return images


def resize_with_border(
    images: jax.Array, height: int, width: int, method: str = "bilinear", antialias: bool = False
) -> jax.Array:
    """Images (..., height, width, channels) as large as fits with their proportions, in a border of zeros."""
    *batch, rows, columns, channels = images.shape
    ratio = max(rows / height, columns / width)
    inner = int(rows / ratio), int(columns / ratio)
    above, left = int((height - rows / ratio) / 2), int((width - columns / ratio) / 2)
    images = jax.image.resize(images, (*batch, *inner, channels), method, antialias=antialias)
    spatial = ((above, height - inner[0] - above), (left, width - inner[1] - left))
    return jnp.pad(images, ((0, 0),) * len(batch) + spatial + ((0, 0),))


def crop_boxes(
    images: jax.Array, boxes: jax.Array, indices: jax.Array, size: tuple[int, int], outside: float = 0.0
) -> jax.Array:
    """Parts of images (batch, height, width, channels), in one size.

    `boxes` are (top, left, bottom, right), from 0 to 1; `indices` says which image each is cut from.
    """

    def places(start: jax.Array, end: jax.Array, count: int, length: int) -> jax.Array:
        if count == 1:
            return jnp.array([(start + end) / 2 * (length - 1)])
        return (start + jnp.arange(count) * (end - start) / (count - 1)) * (length - 1)

    def cut(box: jax.Array, index: jax.Array) -> jax.Array:
        height, width = images.shape[1:3]
        y = places(box[0], box[2], size[0], height)
        x = places(box[1], box[3], size[1], width)
        inside = ((y >= 0) & (y <= height - 1))[:, None] & ((x >= 0) & (x <= width - 1))
        grid = jnp.meshgrid(y, x, indexing="ij")
        sample = jax.vmap(lambda c: jsp.ndimage.map_coordinates(c, grid, order=1, mode="nearest"), -1, -1)
        return jnp.where(inside[..., None], sample(images[index]), outside)

    return jax.vmap(cut)(boxes, indices)


@rule(
    "tf.image.resize_with_crop_or_pad",
    helpers=(crop_or_pad,),
    samples=[
        sample(IMAGES, 4, 5), sample(IMAGES, 9, 11), sample(f32(5, 8, 3), target_height=7, target_width=3),
    ],
)  # fmt: skip
def resize_with_crop_or_pad(image, target_height, target_width):
    return crop_or_pad(image, target_height, target_width)


@rule(
    "tf.image.resize_with_pad",
    helpers=(resize_with_border,),
    samples=[
        sample(IMAGES, 9, 9), sample(f32(5, 8, 3), target_height=4, target_width=7),
        sample(IMAGES, 12, 20, method="nearest"), sample(IMAGES, 3, 5, "bilinear", True),
    ],
 differences=[HALF, NAN, CUBIC, SNUG])  # fmt: skip
def resize_with_pad(image, target_height, target_width, method="bilinear", antialias=False):
    if method not in ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5"):
        refuse("a method that jax.image.resize has not: it has nearest, bilinear, bicubic, lanczos3 and lanczos5")
    return resize_with_border(image, target_height, target_width, method=method, antialias=antialias)


BOXES = f32(4, 4, low=-0.1, high=1.1)


@rule(
    "tf.image.crop_and_resize",
    helpers=(crop_boxes,),
    samples=[
        sample(IMAGES, BOXES, i32(4, high=2), [3, 4]),
        sample(IMAGES, BOXES, box_indices=i32(4, high=2), crop_size=[1, 5], extrapolation_value=0.5),
        sample(IMAGES, BOXES, i32(4, high=2), (2, 1), "bilinear"),
    ],
    differences=[NAN],
)
def crop_and_resize(image, boxes, box_indices, crop_size, method="bilinear", extrapolation_value=0.0, name=None):
    if method != "bilinear":
        refuse("another method than bilinear: round the places in jax.scipy.ndimage.map_coordinates")
    return crop_boxes(image, boxes, box_indices, tuple(crop_size), outside=extrapolation_value)
