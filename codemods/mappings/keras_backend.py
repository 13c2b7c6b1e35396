"""Shapes, conversion and products of tf.keras.backend."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
from flax import nnx

from codemods.engine.rule import f32, i32, known, refuse, rule, sample
from codemods.mappings.differences import EMPTY, SCALAR
from codemods.mappings.tf_dtypes import NARROW, as_dtype
from codemods.mappings.tf_index import TAKE_RANGE

if TYPE_CHECKING:
    rngs = nnx.Rngs(0)


@rule("tf.keras.backend.pow", samples=[sample(f32(3, low=0.1), 2.0), sample(f32(3, low=0.1), a=0.5)])
def pow_(x, a):
    return jnp.power(x, a)


@rule("tf.keras.backend.clip", samples=[sample(f32(3, 4), -1.0, 0.5)])
def clip(x, min_value, max_value):
    return jnp.clip(x, min_value, max_value)


@rule(
    "tf.keras.backend.cast",
    samples=[sample(f32(3, low=-9, high=9), "int32"), sample(i32(3), dtype="float32")],
    differences=[NARROW],
)
def cast(x, dtype):
    return jnp.asarray(x, dtype=as_dtype(dtype))


@rule("tf.keras.backend.cast_to_floatx", samples=[sample(i32(3))])
def cast_to_floatx(x):
    return jnp.asarray(x, dtype=jnp.float32)


@rule("tf.keras.backend.reshape", samples=[sample(f32(4, 3), (2, 6))])
def reshape(x, shape):
    return jnp.reshape(x, shape)


@rule("tf.keras.backend.shape", samples=[sample(f32(3, 4))])
def shape(x):
    return x.shape


@rule("tf.keras.backend.int_shape", samples=[sample(f32(3, 4))])
def int_shape(x):
    return x.shape


@rule("tf.keras.backend.ndim", samples=[sample(f32(3, 4))])
def ndim(x):
    return x.ndim


@rule("tf.keras.backend.dtype", samples=[sample(f32(3, 4)), sample(i32(3))])
def dtype(x):
    return str(x.dtype)


@rule("tf.keras.backend.expand_dims", samples=[sample(f32(3, 4)), sample(f32(3), axis=0)])
def expand_dims(x, axis=-1):
    return jnp.expand_dims(x, axis)


@rule("tf.keras.backend.squeeze", samples=[sample(f32(1, 3), 0)])
def squeeze(x, axis):
    return jnp.squeeze(x, axis=axis)


@rule("tf.keras.backend.concatenate", samples=[sample([f32(2, 3), f32(2, 1)]), sample([f32(2, 3), f32(4, 3)], axis=0)])
def concatenate(tensors, axis=-1):
    return jnp.concatenate(tensors, axis=axis)


@rule("tf.keras.backend.stack", samples=[sample([f32(2), f32(2)]), sample([f32(2), f32(2)], axis=-1)])
def stack(x, axis=0):
    return jnp.stack(x, axis=axis)


@rule("tf.keras.backend.permute_dimensions", samples=[sample(f32(2, 3, 4), (0, 2, 1))])
def permute_dimensions(x, pattern):
    return jnp.transpose(x, pattern)


@rule("tf.keras.backend.transpose", samples=[sample(f32(3, 4))])
def transpose(x):
    return jnp.transpose(x)


@rule("tf.keras.backend.tile", samples=[sample(f32(2, 3), [2, 1])])
def tile(x, n):
    return jnp.tile(x, n)


@rule("tf.keras.backend.repeat", samples=[sample(f32(2, 3), 4)])
def repeat(x, n):
    return jnp.repeat(jnp.expand_dims(x, 1), n, axis=1)


@rule("tf.keras.backend.repeat_elements", samples=[sample(f32(2, 3), 2, 1)])
def repeat_elements(x, rep, axis):
    return jnp.repeat(x, rep, axis=axis)


@rule("tf.keras.backend.flatten", samples=[sample(f32(3, 4))])
def flatten(x):
    return jnp.ravel(x)


@rule("tf.keras.backend.batch_flatten", samples=[sample(f32(2, 3, 4))], differences=[EMPTY, SCALAR])
def batch_flatten(x):
    return jnp.reshape(x, (x.shape[0], -1))


@rule("tf.keras.backend.reverse", samples=[sample(f32(3, 4), 1)])
def reverse(x, axes):
    return jnp.flip(x, axes)


@rule("tf.keras.backend.gather", samples=[sample(f32(5, 3), i32(4, high=5))], differences=[TAKE_RANGE])
def gather(reference, indices):
    return jnp.take(reference, indices, axis=0)


@rule("tf.keras.backend.arange", samples=[sample(5), sample(1, 7, 2), sample(4, dtype="float32")], differences=[NARROW])
def arange(start, stop=None, step=1, dtype="int32"):
    if stop is None:
        return jnp.arange(0, start, step, dtype=as_dtype(dtype))
    return jnp.arange(start, stop, step, dtype=as_dtype(dtype))


@rule("tf.keras.backend.one_hot", samples=[sample(i32(4, high=5), 5)])
def one_hot(indices, num_classes):
    return jax.nn.one_hot(indices, num_classes)


@rule("tf.keras.backend.zeros_like", samples=[sample(f32(3, 4))], differences=[NARROW])
def zeros_like(x, dtype=None, name=None):
    return jnp.zeros_like(x, dtype=as_dtype(dtype))


@rule("tf.keras.backend.ones_like", samples=[sample(f32(3, 4))], differences=[NARROW])
def ones_like(x, dtype=None, name=None):
    return jnp.ones_like(x, dtype=as_dtype(dtype))


@rule(
    "tf.keras.backend.constant",
    samples=[sample([1.0, 2.0]), sample(0.5, shape=[2, 3]), sample([1, 2], dtype="float32")],
    differences=[NARROW],
)
def constant(value, dtype=None, shape=None, name=None):
    if known(shape) and shape is None:
        return jnp.array(value, dtype=as_dtype("float32" if dtype is None else dtype))
    if known(value) and isinstance(value, (list, tuple)):
        refuse("a shape for values that may be a list: use jnp.full, or reshape jnp.array")
    return jnp.full(shape, value, dtype=as_dtype("float32" if dtype is None else dtype))


@rule("tf.keras.backend.dot", samples=[sample(f32(2, 3), f32(3, 4)), sample(f32(2, 5, 3), f32(3, 4))])
def dot(x, y):
    return jnp.dot(x, y)


@rule("tf.keras.backend.bias_add", samples=[sample(f32(2, 3, 4), f32(4))])
def bias_add(x, bias, data_format=None):
    if data_format == "channels_first":
        refuse("channels_first: move the channels to the end")
    return x + bias
