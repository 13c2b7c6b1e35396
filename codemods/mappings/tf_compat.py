"""Functions of tf.compat.v1 that TensorFlow 2 code still calls."""

from __future__ import annotations

import jax.numpy as jnp
from flax import nnx

from codemods.engine.rule import Difference, boolean, f32, i32, refuse, rule, sample
from codemods.engine.touching import stated
from codemods.mappings.differences import NAN
from codemods.mappings.tf_dtypes import NARROW_UNLESS_ASKED

STATED = Difference("a dtype that is stated", "Flax's initializers take theirs from the parameter", at=stated("dtype"))


@rule("tf.compat.v1.to_float", samples=[sample(i32(4)), sample(boolean(2, 3))])
def to_float(x, name="ToFloat"):
    return jnp.asarray(x, dtype=jnp.float32)


@rule("tf.compat.v1.to_int32", samples=[sample(f32(4, low=-9, high=9)), sample(boolean(2, 3))], differences=[NAN])
def to_int32(x, name="ToInt32"):
    return jnp.asarray(x, dtype=jnp.int32)


@rule(
    "tf.compat.v1.to_int64",
    samples=[sample(f32(4, low=-9, high=9)), sample(boolean(2, 3))],
    differences=[NARROW_UNLESS_ASKED, NAN],
)
def to_int64(x, name="ToInt64"):
    return jnp.asarray(x, dtype=jnp.int32)


@rule("tf.compat.v1.shape", samples=[sample(f32(4, 3)), sample(i32(2, 1, 5), out_type="int32")])
def shape(input, name=None, out_type=None):
    return input.shape


@rule("tf.compat.v1.size", samples=[sample(f32(4, 3)), sample(f32(4, 0))])
def size(input, name=None, out_type=None):
    return input.size


@rule("tf.compat.v1.zeros_initializer", samples=[sample()], differences=[STATED])
def zeros_initializer(dtype="float32"):
    return nnx.initializers.zeros_init()


@rule("tf.compat.v1.ones_initializer", samples=[sample()], differences=[STATED])
def ones_initializer(dtype="float32"):
    return nnx.initializers.ones_init()


@rule("tf.compat.v1.constant_initializer", samples=[sample(), sample(0.5)], differences=[STATED])
def constant_initializer(value=0, dtype="float32", verify_shape=False):
    if verify_shape:
        refuse("verify_shape: Flax gives the shape")
    return nnx.initializers.constant(value)
