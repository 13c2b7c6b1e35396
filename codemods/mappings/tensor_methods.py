"""Methods and attributes of tensors, variables and shapes that JAX arrays do not share."""

from __future__ import annotations

import math

import jax.numpy as jnp
import numpy as np

from codemods.engine.rule import attribute, f32, i32, method, sample


@method("numpy", samples=[sample(i32(2, 3)), sample(i32())])
def numpy(x):
    return np.asarray(x)


@method("get_shape", samples=[sample(f32(2, 3)), sample(f32())])
def get_shape(x):
    return x.shape


@method("set_shape")
def set_shape(x, shape):
    return None


@method("as_list")
def as_list(shape):
    return list(shape)


@method("num_elements")
def num_elements(shape):
    return math.prod(shape)


@method("is_fully_defined")
def is_fully_defined(shape):
    return True


@method("assert_is_fully_defined")
def assert_is_fully_defined(shape):
    return None


@method("read_value")
def read_value(x):
    return jnp.asarray(x)


@method("value")
def value(x):
    return jnp.asarray(x)


@attribute("ndims")
def ndims(shape):
    return len(shape)


@attribute("rank")
def rank(shape):
    return len(shape)
