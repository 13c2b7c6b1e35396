"""Reductions, cumulative operations, sorting and clipping."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import optax
from jax import lax

from codemods.engine.rule import boolean, f32, i32, inline, known, refuse, rule, sample
from codemods.mappings.differences import ANY_ORDER, EMPTY, INTEGERS, NAN
from codemods.mappings.tf_core import axes
from codemods.mappings.tf_dtypes import NARROW, as_dtype

X = f32(2, 3, 4)
REDUCED = [sample(X), sample(X, 1), sample(X, axis=[0, -1]), sample(X, axis=-1, keepdims=True)]


@inline
def first(axis):
    """The axis, 0 where there is none."""
    if known(axis) and axis is None:
        return 0
    if known(axis):
        return axis
    return axis or 0


@rule("tf.reduce_sum", samples=[*REDUCED, sample(i32(3, 2), 0)])
def reduce_sum(input_tensor, axis=None, keepdims=False, name=None):
    return jnp.sum(input_tensor, axis=axes(axis), keepdims=keepdims)


@rule("tf.reduce_mean", samples=REDUCED, differences=[INTEGERS])
def reduce_mean(input_tensor, axis=None, keepdims=False, name=None):
    return jnp.mean(input_tensor, axis=axes(axis), keepdims=keepdims)


@rule("tf.reduce_max", samples=[*REDUCED, sample(i32(3, 2), 0)], differences=[EMPTY])
def reduce_max(input_tensor, axis=None, keepdims=False, name=None):
    return jnp.max(input_tensor, axis=axes(axis), keepdims=keepdims)


@rule("tf.reduce_min", samples=[*REDUCED, sample(i32(3, 2), 0)], differences=[EMPTY])
def reduce_min(input_tensor, axis=None, keepdims=False, name=None):
    return jnp.min(input_tensor, axis=axes(axis), keepdims=keepdims)


@rule("tf.reduce_prod", samples=[*REDUCED, sample(i32(3, 2), 0)])
def reduce_prod(input_tensor, axis=None, keepdims=False, name=None):
    return jnp.prod(input_tensor, axis=axes(axis), keepdims=keepdims)


@rule(
    "tf.reduce_any",
    samples=[sample(boolean(3, 4)), sample(boolean(3, 4), 1), sample(boolean(3, 4), axis=[0], keepdims=True)],
)
def reduce_any(input_tensor, axis=None, keepdims=False, name=None):
    return jnp.any(input_tensor, axis=axes(axis), keepdims=keepdims)


@rule(
    "tf.reduce_all",
    samples=[sample(boolean(3, 4)), sample(boolean(2, 4), 0), sample(boolean(3, 2), axis=[1], keepdims=True)],
)
def reduce_all(input_tensor, axis=None, keepdims=False, name=None):
    return jnp.all(input_tensor, axis=axes(axis), keepdims=keepdims)


@rule("tf.reduce_logsumexp", samples=REDUCED)
def reduce_logsumexp(input_tensor, axis=None, keepdims=False, name=None):
    return jax.nn.logsumexp(input_tensor, axis=axes(axis), keepdims=keepdims)


@rule("tf.math.reduce_std", samples=REDUCED)
def reduce_std(input_tensor, axis=None, keepdims=False, name=None):
    return jnp.std(input_tensor, axis=axes(axis), keepdims=keepdims)


@rule("tf.math.reduce_variance", samples=REDUCED)
def reduce_variance(input_tensor, axis=None, keepdims=False, name=None):
    return jnp.var(input_tensor, axis=axes(axis), keepdims=keepdims)


@rule("tf.math.reduce_euclidean_norm", samples=REDUCED, differences=[INTEGERS])
def reduce_euclidean_norm(input_tensor, axis=None, keepdims=False, name=None):
    return jnp.linalg.norm(input_tensor, axis=axes(axis), keepdims=keepdims)


@rule(
    "tf.math.count_nonzero",
    samples=[sample(i32(3, 4, high=2)), sample(i32(3, 4, high=2), 1, keepdims=True), sample(f32(3), dtype="float32")],
    differences=[NARROW],
)
def count_nonzero(input, axis=None, keepdims=None, dtype="int64", name=None):
    keepdims = False if keepdims is None else keepdims
    if known(dtype) and dtype in ("int32", "int64"):
        return jnp.count_nonzero(input, axis=axes(axis), keepdims=keepdims)
    return jnp.count_nonzero(input, axis=axes(axis), keepdims=keepdims).astype(as_dtype(dtype))


@rule(
    "tf.argmax",
    samples=[sample(f32(3, 4)), sample(f32(3, 4), 1), sample(f32(3, 4), axis=-1, output_type="int32")],
    differences=[NARROW, NAN],
)
def argmax(input, axis=None, output_type="int64", name=None):
    return jnp.argmax(input, axis=first(axis))


@rule(
    "tf.argmin",
    samples=[sample(f32(3, 4)), sample(f32(3, 4), 1), sample(f32(3, 4), axis=-1, output_type="int32")],
    differences=[NARROW, NAN],
)
def argmin(input, axis=None, output_type="int64", name=None):
    return jnp.argmin(input, axis=first(axis))


CUMULATIVE = [
    sample(f32(3, 4)), sample(f32(3, 4), 1), sample(f32(3, 4), axis=-1, exclusive=True),
    sample(f32(3, 4), reverse=True), sample(f32(3, 4), axis=1, exclusive=True, reverse=True),
]  # fmt: skip


@rule("tf.cumsum", samples=CUMULATIVE)
def cumsum(x, axis=0, exclusive=False, reverse=False, name=None):
    if exclusive and reverse:
        return jnp.flip(jnp.cumsum(jnp.flip(x, axis), axis=axis), axis) - x
    if exclusive:
        return jnp.cumsum(x, axis=axis) - x
    if reverse:
        return jnp.flip(jnp.cumsum(jnp.flip(x, axis), axis=axis), axis)
    return jnp.cumsum(x, axis=axis)


@rule("tf.math.cumprod", samples=CUMULATIVE)
def cumprod(x, axis=0, exclusive=False, reverse=False, name=None):
    if exclusive and reverse:
        return jnp.flip(jnp.delete(jnp.cumprod(jnp.insert(jnp.flip(x, axis), 0, 1, axis), axis), -1, axis), axis)
    if exclusive:
        return jnp.delete(jnp.cumprod(jnp.insert(x, 0, 1, axis), axis), -1, axis)
    if reverse:
        return jnp.flip(jnp.cumprod(jnp.flip(x, axis), axis=axis), axis)
    return jnp.cumprod(x, axis=axis)


@rule(
    "tf.math.cumulative_logsumexp",
    samples=[sample(f32(3, 4)), sample(f32(3, 4), 1), sample(f32(3), reverse=True)],
    differences=[NAN],
)
def cumulative_logsumexp(x, axis=0, exclusive=False, reverse=False, name=None):
    axis = axis + x.ndim if axis < 0 else axis
    if exclusive:
        refuse("an exclusive cumulative logsumexp: shift lax.cumlogsumexp by one")
    return lax.cumlogsumexp(x, axis=axis, reverse=reverse)


@rule("tf.sort", samples=[sample(f32(3, 4)), sample(f32(3, 4), axis=0), sample(i32(5), direction="DESCENDING")])
def sort(values, axis=-1, direction="ASCENDING", name=None):
    return jnp.sort(values, axis=axis, descending=direction == "DESCENDING")


@rule(
    "tf.argsort",
    samples=[sample(f32(3, 4)), sample(f32(3, 4), axis=0), sample(i32(9, high=3), direction="DESCENDING", stable=True)],
    differences=[NAN],
)
def argsort(values, axis=-1, direction="ASCENDING", stable=False, name=None):
    return jnp.argsort(values, axis=axis, descending=direction == "DESCENDING")


@rule(
    "tf.nn.top_k",
    "tf.math.top_k",
    samples=[
        sample(f32(3, 4)),
        sample(f32(3, 4), 2),
        sample(i32(5, high=3), k=3),
        sample(f32(6), 2, index_type="int32"),
    ],
    differences=[NAN, ANY_ORDER, NARROW],
)
def top_k(input, k=1, sorted=True, index_type="int32", name=None):
    return lax.top_k(input, k)


@rule(
    "tf.clip_by_value",
    samples=[
        sample(f32(4, 3), -1.0, 0.5),
        sample(f32(3), clip_value_min=f32(3, high=-1), clip_value_max=1.0),
        sample(i32(5), 2, 6),
    ],
)
def clip_by_value(t, clip_value_min, clip_value_max, name=None):
    return jnp.clip(t, clip_value_min, clip_value_max)


@rule("tf.clip_by_norm", samples=[sample(f32(4, 3), 1.0), sample(f32(2, 2), 99.0), sample(f32(4, 3), 0.5, axes=[1])])
def clip_by_norm(t, clip_norm, axes=None, name=None):
    if known(axes) and axes is None:
        return optax.projections.projection_l2_ball(t, clip_norm)
    norm = jnp.linalg.norm(t, axis=tuple(axes) if isinstance(axes, list) else axes, keepdims=True)
    return t * clip_norm / jnp.maximum(norm, clip_norm)


@rule(
    "tf.clip_by_global_norm",
    samples=[
        sample([f32(4, 3), f32(2)], 1.0),
        sample([f32(2)], clip_norm=9.0),
        sample([f32(2), f32(3)], 0.5, use_norm=f32(low=1)),
    ],
)
def clip_by_global_norm(t_list, clip_norm, use_norm=None, name=None):
    if known(use_norm) and use_norm is None:
        return optax.projections.projection_l2_ball(t_list, clip_norm), optax.tree.norm(t_list)
    return jax.tree.map(lambda t: t * clip_norm / jnp.maximum(use_norm, clip_norm), t_list), use_norm


@rule("tf.linalg.global_norm", samples=[sample([f32(4, 3), f32(2)]), sample([f32(2), None])])
def global_norm(t_list, name=None):
    return optax.tree.norm(t_list)
