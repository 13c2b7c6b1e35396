"""Shapes, joining and conversion with keras.ops."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from codemods.engine.rule import f32, i32, refuse, rule, sample
from codemods.mappings.differences import ON_HOST, ROWS
from codemods.mappings.tf_core import axes
from codemods.mappings.tf_dtypes import NARROW, as_dtype


@rule(
    "tf.keras.ops.cast",
    samples=[sample(f32(3, low=-9, high=9), "int32"), sample(i32(3), dtype="float32")],
    differences=[NARROW],
)
def cast(x, dtype):
    return jnp.asarray(x, dtype=as_dtype(dtype))


@rule("tf.keras.ops.convert_to_tensor", samples=[sample(f32(3)), sample([1, 2], dtype="float32")], differences=[NARROW])
def convert_to_tensor(x, dtype=None, sparse=None, ragged=None):
    if sparse or ragged:
        refuse("sparse and ragged tensors: pad to a dense array")
    return jnp.asarray(x, dtype=as_dtype(dtype))


@rule("tf.keras.ops.convert_to_numpy", samples=[sample(i32(3)), sample(i32(2, 2))], differences=[ON_HOST])
def convert_to_numpy(x):
    return np.asarray(x)


@rule(
    "tf.keras.ops.array",
    samples=[sample([1.0, 2.0]), sample([1, 2], dtype="float32"), sample(f32(3))],
    differences=[NARROW],
)
def array(x, dtype=None):
    return jnp.array(x, dtype=as_dtype(dtype))


@rule("tf.keras.ops.shape", samples=[sample(f32(3, 4)), sample(f32())])
def shape(x):
    return x.shape


@rule("tf.keras.ops.ndim", samples=[sample(f32(3, 4))])
def ndim(x):
    return x.ndim


@rule("tf.keras.ops.size", samples=[sample(f32(3, 4))])
def size(x):
    return x.size


@rule("tf.keras.ops.dtype", samples=[sample(f32(3)), sample(i32(2))])
def dtype(x):
    return str(x.dtype)


@rule("tf.keras.ops.reshape", samples=[sample(f32(4, 3), (2, 6)), sample(f32(4, 3), newshape=(-1,))])
def reshape(x, newshape):
    return jnp.reshape(x, newshape)


@rule("tf.keras.ops.transpose", samples=[sample(f32(3, 4)), sample(f32(2, 3, 4), axes=(0, 2, 1))])
def transpose(x, axes=None):
    return jnp.transpose(x, axes)


@rule("tf.keras.ops.expand_dims", samples=[sample(f32(3, 4), 1), sample(f32(3), axis=-1)])
def expand_dims(x, axis):
    return jnp.expand_dims(x, axis)


@rule("tf.keras.ops.squeeze", samples=[sample(f32(1, 3, 1)), sample(f32(1, 3, 1), axis=0)])
def squeeze(x, axis=None):
    return jnp.squeeze(x, axis=axes(axis))


@rule("tf.keras.ops.concatenate", samples=[sample([f32(2, 3), f32(4, 3)]), sample([f32(2, 3), f32(2, 1)], axis=-1)])
def concatenate(xs, axis=0):
    return jnp.concatenate(xs, axis=axis)


@rule("tf.keras.ops.stack", samples=[sample([f32(2, 3), f32(2, 3)]), sample([f32(2), f32(2)], axis=-1)])
def stack(x, axis=0):
    return jnp.stack(x, axis=axis)


@rule("tf.keras.ops.unstack", samples=[sample(f32(3, 2)), sample(f32(3, 2), axis=1)])
def unstack(x, num=None, axis=0):
    return jnp.unstack(x, axis=axis)


@rule("tf.keras.ops.split", samples=[sample(f32(4, 6), 2), sample(f32(4, 6), [1, 3], axis=1)])
def split(x, indices_or_sections, axis=0):
    return jnp.split(x, indices_or_sections, axis=axis)


@rule("tf.keras.ops.hstack", samples=[sample([f32(2, 3), f32(2, 1)])])
def hstack(xs):
    return jnp.hstack(xs)


@rule("tf.keras.ops.vstack", samples=[sample([f32(2, 3), f32(1, 3)])], differences=[ROWS])
def vstack(xs):
    return jnp.vstack(xs)


@rule("tf.keras.ops.append", samples=[sample(f32(2, 3), f32(1, 3), axis=0)])
def append(x1, x2, axis=None):
    return jnp.append(x1, x2, axis=axis)


@rule("tf.keras.ops.tile", samples=[sample(f32(2, 3), (2, 1)), sample(f32(2), 3)])
def tile(x, repeats):
    return jnp.tile(x, repeats)


@rule("tf.keras.ops.repeat", samples=[sample(f32(2, 3), 2, axis=1), sample(f32(2, 3), 2)])
def repeat(x, repeats, axis=None):
    return jnp.repeat(x, repeats, axis=axis)


@rule("tf.keras.ops.broadcast_to", samples=[sample(f32(3, 1), (3, 4))])
def broadcast_to(x, shape):
    return jnp.broadcast_to(x, shape)


@rule("tf.keras.ops.flip", samples=[sample(f32(3, 4)), sample(f32(3, 4), axis=-1)])
def flip(x, axis=None):
    return jnp.flip(x, axis=axes(axis))


@rule("tf.keras.ops.roll", samples=[sample(f32(3, 4), 1), sample(f32(3, 4), -1, axis=1)])
def roll(x, shift, axis=None):
    return jnp.roll(x, shift, axis=axis)


@rule("tf.keras.ops.ravel", samples=[sample(f32(3, 4))])
def ravel(x):
    return jnp.ravel(x)


@rule("tf.keras.ops.swapaxes", samples=[sample(f32(2, 3, 4), 0, -1)])
def swapaxes(x, axis1, axis2):
    return jnp.swapaxes(x, axis1, axis2)


@rule("tf.keras.ops.moveaxis", samples=[sample(f32(2, 3, 4), 0, -1)])
def moveaxis(x, source, destination):
    return jnp.moveaxis(x, source, destination)
