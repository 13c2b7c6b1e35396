"""Segments, counts and histograms."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from codemods.engine.rule import Difference, f32, i32, known, refuse, rule, sample
from codemods.mappings.differences import BOOLS, FLOAT_INDICES, INTEGERS, NO_WEIGHTS
from codemods.mappings.tf_core import EAGER
from codemods.mappings.tf_dtypes import NARROW, NARROW_INTEGERS, as_dtype

EMPTY = Difference(
    "segments without elements",
    "their maximum or minimum is infinite in JAX (lowest value, or 0 for sorted segments, in TensorFlow)",
    ("empty", "one", "ties", "nan", "num_segments", "segment_ids"),
    "shape",
)
DROPPED = Difference("segment ids out of range", "JAX leaves their elements out")
NO_GRADIENT = Difference("the gradient", "JAX has none where a segment has several elements", ("float32",), "values")
SORTED = [sample(f32(5, 3), [0, 0, 1, 2, 2]), sample(f32(4), [0, 1, 1, 1]), sample(i32(4, 2), segment_ids=[0, 1, 2, 2])]
UNSORTED = [sample(f32(5, 3), [2, 0, 1, 2, 0], 3), sample(f32(4), [0, 1, 1, 0], num_segments=2)]


@rule("tf.math.segment_sum", samples=SORTED, differences=[EAGER])
def segment_sum(data, segment_ids, name=None):
    return jax.ops.segment_sum(data, jnp.asarray(segment_ids), indices_are_sorted=True)


@rule("tf.math.segment_mean", samples=SORTED[:2], differences=[EAGER, INTEGERS])
def segment_mean(data, segment_ids, name=None):
    sums = jax.ops.segment_sum(data, jnp.asarray(segment_ids), indices_are_sorted=True)
    counts = jax.ops.segment_sum(jnp.ones_like(data), jnp.asarray(segment_ids), indices_are_sorted=True)
    return sums / jnp.maximum(counts, 1)


@rule("tf.math.segment_max", samples=SORTED, differences=[EAGER, EMPTY])
def segment_max(data, segment_ids, name=None):
    return jax.ops.segment_max(data, jnp.asarray(segment_ids), indices_are_sorted=True)


@rule("tf.math.segment_min", samples=SORTED, differences=[EAGER, EMPTY])
def segment_min(data, segment_ids, name=None):
    return jax.ops.segment_min(data, jnp.asarray(segment_ids), indices_are_sorted=True)


@rule(
    "tf.math.segment_prod",
    samples=[sample(i32(5, 3), [0, 0, 1, 2, 2]), sample(i32(4, 2), segment_ids=[0, 1, 2, 2])],
    differences=[EAGER, NO_GRADIENT],
)
def segment_prod(data, segment_ids, name=None):
    return jax.ops.segment_prod(data, jnp.asarray(segment_ids), indices_are_sorted=True)


@rule("tf.math.unsorted_segment_sum", samples=UNSORTED, differences=[DROPPED])
def unsorted_segment_sum(data, segment_ids, num_segments, name=None):
    return jax.ops.segment_sum(data, jnp.asarray(segment_ids), num_segments)


@rule("tf.math.unsorted_segment_mean", samples=UNSORTED, differences=[DROPPED, NARROW_INTEGERS])
def unsorted_segment_mean(data, segment_ids, num_segments, name=None):
    sums = jax.ops.segment_sum(data, jnp.asarray(segment_ids), num_segments)
    return sums / jnp.maximum(jax.ops.segment_sum(jnp.ones_like(data), jnp.asarray(segment_ids), num_segments), 1)


@rule("tf.math.unsorted_segment_sqrt_n", samples=UNSORTED, differences=[DROPPED])
def unsorted_segment_sqrt_n(data, segment_ids, num_segments, name=None):
    sums = jax.ops.segment_sum(data, jnp.asarray(segment_ids), num_segments)
    counts = jax.ops.segment_sum(jnp.ones_like(data), jnp.asarray(segment_ids), num_segments)
    return sums / jnp.sqrt(jnp.maximum(counts, 1))


@rule("tf.math.unsorted_segment_max", samples=UNSORTED, differences=[DROPPED, EMPTY])
def unsorted_segment_max(data, segment_ids, num_segments, name=None):
    return jax.ops.segment_max(data, jnp.asarray(segment_ids), num_segments)


@rule("tf.math.unsorted_segment_min", samples=UNSORTED, differences=[DROPPED, EMPTY])
def unsorted_segment_min(data, segment_ids, num_segments, name=None):
    return jax.ops.segment_min(data, jnp.asarray(segment_ids), num_segments)


@rule(
    "tf.math.unsorted_segment_prod",
    samples=[sample(i32(5, 3), [2, 0, 1, 2, 0], 3), sample(i32(4), [0, 1, 1, 0], num_segments=2)],
    differences=[DROPPED, NO_GRADIENT],
)
def unsorted_segment_prod(data, segment_ids, num_segments, name=None):
    return jax.ops.segment_prod(data, jnp.asarray(segment_ids), num_segments)


@rule(
    "tf.math.bincount",
    samples=[
        sample([1, 3, 3, 0]),
        sample([1, 2], weights=i32(2)),
        sample([1, 0], minlength=5, dtype="float32"),
        sample([0, 0, 0]),
    ],
    differences=[EAGER, NARROW, NO_WEIGHTS],
)
def bincount(
    arr, weights=None, minlength=None, maxlength=None, dtype="int32", name=None, axis=None, binary_output=False
):
    if maxlength is not None or axis is not None or binary_output:
        refuse("maxlength, axis or binary_output: use jnp.bincount(x, length=n), under jax.vmap for each row")
    minlength = 0 if minlength is None else minlength
    if known(weights) and weights is None:
        return jnp.bincount(jnp.asarray(arr), minlength=minlength).astype(as_dtype(dtype))
    return jnp.bincount(jnp.asarray(arr), weights=weights, minlength=minlength)


@rule(
    "tf.math.confusion_matrix",
    samples=[
        sample(i32(6, high=3), i32(6, high=3), 3),
        sample(i32(6, high=3), i32(6, high=3), num_classes=4, dtype="float32"),
        sample(i32(6, high=3), i32(6, high=3), 3, weights=f32(6), dtype="float32"),
        sample(i32(6, high=3), i32(6, high=3), 3, weights=[0.5, 1.5, 2.5, 3.5, 0.25, 1.75], dtype="int32"),
    ],
    differences=[NARROW, FLOAT_INDICES, BOOLS],
)
def confusion_matrix(labels, predictions, num_classes=None, weights=None, dtype="int32", name=None):
    if known(num_classes) and num_classes is None:
        refuse("no num_classes: the shape would depend on values; state it")
    counts = jnp.zeros((num_classes, num_classes), dtype=as_dtype(dtype))
    if known(weights) and weights is None:
        return counts.at[labels, predictions].add(1)
    return counts.at[labels, predictions].add(jnp.asarray(weights, dtype=as_dtype(dtype)))


@rule(
    "tf.histogram_fixed_width",
    samples=[sample(f32(20), [-1.0, 1.0], 5), sample(f32(20), value_range=[0.0, 2.0], nbins=4)],
    differences=[NARROW],
)
def histogram_fixed_width(values, value_range, nbins=100, dtype="int32", name=None):
    return jnp.histogram(jnp.clip(values, *value_range), nbins, value_range)[0].astype(as_dtype(dtype))
