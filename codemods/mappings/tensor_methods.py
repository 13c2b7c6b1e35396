"""Methods and attributes of tensors, variables and shapes that JAX arrays do not share."""

from __future__ import annotations

import math

import jax.numpy as jnp
import numpy as np

from codemods.engine.rule import attribute, f32, i32, made, method, sample
from codemods.mappings.differences import ON_HOST

SHAPE = made("tf.TensorShape", [2, 3])
VARIABLE = made("tf.Variable", [1.0, 2.0])


@method("numpy", samples=[sample(i32(2, 3)), sample(i32())], differences=[ON_HOST])
def numpy(x):
    return np.asarray(x)


@method("get_shape", samples=[sample(f32(2, 3)), sample(f32())])
def get_shape(x):
    return x.shape


@method("set_shape", samples=[sample(f32(2, 3), [2, 3])])
def set_shape(x, shape):
    return None


@method("as_list", samples=[sample(SHAPE)])
def as_list(shape):
    return list(shape)


@method("num_elements", samples=[sample(SHAPE)])
def num_elements(shape):
    return math.prod(shape)


@method("is_fully_defined", samples=[sample(SHAPE)])
def is_fully_defined(shape):
    return True


@method("assert_is_fully_defined", samples=[sample(SHAPE)])
def assert_is_fully_defined(shape):
    return None


@method("read_value", samples=[sample(VARIABLE)])
def read_value(x):
    return jnp.asarray(x)


@method("value", samples=[sample(VARIABLE)])
def value(x):
    return jnp.asarray(x)


@attribute("ndims", samples=[sample(SHAPE)])
def ndims(shape):
    return len(shape)


@attribute("rank", samples=[sample(SHAPE)])
def rank(shape):
    return len(shape)
