"""Division, powers, sums of tensors, and arithmetic that guards against NaN."""

from __future__ import annotations

import jax.numpy as jnp
import jax.scipy as jsp
from jax import lax

from codemods.engine.rule import Array, Difference, f32, i32, known, refuse, rule, sample
from codemods.engine.touching import of_integers
from codemods.mappings.tf_dtypes import NARROW, NARROW_INTEGERS, as_dtype

QUOTIENT = Difference(
    "a quotient of integers, 64 bits wide in TensorFlow",
    "JAX gives float32 unless x64 is switched on",
    at=of_integers,
)
AT_ZERO = Difference("the gradient where the first factor is 0", "TensorFlow gives 0, JAX the limit")
COMPLEX = Array((3,), "complex64")


@rule(
    "tf.divide",
    samples=[sample(f32(4, 3), f32(3, low=0.5)), sample(i32(3), i32(3, low=1)), sample(f32(3), 2.0)],
    differences=[QUOTIENT],
)
def divide(x, y, name=None):
    return jnp.divide(x, y)


@rule("tf.truediv", samples=[sample(f32(4, 3), f32(3, low=0.5)), sample(i32(3), i32(3, low=1))], differences=[QUOTIENT])
def truediv(x, y, name=None):
    return jnp.true_divide(x, y)


@rule("tf.realdiv", samples=[sample(f32(4, 3), f32(3, low=0.5)), sample(f32(3), 2.0)])
def realdiv(x, y, name=None):
    return jnp.divide(x, y)


@rule(
    "tf.math.floordiv",
    samples=[sample(i32(4, low=-9), i32(4, low=1)), sample(f32(4, low=-9), f32(low=1)), sample(i32(3, low=-9), -2)],
)
def floordiv(x, y, name=None):
    return jnp.floor_divide(x, y)


@rule(
    "tf.math.mod",
    "tf.math.floormod",
    samples=[sample(i32(4, low=-9), i32(4, low=1)), sample(f32(4, low=-9), f32(4, low=1)), sample(i32(3, low=-9), -4)],
)
def mod(x, y, name=None):
    return jnp.mod(x, y)


@rule("tf.truncatediv", samples=[sample(i32(4, low=-9), i32(4, low=1)), sample(i32(3, low=-9), i32(3, low=2))])
def truncatediv(x, y, name=None):
    if known(x.dtype) and x.dtype in ("float32", "bfloat16", "float16"):
        return jnp.trunc(jnp.divide(x, y))
    return lax.div(*jnp.broadcast_arrays(x, y))


@rule("tf.truncatemod", samples=[sample(i32(4, low=-9), i32(4, low=1)), sample(i32(3, low=-9), i32(3, low=2))])
def truncatemod(x, y, name=None):
    return jnp.fmod(x, y)


@rule("tf.pow", samples=[sample(f32(4, 3, low=0.1), f32(3)), sample(i32(3), i32(3, high=4)), sample(f32(3), 2.0)])
def pow_(x, y, name=None):
    return jnp.power(x, y)


@rule("tf.atan2", samples=[sample(f32(4, 3), f32(3)), sample(f32(3), f32())])
def atan2(y, x, name=None):
    return jnp.arctan2(y, x)


@rule("tf.add_n", samples=[sample([f32(2, 3), f32(2, 3), f32(2, 3)]), sample([i32(2)])])
def add_n(inputs, name=None):
    return sum(inputs)


@rule("tf.math.accumulate_n", samples=[sample([f32(2, 3), f32(2, 3)]), sample([i32(2), i32(2)], shape=[2])])
def accumulate_n(inputs, shape=None, tensor_dtype=None, name=None):
    if tensor_dtype is not None:
        refuse("tensor_dtype: cast the tensors")
    return sum(inputs)


@rule("tf.scalar_mul", samples=[sample(2.0, f32(3)), sample(f32(), f32(2, 3))])
def scalar_mul(scalar, x, name=None):
    return scalar * x


@rule(
    "tf.math.divide_no_nan",
    samples=[sample(f32(3), f32(3)), sample(f32(2, 3), f32(3, low=0, high=0))],
    differences=[NARROW_INTEGERS],
)
def divide_no_nan(x, y, name=None):
    return jnp.where(jnp.equal(y, 0), 0, jnp.divide(x, jnp.where(jnp.equal(y, 0), 1, y)))


@rule("tf.math.multiply_no_nan", samples=[sample(f32(3), f32(3)), sample(f32(2, 3), f32(3))], differences=[AT_ZERO])
def multiply_no_nan(x, y, name=None):
    return jnp.where(jnp.equal(y, 0), 0, jnp.multiply(x, y))


@rule("tf.math.reciprocal_no_nan", samples=[sample(f32(3, low=1)), sample(f32(3, low=0, high=0))])
def reciprocal_no_nan(x, name=None):
    return jnp.where(jnp.equal(x, 0), 0, 1 / jnp.where(jnp.equal(x, 0), 1, x))


@rule(
    "tf.math.xlogy",
    samples=[sample(f32(3), f32(3, low=0.1)), sample(f32(2, 3), f32(3, low=0.1))],
    differences=[AT_ZERO],
)
def xlogy(x, y, name=None):
    return jsp.special.xlogy(x, y)


@rule(
    "tf.math.xlog1py",
    samples=[sample(f32(3), f32(3, low=0.1)), sample(f32(2, 3), f32(3, low=0.1))],
    differences=[AT_ZERO],
)
def xlog1py(x, y, name=None):
    return jsp.special.xlog1py(x, y)


@rule(
    "tf.math.xdivy",
    samples=[
        sample(f32(3), f32(3, low=0.1)),
        sample(f32(3, low=0, high=0), f32(3, low=0, high=2)),
        sample(f32(3, low=1, high=1), f32(3, low=2, high=3)),
        sample(f32(3, low=0, high=0), f32(3, low=0, high=0)),
    ],
)
def xdivy(x, y, name=None):
    return jnp.where(jnp.equal(x, 0), 0, jnp.divide(x, jnp.where(jnp.equal(x, 0), 1, y)))


@rule("tf.complex", samples=[sample(f32(3), f32(3)), sample(f32(2, 2), f32(2, 2))])
def complex_(real, imag, name=None):
    return lax.complex(*jnp.broadcast_arrays(real, imag))


@rule("tf.math.real", samples=[sample(COMPLEX), sample(f32(3))])
def real(input, name=None):
    return jnp.real(input)


@rule("tf.math.imag", samples=[sample(COMPLEX)])
def imag(input, name=None):
    return jnp.imag(input)


@rule("tf.math.angle", samples=[sample(COMPLEX)])
def angle(input, name=None):
    return jnp.angle(input)


@rule("tf.math.conj", samples=[sample(COMPLEX), sample(f32(3))])
def conj(x, name=None):
    return jnp.conj(x)


@rule("tf.math.polyval", samples=[sample([1.0, -2.0, 3.0], f32(4)), sample([0.5, 1.0], f32(2, 2))])
def polyval(coeffs, x, name=None):
    return jnp.polyval(jnp.array(coeffs), x)


@rule(
    "tf.saturate_cast",
    samples=[sample(f32(4, low=-500, high=500), "uint8"), sample(i32(4, low=-300, high=300), dtype="int8")],
    differences=[NARROW],
)
def saturate_cast(value, dtype, name=None):
    if dtype == "float32":
        return jnp.asarray(value, dtype=jnp.float32)
    if dtype in ("float16", "bfloat16", "float64"):
        refuse("another float dtype than float32: clip to the limits of jnp.finfo, then cast")
    return jnp.clip(value, jnp.iinfo(as_dtype(dtype)).min, jnp.iinfo(as_dtype(dtype)).max).astype(as_dtype(dtype))


@rule("tf.bitcast", samples=[sample(f32(3), "int32"), sample(i32(2, 2), type="float32")])
def bitcast(input, type, name=None):
    return lax.bitcast_convert_type(input, as_dtype(type))


BITS = [sample(i32(4, low=1), i32(4, low=1, high=5)), sample(i32(2, 1), i32(3, high=4))]


@rule("tf.bitwise.bitwise_and", samples=BITS)
def bitwise_and(x, y, name=None):
    return jnp.bitwise_and(x, y)


@rule("tf.bitwise.bitwise_or", samples=BITS)
def bitwise_or(x, y, name=None):
    return jnp.bitwise_or(x, y)


@rule("tf.bitwise.bitwise_xor", samples=BITS)
def bitwise_xor(x, y, name=None):
    return jnp.bitwise_xor(x, y)


@rule("tf.bitwise.left_shift", samples=BITS)
def left_shift(x, y, name=None):
    return jnp.left_shift(x, y)


@rule("tf.bitwise.right_shift", samples=BITS)
def right_shift(x, y, name=None):
    return jnp.right_shift(x, y)


@rule("tf.bitwise.invert", samples=[sample(i32(4))])
def invert(x, name=None):
    return jnp.invert(x)
