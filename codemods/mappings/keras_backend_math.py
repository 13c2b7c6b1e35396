"""Arithmetic and reductions of tf.keras.backend."""

from __future__ import annotations

import jax.numpy as jnp

from codemods.engine.rule import boolean, f32, rule, sample
from codemods.mappings.differences import EMPTY, INTEGERS
from codemods.mappings.tf_core import axes
from codemods.mappings.tf_dtypes import NARROW_UNLESS_ASKED


@rule("tf.keras.backend.abs", samples=[sample(f32(3, 4))])
def abs_(x):
    return jnp.abs(x)


@rule("tf.keras.backend.exp", samples=[sample(f32(3, 4))])
def exp(x):
    return jnp.exp(x)


@rule("tf.keras.backend.log", samples=[sample(f32(3, 4, low=0.1, high=4))])
def log(x):
    return jnp.log(x)


@rule("tf.keras.backend.sqrt", samples=[sample(f32(3, 4, low=0.1, high=4))])
def sqrt(x):
    return jnp.sqrt(x)


@rule("tf.keras.backend.square", samples=[sample(f32(3, 4))])
def square(x):
    return jnp.square(x)


@rule("tf.keras.backend.sin", samples=[sample(f32(3, 4))])
def sin(x):
    return jnp.sin(x)


@rule("tf.keras.backend.cos", samples=[sample(f32(3, 4))])
def cos(x):
    return jnp.cos(x)


@rule("tf.keras.backend.tanh", samples=[sample(f32(3, 4))])
def tanh(x):
    return jnp.tanh(x)


@rule("tf.keras.backend.sign", samples=[sample(f32(3, 4))])
def sign(x):
    return jnp.sign(x)


@rule("tf.keras.backend.round", samples=[sample(f32(3, 4))])
def round_(x):
    return jnp.round(x)


@rule("tf.keras.backend.equal", samples=[sample(f32(3, 4), f32(4))])
def equal(x, y):
    return jnp.equal(x, y)


@rule("tf.keras.backend.not_equal", samples=[sample(f32(3, 4), f32(4))])
def not_equal(x, y):
    return jnp.not_equal(x, y)


@rule("tf.keras.backend.greater", samples=[sample(f32(3, 4), f32(4))])
def greater(x, y):
    return jnp.greater(x, y)


@rule("tf.keras.backend.greater_equal", samples=[sample(f32(3, 4), f32(4))])
def greater_equal(x, y):
    return jnp.greater_equal(x, y)


@rule("tf.keras.backend.less", samples=[sample(f32(3, 4), f32(4))])
def less(x, y):
    return jnp.less(x, y)


@rule("tf.keras.backend.less_equal", samples=[sample(f32(3, 4), f32(4))])
def less_equal(x, y):
    return jnp.less_equal(x, y)


@rule("tf.keras.backend.maximum", samples=[sample(f32(3, 4), f32(4))])
def maximum(x, y):
    return jnp.maximum(x, y)


@rule("tf.keras.backend.minimum", samples=[sample(f32(3, 4), f32(4))])
def minimum(x, y):
    return jnp.minimum(x, y)


@rule(
    "tf.keras.backend.sum",
    samples=[sample(f32(2, 3, 4)), sample(f32(2, 3, 4), axis=1), sample(f32(2, 3, 4), axis=[0, 2], keepdims=True)],
)
def sum_(x, axis=None, keepdims=False):
    return jnp.sum(x, axis=axes(axis), keepdims=keepdims)


@rule(
    "tf.keras.backend.mean",
    samples=[sample(f32(2, 3, 4)), sample(f32(2, 3, 4), axis=1), sample(f32(2, 3, 4), axis=[0, 2], keepdims=True)],
    differences=[INTEGERS],
)
def mean(x, axis=None, keepdims=False):
    return jnp.mean(x, axis=axes(axis), keepdims=keepdims)


@rule(
    "tf.keras.backend.max",
    samples=[sample(f32(2, 3, 4)), sample(f32(2, 3, 4), axis=1), sample(f32(2, 3, 4), axis=[0, 2], keepdims=True)],
    differences=[EMPTY],
)
def max_(x, axis=None, keepdims=False):
    return jnp.max(x, axis=axes(axis), keepdims=keepdims)


@rule(
    "tf.keras.backend.min",
    samples=[sample(f32(2, 3, 4)), sample(f32(2, 3, 4), axis=1), sample(f32(2, 3, 4), axis=[0, 2], keepdims=True)],
    differences=[EMPTY],
)
def min_(x, axis=None, keepdims=False):
    return jnp.min(x, axis=axes(axis), keepdims=keepdims)


@rule(
    "tf.keras.backend.prod",
    samples=[sample(f32(2, 3, 4)), sample(f32(2, 3, 4), axis=1), sample(f32(2, 3, 4), axis=[0, 2], keepdims=True)],
)
def prod(x, axis=None, keepdims=False):
    return jnp.prod(x, axis=axes(axis), keepdims=keepdims)


@rule(
    "tf.keras.backend.std",
    samples=[sample(f32(2, 3, 4)), sample(f32(2, 3, 4), axis=1), sample(f32(2, 3, 4), axis=[0, 2], keepdims=True)],
)
def std(x, axis=None, keepdims=False):
    return jnp.std(x, axis=axes(axis), keepdims=keepdims)


@rule(
    "tf.keras.backend.var",
    samples=[sample(f32(2, 3, 4)), sample(f32(2, 3, 4), axis=1), sample(f32(2, 3, 4), axis=[0, 2], keepdims=True)],
)
def var(x, axis=None, keepdims=False):
    return jnp.var(x, axis=axes(axis), keepdims=keepdims)


@rule("tf.keras.backend.any", samples=[sample(boolean(3, 4)), sample(boolean(3, 4), axis=1, keepdims=True)])
def any_(x, axis=None, keepdims=False):
    return jnp.any(x, axis=axes(axis), keepdims=keepdims)


@rule("tf.keras.backend.all", samples=[sample(boolean(3, 4)), sample(boolean(3, 4), axis=1, keepdims=True)])
def all_(x, axis=None, keepdims=False):
    return jnp.all(x, axis=axes(axis), keepdims=keepdims)


@rule(
    "tf.keras.backend.argmax", samples=[sample(f32(3, 4)), sample(f32(3, 4), axis=0)], differences=[NARROW_UNLESS_ASKED]
)
def argmax(x, axis=-1):
    return jnp.argmax(x, axis=axis)


@rule(
    "tf.keras.backend.argmin", samples=[sample(f32(3, 4)), sample(f32(3, 4), axis=0)], differences=[NARROW_UNLESS_ASKED]
)
def argmin(x, axis=-1):
    return jnp.argmin(x, axis=axis)


@rule("tf.keras.backend.cumsum", samples=[sample(f32(3, 4)), sample(f32(3, 4), axis=1)])
def cumsum(x, axis=0):
    return jnp.cumsum(x, axis=axis)


@rule("tf.keras.backend.cumprod", samples=[sample(f32(3, 4)), sample(f32(3, 4), axis=1)])
def cumprod(x, axis=0):
    return jnp.cumprod(x, axis=axis)
