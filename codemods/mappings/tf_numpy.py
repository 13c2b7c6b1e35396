"""tf.experimental.numpy, which is jax.numpy with another name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
from flax import nnx

from codemods.engine.rule import constant, f32, i32, known, rule, sample
from codemods.mappings.tf_core import axes
from codemods.mappings.tf_dtypes import NARROW, NARROW_INTEGERS, NARROW_UNLESS_ASKED, SAME, as_dtype
from codemods.mappings.tf_nn import RANDOM

if TYPE_CHECKING:
    rngs = nnx.Rngs(0)

for _name in (*SAME[:3], "int32", "int64", "float64", "bool"):
    constant(f"tf.experimental.numpy.{_name}", as_dtype.function(_name))
constant("tf.experimental.numpy.newaxis", "None")
constant("tf.experimental.numpy.pi", "jnp.pi")


@rule("tf.experimental.numpy.ones", samples=[sample([2, 3]), sample((4,), dtype="int32")], differences=[NARROW])
def ones(shape, dtype=float):
    if known(dtype) and dtype is float:
        return jnp.ones(shape)
    return jnp.ones(shape, dtype=as_dtype(dtype))


@rule("tf.experimental.numpy.zeros", samples=[sample([2, 3]), sample((4,), dtype="int32")], differences=[NARROW])
def zeros(shape, dtype=float):
    if known(dtype) and dtype is float:
        return jnp.zeros(shape)
    return jnp.zeros(shape, dtype=as_dtype(dtype))


@rule(
    "tf.experimental.numpy.asarray", samples=[sample(f32(2, 3)), sample(i32(3), dtype="float32")], differences=[NARROW]
)
def asarray(a, dtype=None):
    return jnp.asarray(a, dtype=as_dtype(dtype))


@rule("tf.experimental.numpy.matmul", samples=[sample(f32(2, 3), f32(3, 4)), sample(f32(2, 3, 4), f32(2, 4, 5))])
def matmul(x1, x2):
    return jnp.matmul(x1, x2)


@rule("tf.experimental.numpy.dot", samples=[sample(f32(2, 3), f32(3, 4)), sample(f32(3), f32(3))])
def dot(a, b):
    return jnp.dot(a, b)


@rule("tf.experimental.numpy.expand_dims", samples=[sample(f32(4, 3), 1), sample(i32(2), axis=-1)])
def expand_dims(a, axis):
    return jnp.expand_dims(a, axis)


@rule(
    "tf.experimental.numpy.reshape",
    samples=[sample(f32(4, 3), [2, 6]), sample(f32(4, 3), newshape=-1), sample(f32(4, 3), [2, 6], order="F")],
)
def reshape(a, newshape, order="C"):
    return jnp.reshape(a, newshape, order=order)


@rule("tf.experimental.numpy.transpose", samples=[sample(f32(4, 3)), sample(f32(4, 3, 2), axes=[1, 2, 0])])
def transpose(a, axes=None):
    return jnp.transpose(a, axes=axes)


@rule(
    "tf.experimental.numpy.concatenate",
    samples=[sample([f32(2, 3), f32(4, 3)]), sample([f32(2, 3), f32(2, 1)], axis=-1)],
)
def concatenate(arys, axis=0):
    return jnp.concatenate(arys, axis=axis)


@rule("tf.experimental.numpy.stack", samples=[sample([f32(2, 3), f32(2, 3)]), sample([i32(2), i32(2)], axis=1)])
def stack(arrays, axis=0):
    return jnp.stack(arrays, axis=axis)


@rule("tf.experimental.numpy.maximum", samples=[sample(f32(4, 3), f32(3)), sample(i32(2, 1), i32(3))])
def maximum(x1, x2):
    return jnp.maximum(x1, x2)


@rule("tf.experimental.numpy.minimum", samples=[sample(f32(4, 3), f32(3)), sample(i32(2, 1), i32(3))])
def minimum(x1, x2):
    return jnp.minimum(x1, x2)


@rule("tf.experimental.numpy.add", samples=[sample(f32(4, 3), f32(3)), sample(i32(2, 1), i32(3))])
def add(x1, x2):
    return jnp.add(x1, x2)


@rule("tf.experimental.numpy.multiply", samples=[sample(f32(4, 3), f32(3)), sample(i32(2, 1), i32(3))])
def multiply(x1, x2):
    return jnp.multiply(x1, x2)


@rule("tf.experimental.numpy.square", samples=[sample(f32(4, 3)), sample(i32(3))])
def square(x):
    return jnp.square(x)


@rule("tf.experimental.numpy.sqrt", samples=[sample(f32(4, 3, low=0.1, high=4))])
def sqrt(x):
    return jnp.sqrt(x)


@rule("tf.experimental.numpy.exp", samples=[sample(f32(4, 3))])
def exp(x):
    return jnp.exp(x)


@rule("tf.experimental.numpy.log", samples=[sample(f32(4, 3, low=0.1, high=4))])
def log(x):
    return jnp.log(x)


@rule(
    "tf.experimental.numpy.sum",
    samples=[sample(f32(2, 3, 4)), sample(f32(2, 3, 4), axis=[0, -1]), sample(f32(2, 3), axis=1, keepdims=True)],
    differences=[NARROW_INTEGERS],
)
def sum_(a, axis=None, dtype=None, keepdims=None):
    return jnp.sum(a, axis=axes(axis), dtype=as_dtype(dtype), keepdims=False if keepdims is None else keepdims)


@rule(
    "tf.experimental.numpy.random.randn",
    samples=[sample(40, 50), sample(2000)],
    differences=[RANDOM, NARROW_UNLESS_ASKED],
    random=True,
)
def randn(*args):
    return jax.random.normal(rngs.noise(), args)
