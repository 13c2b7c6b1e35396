"""New tensors."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from codemods.engine.rule import Difference, f32, i32, known, refuse, rule, sample
from codemods.engine.touching import from_numpy
from codemods.mappings.differences import NAN
from codemods.mappings.tf_core import LAYOUT
from codemods.mappings.tf_dtypes import NARROW, as_dtype, float_dtype

WIDE_INPUT = Difference("a NumPy array of 64 bits", "JAX holds it in 32 bits unless x64 is switched on", at=from_numpy)


@rule("tf.zeros", samples=[sample([2, 3]), sample((4,), dtype="int32"), sample([], "bool")], differences=[NARROW])
def zeros(shape, dtype="float32", name=None, layout=None):
    if layout is not None:
        refuse(LAYOUT)
    return jnp.zeros(shape, dtype=float_dtype(dtype))


@rule("tf.ones", samples=[sample([2, 3]), sample((4,), dtype="int32"), sample([], "bool")], differences=[NARROW])
def ones(shape, dtype="float32", name=None, layout=None):
    if layout is not None:
        refuse(LAYOUT)
    return jnp.ones(shape, dtype=float_dtype(dtype))


@rule(
    "tf.zeros_like", samples=[sample(f32(2, 3)), sample(f32(2, 3), dtype="int32"), sample(i32(4))], differences=[NARROW]
)
def zeros_like(input, dtype=None, name=None, layout=None):
    if layout is not None:
        refuse(LAYOUT)
    return jnp.zeros_like(input, dtype=as_dtype(dtype))


@rule(
    "tf.ones_like", samples=[sample(f32(2, 3)), sample(f32(2, 3), dtype="int32"), sample(i32(4))], differences=[NARROW]
)
def ones_like(input, dtype=None, name=None, layout=None):
    if layout is not None:
        refuse(LAYOUT)
    return jnp.ones_like(input, dtype=as_dtype(dtype))


@rule("tf.fill", samples=[sample([2, 3], 7), sample((4,), value=0.5), sample([], True)])
def fill(dims, value, name=None, layout=None):
    if layout is not None:
        refuse(LAYOUT)
    return jnp.full(dims, value)


@rule(
    "tf.constant",
    samples=[
        sample(1.5), sample([[1, 2], [3, 4]]), sample([1, 2], dtype="float32"), sample(0.1, shape=[2, 3]),
        sample(3, "int32", (2,)), sample([1.0, 2.0, 3.0, 4.0], shape=[2, 2]), sample(f32(2, 3)), sample(True),
    ],
    differences=[WIDE_INPUT],
)  # fmt: skip
def constant(value, dtype=None, shape=None, name="Const"):
    if known(value) and isinstance(value, (str, bytes)):
        refuse("JAX has no strings: keep them as Python or NumPy values on the host")
    if known(shape) and shape is None:
        return jnp.array(value, dtype=as_dtype(dtype))
    if known(value) and not isinstance(value, (list, tuple)):
        return jnp.full(shape, value, dtype=as_dtype(dtype))
    return jnp.reshape(jnp.array(value, dtype=as_dtype(dtype)), shape)


@rule(
    "tf.convert_to_tensor",
    samples=[sample([1.0, 2.0]), sample(f32(3)), sample([1, 2], dtype="float32"), sample(i32(2), dtype_hint=None)],
    differences=[WIDE_INPUT],
)
def convert_to_tensor(value, dtype=None, dtype_hint=None, name=None):
    if known(value) and isinstance(value, (str, bytes)):
        refuse("JAX has no strings: keep them as Python or NumPy values on the host")
    if dtype_hint is not None:
        refuse("dtype_hint: state the dtype with dtype=")
    return jnp.asarray(value, dtype=as_dtype(dtype))


@rule(
    "tf.range",
    samples=[
        sample(5), sample(2, 7), sample(1, 8, 2), sample(6, delta=2), sample(3.0), sample(4, dtype="float32"),
        sample(10, 0, -3), sample(start=0, limit=3, delta=0.5, dtype="float32"),
    ],
    differences=[NARROW],
)  # fmt: skip
def range_(start, limit=None, delta=1, dtype=None, name="range"):
    if not (known(limit) and limit is None):
        if known(delta) and delta == 1:
            return jnp.arange(start, limit, dtype=as_dtype(dtype))
        return jnp.arange(start, limit, delta, dtype=as_dtype(dtype))
    if known(delta) and delta == 1:
        return jnp.arange(start, dtype=as_dtype(dtype))
    return jnp.arange(0, start, delta, dtype=as_dtype(dtype))


@rule(
    "tf.linspace",
    samples=[sample(0.0, 1.0, 5), sample(f32(2), f32(2), num=3, axis=-1), sample(-1.0, stop=2.0, num=4)],
    differences=[NARROW, NAN],
)
def linspace(start, stop, num, name=None, axis=0):
    return jnp.linspace(start, stop, num, axis=axis)


@rule(
    "tf.eye",
    samples=[sample(3), sample(2, 4), sample(2, num_columns=3, dtype="int32"), sample(2, batch_shape=[3, 1])],
    differences=[NARROW],
)
def eye(num_rows, num_columns=None, batch_shape=None, dtype="float32", name=None):
    columns = num_rows if known(num_columns) and num_columns is None else num_columns
    if batch_shape is None and known(num_columns) and num_columns is None:
        return jnp.eye(num_rows, dtype=float_dtype(dtype))
    if batch_shape is None:
        return jnp.eye(num_rows, num_columns, dtype=float_dtype(dtype))
    return jnp.broadcast_to(jnp.eye(num_rows, columns, dtype=float_dtype(dtype)), (*batch_shape, num_rows, columns))


@rule(
    "tf.one_hot",
    samples=[
        sample(i32(4, high=5), 5), sample(i32(2, 3, high=4), depth=4, axis=1), sample(i32(3, high=6), 4, dtype="int32"),
        sample(i32(3, high=4), 4, on_value=0.9, off_value=0.1), sample(i32(3, high=4), 4, on_value=5, axis=0),
    ],
 differences=[NARROW])  # fmt: skip
def one_hot(indices, depth, on_value=None, off_value=None, axis=None, dtype=None, name=None):
    axis = -1 if axis is None else axis
    if known(on_value) and on_value is None and known(off_value) and off_value is None:
        return jax.nn.one_hot(indices, depth, dtype=float_dtype(dtype), axis=axis)
    on = 1 if known(on_value) and on_value is None else on_value
    off = 0 if known(off_value) and off_value is None else off_value
    if dtype is None:
        return jnp.where(jax.nn.one_hot(indices, depth, dtype=jnp.bool_, axis=axis), on, off)
    return jnp.where(jax.nn.one_hot(indices, depth, dtype=jnp.bool_, axis=axis), on, off).astype(as_dtype(dtype))
