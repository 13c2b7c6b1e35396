"""Gathering, scattering and slicing."""

from __future__ import annotations

import dataclasses
import functools

import jax
import jax.numpy as jnp
from jax import lax

from codemods.engine.rule import Difference, boolean, f32, i32, known, macro, refuse, rule, sample
from codemods.engine.touching import either, wide, without
from codemods.mappings.differences import BOOLS
from codemods.mappings.tf_core import EAGER
from codemods.mappings.tf_dtypes import NARROW
from codemods.mappings.tf_reduce import first

TAKE_RANGE = Difference(
    "indices out of range", "TensorFlow fails (on a GPU: zeros), JAX gives NaN, or counts a negative index from the end"
)
SET_RANGE = Difference(
    "indices out of range", "TensorFlow fails, JAX leaves out the update, or counts a negative index from the end"
)
PLACES = dataclasses.replace(NARROW, at=either(wide, without("x")))
PLACES_EAGER = dataclasses.replace(EAGER, at=without("x"))


@macro(passes_through=False)
def index(slices):
    """An index of (begin, end, step) per axis; an end of None is open."""
    parts = [f"{b or ''}:{'' if e is None else e}" + (f":{s}" if s != 1 else "") for b, e, s in slices]
    return f"np.s_[{', '.join(parts)}]"


@rule("tf.gather", samples=[
    sample(f32(5, 3), i32(4, high=5)), sample(f32(4, 5), i32(2, 3, high=5), axis=1),
    sample(f32(4, 5), i32(high=4), axis=-2),
    sample(f32(3, 5), i32(3, 2, high=5), batch_dims=1), sample(f32(3, 4, 5), i32(3, 2, high=5), axis=2, batch_dims=1),
    sample(f32(2, 3, 5), i32(2, 3, 1, high=5), axis=-1, batch_dims=2), sample(f32(3, 5, 2), i32(3, 2, high=5), axis=-2, batch_dims=1),
    sample(f32(2, 3, 4, 5), i32(2, 3, high=4), axis=2, batch_dims=1),
    sample(f32(2, 3, 4, 5), i32(2, 3, 2, high=5), axis=3, batch_dims=2),
], differences=[TAKE_RANGE])  # fmt: skip
def gather(params, indices, validate_indices=None, axis=None, batch_dims=0, name=None):
    if batch_dims == 0:
        return jnp.take(params, indices, axis=first(axis))
    axis = batch_dims if axis is None else axis
    axis = axis - batch_dims if axis >= 0 else axis
    if batch_dims == 1:
        return jax.vmap(functools.partial(jnp.take, axis=axis))(params, indices)
    if batch_dims == 2:
        return jax.vmap(jax.vmap(functools.partial(jnp.take, axis=axis)))(params, indices)
    refuse("batch_dims: use one jax.vmap of jnp.take for each batch dimension")


@rule("tf.gather_nd", samples=[
    sample(f32(4, 5), i32(3, 2, high=4)), sample(f32(4, 5), i32(2, 3, 1, high=4)), sample(f32(4, 2), i32(3, 1, high=4)),
    sample(f32(3, 4, 5), i32(3, 6, 2, high=4), batch_dims=1),
    sample(f32(3, 4, 5), i32(3, 2, 6, 2, high=4), batch_dims=1),
], differences=[TAKE_RANGE])  # fmt: skip
def gather_nd(params, indices, batch_dims=0, name=None, bad_indices_policy=""):
    if bad_indices_policy != "":
        refuse("bad_indices_policy: mask the indices that are out of range with jnp.where")
    if batch_dims == 0:
        return params[tuple(jnp.moveaxis(indices, -1, 0))]
    if batch_dims == 1:
        return jax.vmap(lambda p, i: p[tuple(jnp.moveaxis(i, -1, 0))])(params, indices)
    refuse("batch_dims: use one jax.vmap for each batch dimension")


@rule(
    "tf.where",
    samples=[
        sample(boolean(4, 3), f32(4, 3), f32(4, 3)),
        sample(boolean(4, 1), f32(3), 0.0),
        sample(boolean(2, 3)),
        sample(boolean(3), i32(3), y=i32()),
    ],
    differences=[PLACES, PLACES_EAGER],
)
def where(condition, x=None, y=None, name=None):
    if known(x) and x is None:
        return jnp.argwhere(condition)
    return jnp.where(condition, x, y)


@rule(
    "tf.slice",
    samples=[
        sample(f32(4, 5), [1, 0], [2, -1]),
        sample(f32(4, 5), begin=[0, 2], size=[-1, 3]),
        sample(i32(6), [2], [3]),
        sample(f32(6, 7), [1, 2], [3, 4]),
        sample(f32(6, 7, 8), [1, 2, 3], [2, 3, 4]),
        sample(f32(6, 7, 8, 9), [1, 2, 3, 4], [1, 2, 3, 4]),
        sample(f32(6, 7, 8, 9), [4, 3, 2, 1], [-1, 3, 2, -1]),
        sample(f32(2, 2, 4, 5, 2), [0, 1, 0, 2, 0], [1, 1, 2, 3, 1]),
    ],
)
def slice_(input_, begin, size, name=None):
    if known(begin) and known(size):
        return input_[index([(b, None if s == -1 else b + s, 1) for b, s in zip(begin, size, strict=True)])]
    if known(size) and -1 not in size:
        return lax.dynamic_slice(input_, begin, size)
    if len(begin) != len(size) or len(begin) > 4:
        refuse("a slice of this rank: write x[begin:end] per axis")
    ends = [None if size[i] == -1 else begin[i] + size[i] for i in range(len(begin))]
    if len(begin) == 1:
        return input_[begin[0] : ends[0]]
    if len(begin) == 2:
        return input_[begin[0] : ends[0], begin[1] : ends[1]]
    if len(begin) == 3:
        return input_[begin[0] : ends[0], begin[1] : ends[1], begin[2] : ends[2]]
    return input_[begin[0] : ends[0], begin[1] : ends[1], begin[2] : ends[2], begin[3] : ends[3]]


@rule(
    "tf.strided_slice",
    samples=[
        sample(f32(4, 5), [1, 0], [3, 4]),
        sample(f32(6), [0], end=[-1], strides=[2]),
        sample(f32(8, 9), [1, 0], [7, 8], [3, 2]),
        sample(f32(8, 9, 9), [1, 2, 3], [7, 8, 9], [3, 2, 1]),
        sample(f32(8, 9, 9), [3, 0, 1], [8, 6, 7], [1, 3, 2]),
        sample(f32(2, 2, 3, 4), [0, 1, 0, 1], [2, 2, 3, 4]),
    ],
)
def strided_slice(
    input_, begin, end, strides=None, begin_mask=0, end_mask=0, ellipsis_mask=0, new_axis_mask=0, shrink_axis_mask=0,
    var=None, name=None,
):  # fmt: skip
    if begin_mask or end_mask or ellipsis_mask or new_axis_mask or shrink_axis_mask or var is not None:
        refuse("masks of a strided slice: write the slice as x[begin:end:stride, ...]")
    steps = [1] * len(begin) if strides is None else strides
    if known(begin) and known(end) and known(strides):
        return input_[index(list(zip(begin, end, steps, strict=True)))]
    if len(begin) == 1:
        return input_[begin[0] : end[0] : steps[0]]
    if len(begin) == 2:
        return input_[begin[0] : end[0] : steps[0], begin[1] : end[1] : steps[1]]
    if len(begin) == 3:
        return input_[begin[0] : end[0] : steps[0], begin[1] : end[1] : steps[1], begin[2] : end[2] : steps[2]]
    refuse("a strided slice of this rank: write x[begin:end:stride] per axis")


SCATTER = [
    sample(f32(5, 3), i32(2, 1, low=1, high=3), f32(2, 3)), sample(f32(4, 4), [[0, 1], [2, 3]], updates=f32(2)),
    sample(i32(6), [[4], [1]], i32(2)),
    sample(f32(4, 4), [[[0, 1], [2, 3], [1, 1]]], f32(1, 3)),
]  # fmt: skip
SCATTER_SET = [
    sample(f32(5, 3), [[3], [0]], f32(2, 3)),
    sample(f32(4, 4), [[0, 1], [2, 3]], updates=f32(2)),
    sample(i32(6), [[4], [1]], i32(2)),
    sample(f32(4, 4), [[[0, 1], [2, 3], [1, 1]]], f32(1, 3)),
]
POLICY = "bad_indices_policy: JAX leaves out updates that are out of range"


@rule("tf.tensor_scatter_nd_update", samples=SCATTER_SET, differences=[SET_RANGE])
def tensor_scatter_nd_update(tensor, indices, updates, name=None):
    return tensor.at[tuple(jnp.moveaxis(jnp.asarray(indices), -1, 0))].set(updates)


@rule("tf.tensor_scatter_nd_add", samples=SCATTER, differences=[SET_RANGE])
def tensor_scatter_nd_add(tensor, indices, updates, bad_indices_policy="", name=None):
    if bad_indices_policy != "":
        refuse(POLICY)
    return tensor.at[tuple(jnp.moveaxis(jnp.asarray(indices), -1, 0))].add(updates)


@rule("tf.tensor_scatter_nd_sub", samples=SCATTER, differences=[SET_RANGE])
def tensor_scatter_nd_sub(tensor, indices, updates, bad_indices_policy="", name=None):
    if bad_indices_policy != "":
        refuse(POLICY)
    return tensor.at[tuple(jnp.moveaxis(jnp.asarray(indices), -1, 0))].subtract(updates)


@rule("tf.tensor_scatter_nd_max", samples=SCATTER_SET, differences=[SET_RANGE])
def tensor_scatter_nd_max(tensor, indices, updates, bad_indices_policy="", name=None):
    if bad_indices_policy != "":
        refuse(POLICY)
    return tensor.at[tuple(jnp.moveaxis(jnp.asarray(indices), -1, 0))].max(updates)


@rule("tf.tensor_scatter_nd_min", samples=SCATTER_SET, differences=[SET_RANGE])
def tensor_scatter_nd_min(tensor, indices, updates, bad_indices_policy="", name=None):
    if bad_indices_policy != "":
        refuse(POLICY)
    return tensor.at[tuple(jnp.moveaxis(jnp.asarray(indices), -1, 0))].min(updates)


@rule(
    "tf.scatter_nd",
    samples=[
        sample([[1], [3], [1]], f32(3, 2), [5, 2]),
        sample([[0, 1]], updates=f32(1), shape=(2, 2)),
        sample(i32(2, 3, 2, high=4), f32(2, 3), [4, 4]),
    ],
    differences=[SET_RANGE, BOOLS],
)
def scatter_nd(indices, updates, shape, bad_indices_policy="", name=None):
    if bad_indices_policy != "":
        refuse(POLICY)
    return jnp.zeros(shape, updates.dtype).at[tuple(jnp.moveaxis(jnp.asarray(indices), -1, 0))].add(updates)


@rule(
    "tf.searchsorted",
    samples=[sample([1.0, 2.0, 3.0], f32(5, high=4)), sample([[1, 3, 5], [2, 4, 6]], i32(2, 4), side="right")],
    differences=[NARROW],
)
def searchsorted(sorted_sequence, values, side="left", out_type="int32", name=None):
    return jnp.vectorize(functools.partial(jnp.searchsorted, side=side), signature="(n),(m)->(m)")(
        jnp.asarray(sorted_sequence), values
    )


@rule(
    "tf.reverse_sequence",
    samples=[sample(f32(3, 5), [2, 5, 0], seq_axis=1, batch_axis=0), sample(f32(2, 4, 5), [1, 4], 1)],
)
def reverse_sequence(input, seq_lengths, seq_axis=None, batch_axis=None, name=None):
    if seq_axis != 1 or batch_axis not in (None, 0):
        refuse("only seq_axis=1 with batch_axis=0: transpose first")
    return jax.vmap(lambda x, n: x[jnp.where(jnp.arange(len(x)) < n, n - 1 - jnp.arange(len(x)), jnp.arange(len(x)))])(
        input, jnp.asarray(seq_lengths)
    )
