"""New arrays, indexing and scattering with keras.ops."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax

from codemods.engine.rule import boolean, f32, i32, known, refuse, rule, sample
from codemods.mappings.differences import BOOLS, FLOAT_INDICES, ONE_DIMENSION, WIDTH
from codemods.mappings.tf_dtypes import NARROW, as_dtype
from codemods.mappings.tf_index import TAKE_RANGE


@rule(
    "tf.keras.ops.pad",
    samples=[
        sample(f32(3, 4), ((1, 0), (0, 2))),
        sample(f32(3, 4), ((1, 1), (1, 1)), mode="reflect"),
        sample(f32(3), ((1, 1),), constant_values=2.0),
    ],
)
def pad(x, pad_width, mode="constant", constant_values=None):
    if constant_values is None:
        return jnp.pad(x, pad_width, mode=mode.lower())
    return jnp.pad(x, pad_width, mode=mode.lower(), constant_values=constant_values)


@rule(
    "tf.keras.ops.arange",
    samples=[sample(5), sample(1, 7, 2), sample(4, dtype="float32"), sample(0.0, 1.0, 0.25)],
    differences=[NARROW],
)
def arange(start, stop=None, step=None, dtype=None):
    return jnp.arange(start, stop, step, dtype=as_dtype(dtype))


@rule(
    "tf.keras.ops.linspace",
    samples=[sample(0.0, 1.0, 5), sample(0.0, 1.0, num=4, endpoint=False)],
    differences=[NARROW],
)
def linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0):
    return jnp.linspace(start, stop, num, endpoint=endpoint, retstep=retstep, dtype=as_dtype(dtype), axis=axis)


@rule(
    "tf.keras.ops.meshgrid",
    samples=[sample(f32(3), f32(4)), sample(f32(3), f32(4), indexing="ij")],
    differences=[ONE_DIMENSION],
)
def meshgrid(*x, indexing="xy"):
    return jnp.meshgrid(*x, indexing=indexing)


@rule("tf.keras.ops.eye", samples=[sample(3), sample(2, 4)], differences=[NARROW, WIDTH])
def eye(N, M=None, k=0, dtype=None):
    return jnp.eye(N, M, k, dtype=as_dtype(dtype))


@rule("tf.keras.ops.tri", samples=[sample(3), sample(3, 4, k=-1)], differences=[NARROW])
def tri(N, M=None, k=0, dtype=None):
    return jnp.tri(N, M, k, dtype=as_dtype(dtype))


@rule("tf.keras.ops.tril", samples=[sample(f32(3, 3)), sample(f32(2, 3, 4), k=1)])
def tril(x, k=0):
    return jnp.tril(x, k)


@rule("tf.keras.ops.triu", samples=[sample(f32(3, 3)), sample(f32(2, 3, 4), k=1)])
def triu(x, k=0):
    return jnp.triu(x, k)


@rule("tf.keras.ops.diag", samples=[sample(f32(3)), sample(f32(3, 3), k=1)])
def diag(x, k=0):
    return jnp.diag(x, k)


@rule("tf.keras.ops.diagonal", samples=[sample(f32(3, 3)), sample(f32(2, 3, 4), axis1=1, axis2=2)])
def diagonal(x, offset=0, axis1=0, axis2=1):
    return jnp.diagonal(x, offset, axis1, axis2)


@rule("tf.keras.ops.trace", samples=[sample(f32(3, 3))])
def trace(x, offset=0, axis1=0, axis2=1):
    return jnp.trace(x, offset, axis1, axis2)


@rule("tf.keras.ops.zeros", samples=[sample((2, 3)), sample((2,), dtype="int32")], differences=[NARROW])
def zeros(shape, dtype=None):
    return jnp.zeros(shape, dtype=as_dtype(dtype))


@rule("tf.keras.ops.ones", samples=[sample((2, 3)), sample((2,), dtype="int32")], differences=[NARROW])
def ones(shape, dtype=None):
    return jnp.ones(shape, dtype=as_dtype(dtype))


@rule("tf.keras.ops.full", samples=[sample((2, 3), 0.5), sample((2,), 7, dtype="float32")], differences=[NARROW])
def full(shape, fill_value, dtype=None):
    return jnp.full(shape, fill_value, dtype=as_dtype(dtype))


@rule("tf.keras.ops.zeros_like", samples=[sample(f32(3, 4)), sample(f32(3), dtype="int32")], differences=[NARROW])
def zeros_like(x, dtype=None):
    return jnp.zeros_like(x, dtype=as_dtype(dtype))


@rule("tf.keras.ops.ones_like", samples=[sample(f32(3, 4)), sample(f32(3), dtype="int32")], differences=[NARROW])
def ones_like(x, dtype=None):
    return jnp.ones_like(x, dtype=as_dtype(dtype))


@rule("tf.keras.ops.full_like", samples=[sample(f32(3), 2.0)], differences=[NARROW])
def full_like(x, fill_value, dtype=None):
    return jnp.full_like(x, fill_value, dtype=as_dtype(dtype))


@rule("tf.keras.ops.where", samples=[sample(boolean(3, 4), f32(3, 4), f32(4)), sample(boolean(3), 1.0, f32(3))])
def where(condition, x1=None, x2=None):
    if known(x1) and x1 is None:
        return jnp.where(condition)
    return jnp.where(condition, x1, x2)


@rule(
    "tf.keras.ops.take",
    samples=[
        sample(f32(5, 3), i32(4, high=5), axis=0),
        sample(f32(4, 5), i32(2, 3, high=5), axis=-1),
        sample(f32(3, 2), i32(3, high=6)),
    ],
    differences=[TAKE_RANGE],
)
def take(x, indices, axis=None):
    return jnp.take(x, indices, axis=axis)


@rule(
    "tf.keras.ops.take_along_axis",
    samples=[sample(f32(3, 5), i32(3, 2, high=5), axis=1), sample(f32(3, 5), i32(1, 5, high=3), axis=0)],
    differences=[TAKE_RANGE],
)
def take_along_axis(x, indices, axis=None):
    return jnp.take_along_axis(x, indices, axis=axis)


@rule(
    "tf.keras.ops.one_hot",
    samples=[sample(i32(4, high=5), 5), sample(i32(2, 3, high=4), 4, axis=1), sample(i32(3, high=3), 3, dtype="int32")],
    differences=[NARROW, BOOLS, FLOAT_INDICES],
)
def one_hot(x, num_classes, axis=-1, dtype=None, sparse=False):
    if sparse:
        refuse("sparse: one-hot rows are dense arrays in JAX")
    return jax.nn.one_hot(x, num_classes, axis=axis, dtype=as_dtype(dtype))


@rule(
    "tf.keras.ops.scatter_update",
    samples=[sample(f32(4, 3), [[0, 1], [2, 2]], f32(2)), sample(f32(4, 3), [[3], [1]], f32(2, 3))],
)
def scatter_update(inputs, indices, updates, reduction=None):
    if reduction is not None:
        refuse("reduction: use x.at[indices].add, .max, .min or .multiply")
    return inputs.at[tuple(jnp.moveaxis(jnp.asarray(indices), -1, 0))].set(updates)


@rule("tf.keras.ops.slice", samples=[sample(f32(4, 5), (1, 2), (2, 3))])
def slice_(inputs, start_indices, shape):
    return lax.dynamic_slice(inputs, start_indices, shape)


@rule("tf.keras.ops.slice_update", samples=[sample(f32(4, 5), (1, 2), f32(2, 3))])
def slice_update(inputs, start_indices, updates):
    return lax.dynamic_update_slice(inputs, updates, start_indices)


@rule("tf.keras.ops.stop_gradient", samples=[sample(f32(3, 4))])
def stop_gradient(variable):
    return lax.stop_gradient(variable)


@rule("tf.keras.ops.is_tensor", samples=[sample(f32(2)), sample(3)])
def is_tensor(x):
    return isinstance(x, jax.Array)


@rule("tf.keras.ops.nan_to_num", samples=[sample(f32(3)), sample(f32(3), nan=1.0)])
def nan_to_num(x, nan=0.0, posinf=None, neginf=None):
    return jnp.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


@rule("tf.keras.ops.copy", samples=[sample(f32(3, 4))])
def copy(x):
    return jnp.copy(x)


@rule("tf.keras.ops.clip", samples=[sample(f32(3, 4), -1.0, 0.5), sample(f32(3), x_min=f32(3, high=-1), x_max=1.0)])
def clip(x, x_min, x_max):
    return jnp.clip(x, x_min, x_max)
