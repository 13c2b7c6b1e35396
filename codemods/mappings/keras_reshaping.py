"""Layers of `tf.keras.layers` that pad, crop and repeat."""

import jax.numpy as jnp

from codemods.engine.rule import computed, f32, known, layer, refuse, sample


@computed
def margins(amount, rank):
    """`((before, after), ...)` for each spatial axis."""
    if isinstance(amount, int):
        return ((amount, amount),) * rank
    if rank == 1:
        return (tuple(amount),)
    return tuple((side, side) if isinstance(side, int) else tuple(side) for side in amount)


@computed
def paddings(amount, rank):
    """What `jnp.pad` takes."""
    return ((0, 0), *margins(amount, rank), (0, 0))


def resized(shape, amounts, sign):
    grown = (n + sign * (before + after) for n, (before, after) in zip(shape[1:-1], amounts, strict=True))
    return (shape[0], *grown, shape[-1])


def repeated(shape, size):
    sizes = size if isinstance(size, (tuple, list)) else (size,) * (len(shape) - 2)
    return (shape[0], *(n * s for n, s in zip(shape[1:-1], sizes, strict=True)), shape[-1])


@layer("tf.keras.layers.ZeroPadding1D", attribute="pad", samples=[
    sample(x=f32(2, 6, 3)), sample((1, 2), x=f32(2, 6, 3)),
])  # fmt: skip
class ZeroPadding1D:
    def make(padding=1, data_format=None):
        if data_format == "channels_first":
            refuse("channels_first: JAX's layers keep channels last")
        return None

    def call(layer, inputs, *, padding):
        return jnp.pad(inputs, paddings(padding, 1))

    def shape(x, *, padding):
        return resized(x.shape, margins(padding, 1), 1)


@layer("tf.keras.layers.ZeroPadding2D", attribute="pad", samples=[
    sample(x=f32(2, 6, 5, 3)), sample(3, x=f32(2, 6, 5, 3)), sample(((0, 1), (2, 1)), x=f32(2, 6, 5, 3)),
    sample((1, 2), x=f32(2, 6, 5, 3)),
])  # fmt: skip
class ZeroPadding2D:
    def make(padding=(1, 1), data_format=None):
        if data_format == "channels_first":
            refuse("channels_first: JAX's layers keep channels last")
        return None

    def call(layer, inputs, *, padding):
        if not known(padding) and known(isinstance(padding, tuple)) and isinstance(padding, tuple):
            return jnp.pad(inputs, ((0, 0), *padding, (0, 0)))
        return jnp.pad(inputs, paddings(padding, 2))

    def shape(x, *, padding):
        return resized(x.shape, margins(padding, 2), 1)


@layer("tf.keras.layers.ZeroPadding3D", attribute="pad", samples=[
    sample(x=f32(2, 6, 5, 4, 3)), sample((1, 2, 0), x=f32(2, 6, 5, 4, 3)),
])  # fmt: skip
class ZeroPadding3D:
    def make(padding=((1, 1), (1, 1), (1, 1)), data_format=None):
        if data_format == "channels_first":
            refuse("channels_first: JAX's layers keep channels last")
        return None

    def call(layer, inputs, *, padding):
        return jnp.pad(inputs, paddings(padding, 3))

    def shape(x, *, padding):
        return resized(x.shape, margins(padding, 3), 1)


@layer("tf.keras.layers.Cropping1D", attribute="crop", samples=[
    sample(x=f32(2, 6, 3)), sample((2, 0), x=f32(2, 6, 3)),
])  # fmt: skip
class Cropping1D:
    def make(cropping=(1, 1)):
        return None

    def call(layer, inputs, *, cropping):
        sides = margins(cropping, 1)
        return inputs[:, sides[0][0] : -sides[0][1] or None]

    def shape(x, *, cropping):
        return resized(x.shape, margins(cropping, 1), -1)


@layer("tf.keras.layers.Cropping2D", attribute="crop", samples=[
    sample(x=f32(2, 6, 5, 3)), sample(1, x=f32(2, 6, 5, 3)), sample(((0, 1), (2, 1)), x=f32(2, 6, 5, 3)),
])  # fmt: skip
class Cropping2D:
    def make(cropping=((0, 0), (0, 0)), data_format=None):
        if data_format == "channels_first":
            refuse("channels_first: JAX's layers keep channels last")
        return None

    def call(layer, inputs, *, cropping):
        sides = margins(cropping, 2)
        return inputs[:, sides[0][0] : -sides[0][1] or None, sides[1][0] : -sides[1][1] or None]

    def shape(x, *, cropping):
        return resized(x.shape, margins(cropping, 2), -1)


@layer("tf.keras.layers.Cropping3D", attribute="crop", samples=[
    sample(x=f32(2, 6, 5, 4, 3)), sample((1, 2, 0), x=f32(2, 6, 5, 4, 3)),
])  # fmt: skip
class Cropping3D:
    def make(cropping=((1, 1), (1, 1), (1, 1)), data_format=None):
        if data_format == "channels_first":
            refuse("channels_first: JAX's layers keep channels last")
        return None

    def call(layer, inputs, *, cropping):
        sides = margins(cropping, 3)
        return inputs[
            :,
            sides[0][0] : -sides[0][1] or None,
            sides[1][0] : -sides[1][1] or None,
            sides[2][0] : -sides[2][1] or None,
        ]

    def shape(x, *, cropping):
        return resized(x.shape, margins(cropping, 3), -1)
