"""More metrics of `tf.keras.metrics` that average one value for each sample, and metrics that are functions."""

import jax.numpy as jnp
from flax import nnx

from codemods.engine.rule import Difference, f32, i32, inline, metric, refuse, rule, sample
from codemods.engine.touching import always, on_keras2
from codemods.mappings.differences import BATCHES, NAN, STRICT_SHAPES
from codemods.mappings.keras_error_losses import (
    categorical_hinges,
    divergences,
    hinge_errors,
    log_cosh_errors,
    poisson_errors,
    squared_errors,
    squared_hinge_errors,
)
from codemods.mappings.keras_losses import alike
from codemods.mappings.keras_metrics import EMPTY, P, in_top_k

PAIR = (f32(4, 3), f32(4, 3))
LABELLED = (i32(4, 3, high=2), f32(4, 3))


@metric("tf.keras.metrics.Hinge", differences=[EMPTY], samples=[sample(x=LABELLED)])
class Hinge:
    def make(name="hinge", dtype=None):
        return nnx.metrics.Average(name)

    def call(y_true, y_pred, sample_weight=None, *, name):
        if sample_weight is not None:
            refuse("a metric with sample weights: nnx.metrics.Average takes a mask of zeros and ones")
        return {name: hinge_errors(alike(y_true, y_pred), y_pred)}


@metric("tf.keras.metrics.SquaredHinge", differences=[EMPTY], samples=[sample(x=LABELLED)])
class SquaredHinge:
    def make(name="squared_hinge", dtype=None):
        return nnx.metrics.Average(name)

    def call(y_true, y_pred, sample_weight=None, *, name):
        if sample_weight is not None:
            refuse("a metric with sample weights: nnx.metrics.Average takes a mask of zeros and ones")
        return {name: squared_hinge_errors(alike(y_true, y_pred), y_pred)}


@metric("tf.keras.metrics.CategoricalHinge", differences=[EMPTY], samples=[sample(x=LABELLED)])
class CategoricalHinge:
    def make(name="categorical_hinge", dtype=None):
        return nnx.metrics.Average(name)

    def call(y_true, y_pred, sample_weight=None, *, name):
        if sample_weight is not None:
            refuse("a metric with sample weights: nnx.metrics.Average takes a mask of zeros and ones")
        return {name: categorical_hinges(y_true, y_pred)}


@metric("tf.keras.metrics.KLDivergence", differences=[EMPTY], samples=[sample(x=(P, P))])
class KLDivergence:
    def make(name="kl_divergence", dtype=None):
        return nnx.metrics.Average(name)

    def call(y_true, y_pred, sample_weight=None, *, name):
        if sample_weight is not None:
            refuse("a metric with sample weights: nnx.metrics.Average takes a mask of zeros and ones")
        return {name: divergences(y_true, y_pred)}


@metric("tf.keras.metrics.Poisson", differences=[EMPTY], samples=[sample(x=(P, P))])
class Poisson:
    def make(name="poisson", dtype=None):
        return nnx.metrics.Average(name)

    def call(y_true, y_pred, sample_weight=None, *, name):
        if sample_weight is not None:
            refuse("a metric with sample weights: nnx.metrics.Average takes a mask of zeros and ones")
        return {name: poisson_errors(alike(y_true, y_pred), y_pred)}


@metric("tf.keras.metrics.LogCoshError", differences=[EMPTY], samples=[sample(x=PAIR)])
class LogCoshError:
    def make(name="logcosh", dtype=None):
        return nnx.metrics.Average(name)

    def call(y_true, y_pred, sample_weight=None, *, name):
        if sample_weight is not None:
            refuse("a metric with sample weights: nnx.metrics.Average takes a mask of zeros and ones")
        return {name: log_cosh_errors(alike(y_true, y_pred), y_pred)}


class RootMean(nnx.metrics.Average):
    """The square root of an average."""

    def compute(self):
        return jnp.sqrt(super().compute())


@metric("tf.keras.metrics.RootMeanSquaredError", differences=[EMPTY], samples=[sample(x=PAIR), sample("rmse", x=PAIR)])
class RootMeanSquaredError:
    helpers = (RootMean,)

    def make(name="root_mean_squared_error", dtype=None):
        return RootMean(name)

    def call(y_true, y_pred, sample_weight=None, *, name):
        if sample_weight is not None:
            refuse("a metric with sample weights: nnx.metrics.Average takes a mask of zeros and ones")
        return {name: squared_errors(alike(y_true, y_pred), y_pred)}


class Total(nnx.metrics.Average):
    """The sum of all values."""

    def compute(self):
        return self.total[...]


@metric("tf.keras.metrics.Sum", samples=[sample(x=(f32(5),)), sample(name="total", x=(f32(),))])
class Sum:
    helpers = (Total,)

    def make(name="sum", dtype=None):
        return Total(name)

    def call(values, sample_weight=None, *, name):
        if sample_weight is not None:
            return {name: values * sample_weight}
        return {name: values}


@metric("tf.keras.metrics.MeanRelativeError", differences=[EMPTY], samples=[])
class MeanRelativeError:
    def make(normalizer, name=None, dtype=None):
        return nnx.metrics.Average("mean_relative_error")

    def call(y_true, y_pred, sample_weight=None, *, normalizer):
        if sample_weight is not None:
            refuse("a metric with sample weights: nnx.metrics.Average takes a mask of zeros and ones")
        return {"mean_relative_error": jnp.nan_to_num(jnp.abs(y_true - y_pred) / normalizer)}


@inline
def correlations(y_true, y_pred, axis):
    return jnp.mean(
        (y_true - y_true.mean(axis, keepdims=True)) * (y_pred - y_pred.mean(axis, keepdims=True)), axis=axis
    ) / (y_true.std(axis) * y_pred.std(axis))


@inline
def concordances(y_true, y_pred, axis):
    mean = y_pred.mean(axis, keepdims=True)
    return (
        2
        * jnp.mean((y_true - mean) * (y_pred - mean), axis=axis)
        / (y_true.var(axis) + y_pred.var(axis) + jnp.square(y_true.mean(axis) - y_pred.mean(axis)) + 1e-7)
    )


@metric("tf.keras.metrics.PearsonCorrelation", differences=[EMPTY], samples=[sample(x=PAIR), sample(axis=0, x=PAIR)])
class PearsonCorrelation:
    def make(name="pearson_correlation", dtype=None, axis=-1):
        return nnx.metrics.Average(name)

    def call(y_true, y_pred, sample_weight=None, *, name, axis):
        if sample_weight is not None:
            refuse("a metric with sample weights: nnx.metrics.Average takes a mask of zeros and ones")
        return {name: correlations(y_true, y_pred, axis)}


@metric(
    "tf.keras.metrics.ConcordanceCorrelation", differences=[EMPTY], samples=[sample(x=PAIR), sample(axis=0, x=PAIR)]
)
class ConcordanceCorrelation:
    def make(name="concordance_correlation", dtype=None, axis=-1):
        return nnx.metrics.Average(name)

    def call(y_true, y_pred, sample_weight=None, *, name, axis):
        if sample_weight is not None:
            refuse("a metric with sample weights: nnx.metrics.Average takes a mask of zeros and ones")
        return {name: concordances(y_true, y_pred, axis)}


@rule("tf.keras.metrics.pearson_correlation", samples=[sample(*PAIR), sample(*PAIR, axis=0)])
def pearson_correlation(y_true, y_pred, axis=-1):
    return correlations(y_true, y_pred, axis)


@rule("tf.keras.metrics.concordance_correlation", samples=[sample(*PAIR), sample(*PAIR, axis=0)])
def concordance_correlation(y_true, y_pred, axis=-1):
    return concordances(y_true, y_pred, axis)


# -- accuracies as functions: one value for each sample ------------------------------------------------


MISSING = Difference(
    "a label that is no class",
    "is among none for TensorFlow, and the last class for JAX",
    ("one", "empty", "broadcast"),
    at=always,
)
MEANS = Difference(
    "`binary_accuracy` of Keras 2",
    "is the mean over the last axis, Keras 3's and the port's one per element",
    at=on_keras2,
)


@rule("tf.keras.metrics.binary_accuracy", differences=[MEANS, STRICT_SHAPES], samples=[
    sample(i32(4, 3, high=2), P), sample(i32(4, 3, high=2), P, threshold=0.7),
])  # fmt: skip
def binary_accuracy(y_true, y_pred, threshold=0.5):
    return ((y_pred > threshold) == alike(y_true, y_pred)).astype(jnp.float32)


@rule("tf.keras.metrics.categorical_accuracy", differences=[NAN], samples=[sample(*PAIR)])
def categorical_accuracy(y_true, y_pred):
    return (jnp.argmax(y_true, axis=-1) == jnp.argmax(y_pred, axis=-1)).astype(jnp.float32)


@rule("tf.keras.metrics.sparse_categorical_accuracy", differences=[BATCHES], samples=[
    sample(i32(4, high=3), P), sample(i32(4, 1, high=3), P), sample(i32(4, 5, high=3), f32(4, 5, 3)),
])  # fmt: skip
def sparse_categorical_accuracy(y_true, y_pred):
    labels = y_true
    if y_true.ndim == y_pred.ndim:
        labels = y_true[..., 0]
    return (labels == jnp.argmax(y_pred, axis=-1)).astype(jnp.float32)


@rule(
    "tf.keras.metrics.top_k_categorical_accuracy",
    differences=[NAN, MISSING],
    samples=[sample(f32(6, 7), f32(6, 7)), sample(*PAIR, k=2)],
)
def top_k_categorical_accuracy(y_true, y_pred, k=5):
    return in_top_k(jnp.argmax(y_true, axis=-1), y_pred, k).astype(jnp.float32)


@rule("tf.keras.metrics.sparse_top_k_categorical_accuracy", differences=[NAN, MISSING], samples=[
    sample(i32(6, high=7), f32(6, 7)), sample(i32(6, high=7), f32(6, 7), k=2),
])  # fmt: skip
def sparse_top_k_categorical_accuracy(y_true, y_pred, k=5, from_sorted_ids=False):
    if from_sorted_ids:
        refuse("predictions that are sorted ids")
    return in_top_k(y_true, y_pred, k).astype(jnp.float32)
