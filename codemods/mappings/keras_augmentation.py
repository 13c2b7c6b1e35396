"""Augmentation layers of `tf.keras.layers`: random changes of images in training."""

import jax
import jax.numpy as jnp
import jax.scipy as jsp
from flax import nnx

from codemods.engine.rule import Difference, f32, inline, known, layer, refuse, sample
from codemods.engine.touching import without

FIRST = "channels_first: JAX's layers keep channels last"
DIFFERENCES = [
    Difference("in training", "other numbers are drawn, from the same distribution"),
    Difference(
        "a call that does not say `training`",
        "Keras's layer is in training then, the port's is not",
        at=without("training"),
    ),
]
IMAGES = f32(6, 8, 6, 3, low=0, high=255)


@inline
def low_of(factor):
    """The lower end of a range that Keras takes as two numbers, or as one for both sides."""
    if isinstance(factor, (list, tuple)):
        return factor[0]
    return -factor


@inline
def high_of(factor):
    if isinstance(factor, (list, tuple)):
        return factor[1]
    return factor


@inline
def augmented(layer, images, training):
    if known(images.ndim) and images.ndim == 3:
        return layer(images[None], deterministic=not training)[0]
    return layer(images, deterministic=not training)


class RandomFlip(nnx.Module):
    """Flips half of the images in training, along the given axes."""

    def __init__(self, axes, *, rngs: nnx.Rngs):
        self.axes = axes
        self.rngs = rngs.fork()

    def __call__(self, x, *, deterministic=False):
        if deterministic:
            return x
        flipped = jax.random.bernoulli(self.rngs.noise(), shape=(len(x), 1, 1, 1))
        return jnp.where(flipped, jnp.flip(x, self.axes), x)


@layer(
    "tf.keras.layers.RandomFlip", "tf.keras.layers.experimental.preprocessing.RandomFlip", differences=DIFFERENCES,
    samples=[sample("horizontal", x=IMAGES), sample(mode="vertical", x=IMAGES), sample(x=IMAGES)],
)  # fmt: skip
class RandomFlipRule:
    helpers = (RandomFlip,)

    def make(mode="horizontal_and_vertical", seed=None, data_format=None, *, rngs):
        if data_format == "channels_first":
            refuse(FIRST)
        axes = {"horizontal": 2, "vertical": 1, "horizontal_and_vertical": (1, 2)}
        return RandomFlip(axes[mode], rngs=rngs)

    def call(layer, images, *, training):
        return augmented(layer, images, training)


class RandomWarp(nnx.Module):
    """Moves the pixels of each image by a random affine transform in training.

    `transforms(key, batch, height, width)` gives matrices of shape (batch, 2, 3) from (x, y, 1) of a pixel to the
    (x, y) that it is taken from.
    """

    def __init__(self, transforms, mode="reflect", value=0.0, order=1, *, rngs: nnx.Rngs):
        self.transforms = transforms
        self.mode, self.value, self.order = mode, value, order
        self.rngs = rngs.fork()

    def __call__(self, images, *, deterministic=False):
        if deterministic:
            return images
        batch, height, width, _ = images.shape
        y, x = jnp.mgrid[:height, :width].astype(jnp.float32)
        places = self.transforms(self.rngs.noise(), batch, height, width) @ jnp.stack([x, y, jnp.ones_like(x)]).reshape(
            3, -1
        )

        def warp(channel, place):
            taken = place[::-1].reshape(2, height, width)
            return jsp.ndimage.map_coordinates(channel, taken, self.order, self.mode, self.value)

        return jax.vmap(jax.vmap(warp, (-1, None), -1))(images, places)


def rotations(low, high):
    """Turns about the centre, by a share of a full turn."""

    def draw(key, batch, height, width):
        angle = 2 * jnp.pi * jax.random.uniform(key, (batch,), minval=low, maxval=high)
        cos, sin, x, y = jnp.cos(angle), jnp.sin(angle), (width - 1) / 2, (height - 1) / 2
        rows = [[cos, -sin, x - x * cos + y * sin], [sin, cos, y - x * sin - y * cos]]
        return jnp.moveaxis(jnp.array(rows), -1, 0)

    return draw


def zooms(height_range, width_range=None):
    """Zooms about the centre, out by a positive share of the size; both sides alike without `width_range`."""

    def draw(key, batch, height, width):
        keys = jax.random.split(key)
        tall = 1 + jax.random.uniform(keys[0], (batch,), minval=height_range[0], maxval=height_range[1])
        wide = tall
        if width_range is not None:
            wide = 1 + jax.random.uniform(keys[1], (batch,), minval=width_range[0], maxval=width_range[1])
        none = jnp.zeros(batch)
        rows = [[wide, none, (width - 1) / 2 * (1 - wide)], [none, tall, (height - 1) / 2 * (1 - tall)]]
        return jnp.moveaxis(jnp.array(rows), -1, 0)

    return draw


def shifts(height_range, width_range):
    """Shifts down and to the right, by a share of the size."""

    def draw(key, batch, height, width):
        keys = jax.random.split(key)
        down = height * jax.random.uniform(keys[0], (batch,), minval=height_range[0], maxval=height_range[1])
        right = width * jax.random.uniform(keys[1], (batch,), minval=width_range[0], maxval=width_range[1])
        none, one = jnp.zeros(batch), jnp.ones(batch)
        return jnp.moveaxis(jnp.array([[one, none, -right], [none, one, -down]]), -1, 0)

    return draw


@inline
def warped(transforms, fill_mode, fill_value, interpolation, data_format, rngs):
    if data_format == "channels_first":
        refuse(FIRST)
    if interpolation == "nearest":
        return RandomWarp(transforms, mode=fill_mode, value=fill_value, order=0, rngs=rngs)
    return RandomWarp(transforms, mode=fill_mode, value=fill_value, rngs=rngs)


@layer(
    "tf.keras.layers.RandomRotation", "tf.keras.layers.experimental.preprocessing.RandomRotation",
    differences=DIFFERENCES,
    samples=[sample(0.2, x=IMAGES), sample((0.1, 0.3), fill_mode="constant", fill_value=3.0, x=IMAGES)],
)  # fmt: skip
class RandomRotation:
    helpers = (RandomWarp, rotations)

    def make(factor, fill_mode="reflect", interpolation="bilinear", seed=None, fill_value=0.0, data_format=None,
             *, rngs):  # fmt: skip
        turns = rotations(low_of(factor), high_of(factor))
        return warped(turns, fill_mode, fill_value, interpolation, data_format, rngs)

    def call(layer, images, *, training):
        return augmented(layer, images, training)


@layer(
    "tf.keras.layers.RandomZoom", "tf.keras.layers.experimental.preprocessing.RandomZoom", differences=DIFFERENCES,
    samples=[sample(0.3, x=IMAGES), sample((-0.3, -0.1), (0.1, 0.2), "nearest", x=IMAGES)],
)  # fmt: skip
class RandomZoom:
    helpers = (RandomWarp, zooms)

    def make(height_factor, width_factor=None, fill_mode="reflect", interpolation="bilinear", seed=None,
             fill_value=0.0, data_format=None, *, rngs):  # fmt: skip
        if width_factor is None:
            both = zooms((low_of(height_factor), high_of(height_factor)))
            return warped(both, fill_mode, fill_value, interpolation, data_format, rngs)
        each = zooms((low_of(height_factor), high_of(height_factor)), (low_of(width_factor), high_of(width_factor)))
        return warped(each, fill_mode, fill_value, interpolation, data_format, rngs)

    def call(layer, images, *, training):
        return augmented(layer, images, training)


@layer(
    "tf.keras.layers.RandomTranslation", "tf.keras.layers.experimental.preprocessing.RandomTranslation",
    differences=DIFFERENCES,
    samples=[sample(0.3, 0.1, x=IMAGES), sample((0.1, 0.3), (-0.2, 0.0), "constant", "nearest", x=IMAGES)],
)  # fmt: skip
class RandomTranslation:
    helpers = (RandomWarp, shifts)

    def make(height_factor, width_factor, fill_mode="reflect", interpolation="bilinear", seed=None, fill_value=0.0,
             data_format=None, *, rngs):  # fmt: skip
        moves = shifts((low_of(height_factor), high_of(height_factor)), (low_of(width_factor), high_of(width_factor)))
        return warped(moves, fill_mode, fill_value, interpolation, data_format, rngs)

    def call(layer, images, *, training):
        return augmented(layer, images, training)
