"""Creation, shapes and joining of tensors."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
from jax import lax

from codemods.engine.rule import Array, Difference, boolean, f32, i32, inline, known, refuse, rule, sample
from codemods.engine.touching import both, of_floats, to_integers
from codemods.mappings.differences import FLOAT_INDICES, NAN, ONE_DIMENSION
from codemods.mappings.tf_dtypes import NARROW, as_dtype

EAGER = Difference("under nnx.jit", "the result's shape depends on values, so this line can't be jitted", ("jit",))
LAYOUT = "a DTensor layout: place the array with jax.device_put and jax.sharding.NamedSharding"


@inline
def axes(axis):
    """A list of axes as the tuple that JAX wants."""
    if known(axis) and isinstance(axis, list):
        return tuple(axis)
    return axis


@rule(
    "tf.cast",
    samples=[
        sample(f32(3, 2, low=-9, high=9), "int32"),
        sample(i32(4), "float32"),
        sample(boolean(3), dtype="float32"),
    ],
    differences=[NARROW, dataclasses.replace(NAN, at=both(of_floats, to_integers))],
)
def cast(x, dtype, name=None):
    return jnp.asarray(x, dtype=as_dtype(dtype))


@rule("tf.reshape", samples=[sample(f32(4, 3), [2, 6]), sample(f32(4, 3), (-1,)), sample(f32(2, 3, 4), shape=[2, -1])])
def reshape(tensor, shape, name=None):
    return jnp.reshape(tensor, shape)


@rule("tf.shape", samples=[sample(f32(4, 3)), sample(i32(2, 1, 5), out_type="int32")])
def shape(input, out_type=None, name=None):
    return input.shape


@rule("tf.rank", samples=[sample(f32(4, 3)), sample(f32())])
def rank(input, name=None):
    return input.ndim


@rule("tf.size", samples=[sample(f32(4, 3)), sample(f32(4, 0))])
def size(input, out_type=None, name=None):
    return input.size


@rule("tf.expand_dims", samples=[sample(f32(4, 3), 1), sample(i32(2), axis=-1), sample(f32(2), 0)])
def expand_dims(input, axis, name=None):
    return jnp.expand_dims(input, axis)


@rule("tf.squeeze", samples=[sample(f32(1, 3, 1)), sample(f32(1, 3, 1), axis=[0]), sample(f32(1, 3, 1), axis=-1)])
def squeeze(input, axis=None, name=None):
    return jnp.squeeze(input, axis=axes(axis))


@rule(
    "tf.concat",
    samples=[sample([f32(2, 3), f32(4, 3)], 0), sample([f32(2, 3), f32(2, 1)], axis=-1), sample([i32(2)], 0)],
)
def concat(values, axis, name="concat"):
    return jnp.concatenate(values, axis=axis)


@rule(
    "tf.stack",
    samples=[sample([f32(2, 3), f32(2, 3)]), sample([f32(2, 3), f32(2, 3)], axis=-1), sample([i32(), i32()], 0)],
)
def stack(values, axis=0, name="stack"):
    return jnp.stack(values, axis=axis)


@rule("tf.unstack", samples=[sample(f32(3, 2)), sample(f32(3, 2), num=2, axis=1), sample(f32(3, 2), axis=-1)])
def unstack(value, num=None, axis=0, name="unstack"):
    return jnp.unstack(value, axis=axis)


@rule(
    "tf.split",
    samples=[
        sample(f32(4, 6), 2), sample(f32(4, 6), 3, axis=-1), sample(f32(4, 6), [1, 2, 3], 1),
        sample(f32(7, 2), [2, -1, 1]), sample(f32(7, 2), [-1, 2, 1]), sample(f32(7, 2), [1, 2, -1]),
        sample(f32(2, 9), [2, -1, 1], 1), sample(f32(2, 9), [-1, 2, 1], -1), sample(f32(2, 9), [-1, 2], axis=1),
        sample(f32(7), [-1, 2]), sample(f32(7), [3, -1]), sample(f32(4, 6), num_or_size_splits=[2, 4], axis=1, num=2),
    ],
)  # fmt: skip
def split(value, num_or_size_splits, axis=0, num=None, name="split"):
    if isinstance(num_or_size_splits, int):
        return jnp.split(value, num_or_size_splits, axis=axis)
    if known(num_or_size_splits) and -1 not in num_or_size_splits:
        return jnp.split(value, [sum(num_or_size_splits[:i]) for i in range(1, len(num_or_size_splits))], axis=axis)
    if len(num_or_size_splits) == 2 and known(num_or_size_splits[0]) and num_or_size_splits[0] == -1:
        return jnp.split(value, [value.shape[axis] - num_or_size_splits[1]], axis=axis)
    if len(num_or_size_splits) == 2:
        return jnp.split(value, [num_or_size_splits[0]], axis=axis)
    if len(num_or_size_splits) == 3 and known(num_or_size_splits[0]) and num_or_size_splits[0] == -1:
        last = value.shape[axis] - num_or_size_splits[2]
        return jnp.split(value, [last - num_or_size_splits[1], last], axis=axis)
    if len(num_or_size_splits) == 3 and known(num_or_size_splits[1]) and num_or_size_splits[1] == -1:
        return jnp.split(value, [num_or_size_splits[0], value.shape[axis] - num_or_size_splits[2]], axis=axis)
    if len(num_or_size_splits) == 3:
        first = num_or_size_splits[0]
        return jnp.split(value, [first, first + num_or_size_splits[1]], axis=axis)
    refuse("sizes that are not known: jnp.split wants the offsets, jnp.split(x, np.cumsum(sizes)[:-1], axis)")


@rule(
    "tf.transpose",
    samples=[
        sample(f32(4, 3)),
        sample(f32(4, 3, 2), perm=[0, 2, 1]),
        sample(f32(4, 3, 2), (2, 0, 1)),
        sample(Array((2, 3), "complex64"), conjugate=True),
    ],
)
def transpose(a, perm=None, conjugate=False, name="transpose"):
    if conjugate:
        return jnp.conj(jnp.transpose(a, perm))
    return jnp.transpose(a, perm)


@rule("tf.tile", samples=[sample(f32(2, 3), [2, 1]), sample(f32(2), multiples=(3,)), sample(i32(1, 2), [1, 0])])
def tile(input, multiples, name=None):
    return jnp.tile(input, multiples)


@rule(
    "tf.repeat",
    samples=[sample(f32(2, 3), 2), sample(f32(2, 3), 2, axis=-1), sample(f32(2, 3), repeats=[1, 2], axis=0)],
)
def repeat(input, repeats, axis=None, name=None):
    if known(repeats) and isinstance(repeats, list):
        return jnp.repeat(input, jnp.array(repeats), axis=axis, total_repeat_length=sum(repeats))
    return jnp.repeat(input, repeats, axis=axis)


@rule("tf.broadcast_to", samples=[sample(f32(3, 1), [3, 4]), sample(f32(3), (2, 3)), sample(i32(), [2])])
def broadcast_to(input, shape, name=None):
    return jnp.broadcast_to(input, shape)


@rule("tf.reverse", samples=[sample(f32(3, 4), [0]), sample(f32(3, 4), axis=[0, -1]), sample(i32(5), [-1])])
def reverse(tensor, axis, name=None):
    return jnp.flip(tensor, axis=axes(axis))


@rule(
    "tf.roll", samples=[sample(f32(3, 4), 1, 0), sample(f32(3, 4), shift=[1, -2], axis=[0, 1]), sample(i32(5), -1, -1)]
)
def roll(input, shift, axis, name=None):
    return jnp.roll(input, axes(shift), axis=axes(axis))


@rule(
    "tf.pad",
    samples=[
        sample(f32(3, 4), [[1, 0], [0, 2]]), sample(f32(3, 4), ((1, 1), (2, 2)), mode="REFLECT"),
        sample(f32(3, 4), [[1, 1], [2, 2]], "SYMMETRIC"), sample(f32(3), [[1, 2]], constant_values=5.0),
    ],
)  # fmt: skip
def pad(tensor, paddings, mode="CONSTANT", constant_values=0, name=None):
    if mode.lower() == "constant" and known(constant_values) and constant_values == 0:
        return jnp.pad(tensor, paddings)
    if mode.lower() == "constant":
        return jnp.pad(tensor, paddings, constant_values=constant_values)
    return jnp.pad(tensor, paddings, mode=mode.lower())


@rule("tf.identity", samples=[sample(f32(2, 3)), sample([1, 2])])
def identity(input, name=None):
    return jnp.asarray(input)


@rule("tf.stop_gradient", samples=[sample(f32(2, 3)), sample(i32(2))])
def stop_gradient(input, name=None):
    return lax.stop_gradient(input)


@rule(
    "tf.ensure_shape",
    samples=[sample(f32(2, 3), [2, 3]), sample(f32(2, 3), shape=(None, 3))],
    differences=[Difference("another shape than the one stated", "JAX's shapes are static; the statement is left out")],
)
def ensure_shape(x, shape, name=None):
    return x


@rule(
    "tf.boolean_mask",
    samples=[
        sample(f32(4, 3), [True, False, True, True]),
        sample(f32(2, 3), boolean(2, 3)),
        sample(f32(2, 3), [True, False, True], axis=1),
    ],
    differences=[EAGER],
)
def boolean_mask(tensor, mask, axis=None, name="boolean_mask"):
    if axis is None or axis == 0:
        return tensor[jnp.asarray(mask)]
    return jnp.compress(jnp.asarray(mask), tensor, axis=axis)


@rule(
    "tf.sequence_mask",
    samples=[sample(i32(3, high=5), 6), sample(i32(2, 2, high=4), maxlen=4, dtype="float32")],
    differences=[NARROW, FLOAT_INDICES],
)
def sequence_mask(lengths, maxlen=None, dtype="bool", name=None):
    if known(maxlen) and maxlen is None:
        refuse("a mask as long as its longest row has no static shape: give maxlen")
    if known(dtype) and dtype == "bool":
        return jnp.arange(maxlen) < jnp.expand_dims(lengths, -1)
    return jnp.asarray(jnp.arange(maxlen) < jnp.expand_dims(lengths, -1), dtype=as_dtype(dtype))


@rule(
    "tf.meshgrid",
    samples=[sample(f32(3), f32(4)), sample(f32(3), f32(4), indexing="ij"), sample(i32(2), i32(3), i32(2))],
    differences=[ONE_DIMENSION],
)
def meshgrid(*args, indexing="xy", name="meshgrid"):
    return jnp.meshgrid(*args, indexing=indexing)


@rule("tf.unravel_index", samples=[sample(i32(5), [3, 4]), sample(i32(), dims=(2, 5))], differences=[NARROW])
def unravel_index(indices, dims, name=None):
    return jnp.stack(jnp.unravel_index(indices, dims))


@rule("tf.tuple", samples=[sample([f32(2), f32(3)])])
def tuple_(tensors, control_inputs=None, name=None):
    if control_inputs is not None:
        refuse("control inputs: in JAX order follows from the data; pure code needs none")
    return list(tensors)


@rule("tf.identity_n", samples=[sample([f32(2), f32(3)])])
def identity_n(input, name=None):
    return list(input)


@rule("tf.is_tensor", samples=[sample(f32(2)), sample(3), sample("a")])
def is_tensor(x):
    return isinstance(x, jax.Array)
