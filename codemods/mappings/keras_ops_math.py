"""Elementwise keras.ops."""

from __future__ import annotations

import jax.numpy as jnp
import jax.scipy as jsp
from jax import lax

from codemods.engine.rule import f32, i32, rule, sample
from codemods.mappings.differences import BOOL_RESULT, BOOLS, INTEGER_RESULT


@rule("tf.keras.ops.abs", samples=[sample(f32(3, 4)), sample(f32())])
def abs_(x):
    return jnp.abs(x)


@rule("tf.keras.ops.absolute", samples=[sample(f32(3, 4)), sample(f32())])
def absolute(x):
    return jnp.absolute(x)


@rule("tf.keras.ops.exp", samples=[sample(f32(3, 4)), sample(f32())])
def exp(x):
    return jnp.exp(x)


@rule("tf.keras.ops.expm1", samples=[sample(f32(3, 4)), sample(f32())])
def expm1(x):
    return jnp.expm1(x)


@rule("tf.keras.ops.log", samples=[sample(f32(3, 4, low=0.1, high=4)), sample(f32(low=0.1, high=4))])
def log(x):
    return jnp.log(x)


@rule("tf.keras.ops.log1p", samples=[sample(f32(3, 4, low=-0.5, high=4)), sample(f32(low=-0.5, high=4))])
def log1p(x):
    return jnp.log1p(x)


@rule("tf.keras.ops.log2", samples=[sample(f32(3, 4, low=0.1, high=4)), sample(f32(low=0.1, high=4))])
def log2(x):
    return jnp.log2(x)


@rule("tf.keras.ops.log10", samples=[sample(f32(3, 4, low=0.1, high=4)), sample(f32(low=0.1, high=4))])
def log10(x):
    return jnp.log10(x)


@rule("tf.keras.ops.sqrt", samples=[sample(f32(3, 4, low=0.1, high=4)), sample(f32(low=0.1, high=4))])
def sqrt(x):
    return jnp.sqrt(x)


@rule("tf.keras.ops.square", samples=[sample(f32(3, 4)), sample(f32())])
def square(x):
    return jnp.square(x)


@rule("tf.keras.ops.sin", samples=[sample(f32(3, 4, low=-4, high=4)), sample(f32(low=-4, high=4))])
def sin(x):
    return jnp.sin(x)


@rule("tf.keras.ops.cos", samples=[sample(f32(3, 4, low=-4, high=4)), sample(f32(low=-4, high=4))])
def cos(x):
    return jnp.cos(x)


@rule("tf.keras.ops.tan", samples=[sample(f32(3, 4, low=-1, high=1)), sample(f32(low=-1, high=1))])
def tan(x):
    return jnp.tan(x)


@rule("tf.keras.ops.arcsin", samples=[sample(f32(3, 4, low=-0.9, high=0.9)), sample(f32(low=-0.9, high=0.9))])
def arcsin(x):
    return jnp.arcsin(x)


@rule("tf.keras.ops.arccos", samples=[sample(f32(3, 4, low=-0.9, high=0.9)), sample(f32(low=-0.9, high=0.9))])
def arccos(x):
    return jnp.arccos(x)


@rule("tf.keras.ops.arctan", samples=[sample(f32(3, 4, low=-4, high=4)), sample(f32(low=-4, high=4))])
def arctan(x):
    return jnp.arctan(x)


@rule("tf.keras.ops.sinh", samples=[sample(f32(3, 4)), sample(f32())])
def sinh(x):
    return jnp.sinh(x)


@rule("tf.keras.ops.cosh", samples=[sample(f32(3, 4)), sample(f32())])
def cosh(x):
    return jnp.cosh(x)


@rule("tf.keras.ops.tanh", samples=[sample(f32(3, 4)), sample(f32())])
def tanh(x):
    return jnp.tanh(x)


@rule(
    "tf.keras.ops.floor",
    samples=[sample(f32(3, 4, low=-4, high=4)), sample(f32(low=-4, high=4))],
    differences=[INTEGER_RESULT, BOOL_RESULT],
)
def floor(x):
    return jnp.floor(x)


@rule(
    "tf.keras.ops.ceil",
    samples=[sample(f32(3, 4, low=-4, high=4)), sample(f32(low=-4, high=4))],
    differences=[INTEGER_RESULT, BOOL_RESULT],
)
def ceil(x):
    return jnp.ceil(x)


@rule("tf.keras.ops.sign", samples=[sample(f32(3, 4)), sample(f32())])
def sign(x):
    return jnp.sign(x)


@rule("tf.keras.ops.negative", samples=[sample(f32(3, 4)), sample(f32())])
def negative(x):
    return jnp.negative(x)


@rule("tf.keras.ops.reciprocal", samples=[sample(f32(3, 4, low=0.5, high=2)), sample(f32(low=0.5, high=2))])
def reciprocal(x):
    return jnp.reciprocal(x)


@rule("tf.keras.ops.isnan", samples=[sample(f32(3, 4)), sample(f32())])
def isnan(x):
    return jnp.isnan(x)


@rule("tf.keras.ops.isinf", samples=[sample(f32(3, 4)), sample(f32())])
def isinf(x):
    return jnp.isinf(x)


@rule("tf.keras.ops.isfinite", samples=[sample(f32(3, 4)), sample(f32())])
def isfinite(x):
    return jnp.isfinite(x)


@rule("tf.keras.ops.rsqrt", samples=[sample(f32(3, low=0.1))])
def rsqrt(x):
    return lax.rsqrt(x)


@rule("tf.keras.ops.round", samples=[sample(f32(3, 4, low=-4, high=4)), sample(f32(3), decimals=1)])
def round_(x, decimals=0):
    return jnp.round(x, decimals)


@rule("tf.keras.ops.erf", samples=[sample(f32(3, 4))])
def erf(x):
    return jsp.special.erf(x)


@rule("tf.keras.ops.add", samples=[sample(f32(3, 4), f32(4)), sample(i32(3), i32(3)), sample(f32(3), 0.5)])
def add(x1, x2):
    return jnp.add(x1, x2)


@rule("tf.keras.ops.subtract", samples=[sample(f32(3, 4), f32(4)), sample(i32(3), i32(3)), sample(f32(3), 0.5)])
def subtract(x1, x2):
    return jnp.subtract(x1, x2)


@rule("tf.keras.ops.multiply", samples=[sample(f32(3, 4), f32(4)), sample(i32(3), i32(3)), sample(f32(3), 0.5)])
def multiply(x1, x2):
    return jnp.multiply(x1, x2)


@rule("tf.keras.ops.maximum", samples=[sample(f32(3, 4), f32(4)), sample(i32(3), i32(3)), sample(f32(3), 0.5)])
def maximum(x1, x2):
    return jnp.maximum(x1, x2)


@rule("tf.keras.ops.minimum", samples=[sample(f32(3, 4), f32(4)), sample(i32(3), i32(3)), sample(f32(3), 0.5)])
def minimum(x1, x2):
    return jnp.minimum(x1, x2)


@rule("tf.keras.ops.divide", samples=[sample(f32(3, 4), f32(4, low=0.5)), sample(f32(3), 2.0)], differences=[BOOLS])
def divide(x1, x2):
    return jnp.divide(x1, x2)


@rule(
    "tf.keras.ops.true_divide", samples=[sample(f32(3, 4), f32(4, low=0.5)), sample(f32(3), 2.0)], differences=[BOOLS]
)
def true_divide(x1, x2):
    return jnp.true_divide(x1, x2)


@rule("tf.keras.ops.floor_divide", samples=[sample(i32(4, low=-9), i32(4, low=1)), sample(f32(4, low=-9), 2.0)])
def floor_divide(x1, x2):
    return jnp.floor_divide(x1, x2)


@rule("tf.keras.ops.mod", samples=[sample(i32(4, low=-9), i32(4, low=1)), sample(f32(4, low=-9), f32(4, low=1))])
def mod(x1, x2):
    return jnp.mod(x1, x2)


@rule("tf.keras.ops.power", samples=[sample(f32(3, 4, low=0.1), f32(4)), sample(f32(3), 2.0)])
def power(x1, x2):
    return jnp.power(x1, x2)


@rule("tf.keras.ops.arctan2", samples=[sample(f32(3), f32(3))])
def arctan2(x1, x2):
    return jnp.arctan2(x1, x2)


@rule("tf.keras.ops.logaddexp", samples=[sample(f32(3), f32(3))])
def logaddexp(x1, x2):
    return jnp.logaddexp(x1, x2)
