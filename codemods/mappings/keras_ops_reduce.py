"""Reductions, sorting and products of keras.ops."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax

from codemods.engine.rule import boolean, f32, i32, known, refuse, rule, sample
from codemods.mappings.differences import (
    ANY_ORDER,
    IGNORED_DTYPE,
    INTEGERS,
    NAN,
    NO_ELEMENTS,
    OUT_OF_CLASSES,
    SCALAR,
    STRICT_SHAPES,
)
from codemods.mappings.tf_core import axes
from codemods.mappings.tf_dtypes import NARROW, as_dtype


@rule(
    "tf.keras.ops.sum",
    samples=[sample(f32(2, 3, 4)), sample(f32(2, 3, 4), axis=1), sample(f32(2, 3, 4), axis=(0, 2), keepdims=True)],
)
def sum_(x, axis=None, keepdims=False):
    return jnp.sum(x, axis=axes(axis), keepdims=keepdims)


@rule(
    "tf.keras.ops.mean",
    samples=[sample(f32(2, 3, 4)), sample(f32(2, 3, 4), axis=1), sample(f32(2, 3, 4), axis=(0, 2), keepdims=True)],
)
def mean(x, axis=None, keepdims=False):
    return jnp.mean(x, axis=axes(axis), keepdims=keepdims)


@rule(
    "tf.keras.ops.max",
    samples=[sample(f32(2, 3, 4)), sample(f32(2, 3, 4), axis=1), sample(f32(2, 3, 4), axis=(0, 2), keepdims=True)],
)
def max_(x, axis=None, keepdims=False, initial=None):
    return jnp.max(x, axis=axes(axis), keepdims=keepdims, initial=initial)


@rule(
    "tf.keras.ops.min",
    samples=[
        sample(f32(2, 3, 4)),
        sample(f32(2, 3, 4), axis=1),
        sample(f32(2, 3, 4), axis=(0, 2), keepdims=True),
        sample(f32(2, 3), axis=1, initial=-9.0),
    ],
)
def min_(x, axis=None, keepdims=False, initial=None):
    return jnp.min(x, axis=axes(axis), keepdims=keepdims, initial=initial)


@rule(
    "tf.keras.ops.prod",
    samples=[sample(f32(2, 3, 4)), sample(f32(2, 3, 4), axis=1), sample(f32(2, 3, 4), axis=(0, 2), keepdims=True)],
    differences=[IGNORED_DTYPE],
)
def prod(x, axis=None, keepdims=False, dtype=None):
    return jnp.prod(x, axis=axes(axis), keepdims=keepdims, dtype=as_dtype(dtype))


@rule(
    "tf.keras.ops.std",
    samples=[sample(f32(2, 3, 4)), sample(f32(2, 3, 4), axis=1), sample(f32(2, 3, 4), axis=(0, 2), keepdims=True)],
)
def std(x, axis=None, keepdims=False):
    return jnp.std(x, axis=axes(axis), keepdims=keepdims)


@rule(
    "tf.keras.ops.var",
    samples=[sample(f32(2, 3, 4)), sample(f32(2, 3, 4), axis=1), sample(f32(2, 3, 4), axis=(0, 2), keepdims=True)],
)
def var(x, axis=None, keepdims=False):
    return jnp.var(x, axis=axes(axis), keepdims=keepdims)


@rule("tf.keras.ops.median", samples=[sample(f32(2, 3, 5), axis=2), sample(f32(3, 5), axis=-1, keepdims=True)])
def median(x, axis=None, keepdims=False):
    return jnp.median(x, axis=axes(axis), keepdims=keepdims)


@rule(
    "tf.keras.ops.logsumexp",
    samples=[sample(f32(2, 3, 4)), sample(f32(2, 3, 4), axis=1), sample(f32(2, 3, 4), axis=(0, 2), keepdims=True)],
)
def logsumexp(x, axis=None, keepdims=False):
    return jax.nn.logsumexp(x, axis=axes(axis), keepdims=keepdims)


@rule(
    "tf.keras.ops.amax",
    samples=[sample(f32(2, 3, 4)), sample(f32(2, 3, 4), axis=1), sample(f32(2, 3, 4), axis=(0, 2), keepdims=True)],
)
def amax(x, axis=None, keepdims=False):
    return jnp.max(x, axis=axes(axis), keepdims=keepdims)


@rule(
    "tf.keras.ops.amin",
    samples=[sample(f32(2, 3, 4)), sample(f32(2, 3, 4), axis=1), sample(f32(2, 3, 4), axis=(0, 2), keepdims=True)],
)
def amin(x, axis=None, keepdims=False):
    return jnp.min(x, axis=axes(axis), keepdims=keepdims)


@rule("tf.keras.ops.any", samples=[sample(boolean(3, 4)), sample(boolean(3, 4), axis=1, keepdims=True)])
def any_(x, axis=None, keepdims=False):
    return jnp.any(x, axis=axes(axis), keepdims=keepdims)


@rule("tf.keras.ops.all", samples=[sample(boolean(3, 4)), sample(boolean(3, 4), axis=1, keepdims=True)])
def all_(x, axis=None, keepdims=False):
    return jnp.all(x, axis=axes(axis), keepdims=keepdims)


@rule(
    "tf.keras.ops.argmax",
    samples=[sample(f32(3, 4)), sample(f32(3, 4), axis=1), sample(f32(3, 4), axis=-1, keepdims=True)],
    differences=[NAN],
)
def argmax(x, axis=None, keepdims=False):
    return jnp.argmax(x, axis=axis, keepdims=keepdims)


@rule(
    "tf.keras.ops.argmin",
    samples=[sample(f32(3, 4)), sample(f32(3, 4), axis=1), sample(f32(3, 4), axis=-1, keepdims=True)],
    differences=[NAN],
)
def argmin(x, axis=None, keepdims=False):
    return jnp.argmin(x, axis=axis, keepdims=keepdims)


@rule(
    "tf.keras.ops.cumsum",
    samples=[sample(f32(3, 4), axis=1), sample(f32(3, 4)), sample(i32(4), axis=0, dtype="float32")],
    differences=[NARROW],
)
def cumsum(x, axis=None, dtype=None):
    return jnp.cumsum(x, axis=axis, dtype=as_dtype(dtype))


@rule(
    "tf.keras.ops.cumprod",
    samples=[sample(f32(3, 4), axis=1), sample(f32(3, 4)), sample(i32(4), axis=0, dtype="float32")],
    differences=[NARROW],
)
def cumprod(x, axis=None, dtype=None):
    return jnp.cumprod(x, axis=axis, dtype=as_dtype(dtype))


@rule("tf.keras.ops.count_nonzero", samples=[sample(i32(3, 4, high=2)), sample(i32(3, 4, high=2), axis=1)])
def count_nonzero(x, axis=None):
    return jnp.count_nonzero(x, axis=axes(axis))


@rule("tf.keras.ops.sort", samples=[sample(f32(3, 4)), sample(f32(3, 4), axis=0)])
def sort(x, axis=-1):
    return jnp.sort(x, axis=axis)


@rule("tf.keras.ops.argsort", samples=[sample(f32(3, 4)), sample(f32(3, 4), axis=0)], differences=[NAN, SCALAR])
def argsort(x, axis=-1):
    return jnp.argsort(x, axis=axis)


@rule("tf.keras.ops.top_k", samples=[sample(f32(3, 5), 2), sample(f32(6), k=3)], differences=[NAN, ANY_ORDER])
def top_k(x, k, sorted=True):
    return lax.top_k(x, k)


@rule("tf.keras.ops.in_top_k", samples=[sample(i32(5, high=4), f32(5, 4), 2)], differences=[NAN, OUT_OF_CLASSES])
def in_top_k(targets, predictions, k):
    return jnp.sum(predictions > jnp.take_along_axis(predictions, targets[:, None], axis=-1), axis=1) < k


@rule(
    "tf.keras.ops.norm",
    samples=[sample(f32(3, 4)), sample(f32(3, 4), axis=1), sample(f32(3, 4), ord=1, axis=-1, keepdims=True)],
)
def norm(x, ord=None, axis=None, keepdims=False):
    return jnp.linalg.norm(x, ord=ord, axis=axes(axis), keepdims=keepdims)


@rule(
    "tf.keras.ops.normalize",
    samples=[sample(f32(3, 4)), sample(f32(3, 4), axis=0), sample(f32(3, 4, low=0.001, high=0.01))],
    differences=[SCALAR],
)
def normalize(x, axis=-1, order=2, epsilon=None):
    if order != 2 or epsilon is not None:
        refuse("another norm or epsilon: divide by jnp.maximum(jnp.linalg.norm(x, ord, axis, True), epsilon)")
    return x / jnp.maximum(jnp.linalg.norm(x, axis=axis, keepdims=True), 1e-7)


@rule(
    "tf.keras.ops.moments",
    samples=[sample(f32(4, 3, 2), [0, 1]), sample(f32(4, 3), axes=[1], keepdims=True)],
    differences=[INTEGERS],
)
def moments(x, axes, keepdims=False, synchronized=False):
    if synchronized:
        refuse("synchronized: take jax.lax.pmean of the moments")
    if known(axes) and isinstance(axes, list):
        axes = tuple(axes)
    return jnp.mean(x, axis=axes, keepdims=keepdims), jnp.var(x, axis=axes, keepdims=keepdims)


@rule("tf.keras.ops.matmul", samples=[sample(f32(2, 3), f32(3, 4)), sample(f32(2, 3, 4), f32(2, 4, 5))])
def matmul(x1, x2):
    return jnp.matmul(x1, x2)


@rule("tf.keras.ops.dot", samples=[sample(f32(2, 3), f32(3, 4)), sample(f32(3), f32(3))])
def dot(x1, x2):
    return jnp.dot(x1, x2)


@rule("tf.keras.ops.tensordot", samples=[sample(f32(2, 3, 4), f32(3, 4, 5)), sample(f32(2, 3), f32(3, 4), axes=1)])
def tensordot(x1, x2, axes=2):
    return jnp.tensordot(x1, x2, axes=axes)


@rule("tf.keras.ops.einsum", samples=[sample("bij,bjk->bik", f32(2, 3, 4), f32(2, 4, 5))])
def einsum(subscripts, *operands):
    return jnp.einsum(subscripts, *operands)


@rule("tf.keras.ops.outer", samples=[sample(f32(3), f32(4))])
def outer(x1, x2):
    return jnp.outer(x1, x2)


@rule(
    "tf.keras.ops.cross",
    samples=[
        sample(f32(4, 3), f32(4, 3)),
        sample(f32(3, 4), f32(4, 3), axisa=0, axisc=0),
        sample(f32(4, 3), f32(3, 4), axisb=0),
        sample(f32(3, 4), f32(3, 4), axis=0),
    ],
    differences=[STRICT_SHAPES],
)
def cross(x1, x2, axisa=-1, axisb=-1, axisc=-1, axis=None):
    return jnp.cross(x1, x2, axisa=axisa, axisb=axisb, axisc=axisc, axis=axis)


@rule("tf.keras.ops.segment_sum", samples=[sample(f32(4, 2), i32(4, high=3), 3)])
def segment_sum(data, segment_ids, num_segments=None, sorted=False):
    return jax.ops.segment_sum(data, segment_ids, num_segments, indices_are_sorted=sorted)


@rule("tf.keras.ops.segment_max", samples=[sample(f32(40, 2), i32(40, high=3), 3)], differences=[NO_ELEMENTS])
def segment_max(data, segment_ids, num_segments=None, sorted=False):
    return jax.ops.segment_max(data, segment_ids, num_segments, indices_are_sorted=sorted)
