"""Elementwise arithmetic, comparisons and logic."""

from __future__ import annotations

import jax.numpy as jnp
from jax import lax

from codemods.engine.rule import boolean, f32, i32, rule, sample


@rule("tf.abs", samples=[sample(f32(4, 3)), sample(i32(3, low=-3))])
def abs_(x, name=None):
    return jnp.abs(x)


@rule("tf.negative", samples=[sample(f32(4, 3)), sample(i32(3, low=-3))])
def negative(x, name=None):
    return jnp.negative(x)


@rule("tf.sign", samples=[sample(f32(4, 3)), sample(i32(3, low=-3))])
def sign(x, name=None):
    return jnp.sign(x)


@rule("tf.square", samples=[sample(f32(4, 3)), sample(i32(3, low=-3))])
def square(x, name=None):
    return jnp.square(x)


@rule("tf.sqrt", samples=[sample(f32(4, 3, low=0.1, high=4)), sample(f32(low=0.1, high=4))])
def sqrt(x, name=None):
    return jnp.sqrt(x)


@rule("tf.math.rsqrt", samples=[sample(f32(4, 3, low=0.1, high=4)), sample(f32(low=0.1, high=4))])
def rsqrt(x, name=None):
    return lax.rsqrt(x)


@rule("tf.exp", samples=[sample(f32(4, 3)), sample(f32())])
def exp(x, name=None):
    return jnp.exp(x)


@rule("tf.math.expm1", samples=[sample(f32(4, 3)), sample(f32())])
def expm1(x, name=None):
    return jnp.expm1(x)


@rule("tf.math.log", samples=[sample(f32(4, 3, low=0.1, high=4)), sample(f32(low=0.1, high=4))])
def log(x, name=None):
    return jnp.log(x)


@rule("tf.math.log1p", samples=[sample(f32(4, 3, low=-0.5, high=4)), sample(f32(low=-0.5, high=4))])
def log1p(x, name=None):
    return jnp.log1p(x)


@rule("tf.sin", samples=[sample(f32(4, 3, low=-4, high=4)), sample(f32(low=-4, high=4))])
def sin(x, name=None):
    return jnp.sin(x)


@rule("tf.cos", samples=[sample(f32(4, 3, low=-4, high=4)), sample(f32(low=-4, high=4))])
def cos(x, name=None):
    return jnp.cos(x)


@rule("tf.tan", samples=[sample(f32(4, 3, low=-1, high=1)), sample(f32(low=-1, high=1))])
def tan(x, name=None):
    return jnp.tan(x)


@rule("tf.asin", samples=[sample(f32(4, 3, low=-0.9, high=0.9)), sample(f32(low=-0.9, high=0.9))])
def asin(x, name=None):
    return jnp.arcsin(x)


@rule("tf.acos", samples=[sample(f32(4, 3, low=-0.9, high=0.9)), sample(f32(low=-0.9, high=0.9))])
def acos(x, name=None):
    return jnp.arccos(x)


@rule("tf.atan", samples=[sample(f32(4, 3, low=-4, high=4)), sample(f32(low=-4, high=4))])
def atan(x, name=None):
    return jnp.arctan(x)


@rule("tf.sinh", samples=[sample(f32(4, 3)), sample(f32())])
def sinh(x, name=None):
    return jnp.sinh(x)


@rule("tf.cosh", samples=[sample(f32(4, 3)), sample(f32())])
def cosh(x, name=None):
    return jnp.cosh(x)


@rule("tf.tanh", samples=[sample(f32(4, 3)), sample(f32())])
def tanh(x, name=None):
    return jnp.tanh(x)


@rule("tf.asinh", samples=[sample(f32(4, 3)), sample(f32())])
def asinh(x, name=None):
    return jnp.arcsinh(x)


@rule("tf.acosh", samples=[sample(f32(4, 3, low=1.1, high=4)), sample(f32(low=1.1, high=4))])
def acosh(x, name=None):
    return jnp.arccosh(x)


@rule("tf.atanh", samples=[sample(f32(4, 3, low=-0.9, high=0.9)), sample(f32(low=-0.9, high=0.9))])
def atanh(x, name=None):
    return jnp.arctanh(x)


@rule("tf.floor", samples=[sample(f32(4, 3, low=-4, high=4)), sample(f32(low=-4, high=4))])
def floor(x, name=None):
    return jnp.floor(x)


@rule("tf.math.ceil", samples=[sample(f32(4, 3, low=-4, high=4)), sample(f32(low=-4, high=4))])
def ceil(x, name=None):
    return jnp.ceil(x)


@rule("tf.round", samples=[sample(f32(4, 3, low=-4, high=4)), sample(f32(low=-4, high=4))])
def round_(x, name=None):
    return jnp.round(x)


@rule("tf.math.rint", samples=[sample(f32(4, 3, low=-4, high=4)), sample(f32(low=-4, high=4))])
def rint(x, name=None):
    return jnp.rint(x)


@rule("tf.math.reciprocal", samples=[sample(f32(4, 3, low=0.5, high=2)), sample(f32(low=0.5, high=2))])
def reciprocal(x, name=None):
    return jnp.reciprocal(x)


@rule("tf.math.is_nan", samples=[sample(f32(4, 3)), sample(f32())])
def is_nan(x, name=None):
    return jnp.isnan(x)


@rule("tf.math.is_inf", samples=[sample(f32(4, 3)), sample(f32())])
def is_inf(x, name=None):
    return jnp.isinf(x)


@rule("tf.math.is_finite", samples=[sample(f32(4, 3)), sample(f32())])
def is_finite(x, name=None):
    return jnp.isfinite(x)


@rule("tf.add", samples=[sample(f32(4, 3), f32(3)), sample(i32(2, 1), i32(3)), sample(f32(3), 0.5)])
def add(x, y, name=None):
    return jnp.add(x, y)


@rule("tf.subtract", samples=[sample(f32(4, 3), f32(3)), sample(i32(2, 1), i32(3)), sample(f32(3), 0.5)])
def subtract(x, y, name=None):
    return jnp.subtract(x, y)


@rule("tf.multiply", samples=[sample(f32(4, 3), f32(3)), sample(i32(2, 1), i32(3)), sample(f32(3), 0.5)])
def multiply(x, y, name=None):
    return jnp.multiply(x, y)


@rule("tf.maximum", samples=[sample(f32(4, 3), f32(3)), sample(i32(2, 1), i32(3)), sample(f32(3), 0.5)])
def maximum(x, y, name=None):
    return jnp.maximum(x, y)


@rule("tf.minimum", samples=[sample(f32(4, 3), f32(3)), sample(i32(2, 1), i32(3)), sample(f32(3), 0.5)])
def minimum(x, y, name=None):
    return jnp.minimum(x, y)


@rule("tf.math.squared_difference", samples=[sample(f32(4, 3), f32(3)), sample(i32(2, 1), i32(3)), sample(f32(3), 0.5)])
def squared_difference(x, y, name=None):
    return jnp.square(x - y)


@rule("tf.equal", samples=[sample(i32(4, 3, high=3), i32(3, high=3)), sample(f32(3), 0.5)])
def equal(x, y, name=None):
    return jnp.equal(x, y)


@rule("tf.not_equal", samples=[sample(i32(4, 3, high=3), i32(3, high=3)), sample(f32(3), 0.5)])
def not_equal(x, y, name=None):
    return jnp.not_equal(x, y)


@rule("tf.greater", samples=[sample(i32(4, 3, high=3), i32(3, high=3)), sample(f32(3), 0.5)])
def greater(x, y, name=None):
    return jnp.greater(x, y)


@rule("tf.greater_equal", samples=[sample(i32(4, 3, high=3), i32(3, high=3)), sample(f32(3), 0.5)])
def greater_equal(x, y, name=None):
    return jnp.greater_equal(x, y)


@rule("tf.less", samples=[sample(i32(4, 3, high=3), i32(3, high=3)), sample(f32(3), 0.5)])
def less(x, y, name=None):
    return jnp.less(x, y)


@rule("tf.less_equal", samples=[sample(i32(4, 3, high=3), i32(3, high=3)), sample(f32(3), 0.5)])
def less_equal(x, y, name=None):
    return jnp.less_equal(x, y)


@rule("tf.logical_and", samples=[sample(boolean(4, 3), boolean(3)), sample(boolean(3), True)])
def logical_and(x, y, name=None):
    return jnp.logical_and(x, y)


@rule("tf.logical_or", samples=[sample(boolean(4, 3), boolean(3)), sample(boolean(3), False)])
def logical_or(x, y, name=None):
    return jnp.logical_or(x, y)


@rule("tf.logical_not", samples=[sample(boolean(4, 3)), sample(boolean())])
def logical_not(x, name=None):
    return jnp.logical_not(x)


@rule("tf.math.logical_xor", samples=[sample(boolean(4, 3), boolean(3)), sample(boolean(3), True)])
def logical_xor(x, y, name="LogicalXor"):
    return jnp.logical_xor(x, y)
