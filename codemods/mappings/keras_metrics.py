"""Metrics of `tf.keras.metrics`: an NNX metric, and the keywords of its update.

Most are averages of one value for each sample; they make `nnx.metrics.Average(name)`, which takes
the values by that name, so that it also works inside an `nnx.MultiMetric`.
"""

import jax.numpy as jnp
from flax import nnx

from codemods.engine.rule import Difference, f32, i32, inline, known, metric, refuse, sample
from codemods.mappings.keras_error_losses import absolute_errors, logarithmic_errors, percentage_errors, squared_errors
from codemods.mappings.keras_losses import alike, binary_errors, categorical_errors, cosines, sparse_errors

#: Metrics that `compile` takes by name, in lower case. `accuracy` depends on the loss: see `ACCURACY`.
METRIC_NAMES = {
    "auc": "AUC", "binary_accuracy": "BinaryAccuracy", "binary_crossentropy": "BinaryCrossentropy",
    "categorical_accuracy": "CategoricalAccuracy", "categorical_crossentropy": "CategoricalCrossentropy",
    "cosine_similarity": "CosineSimilarity", "mae": "MeanAbsoluteError", "mape": "MeanAbsolutePercentageError",
    "mean_absolute_error": "MeanAbsoluteError", "mean_absolute_percentage_error": "MeanAbsolutePercentageError",
    "mean_squared_error": "MeanSquaredError", "mse": "MeanSquaredError", "precision": "Precision", "recall": "Recall",
    "root_mean_squared_error": "RootMeanSquaredError",
    "sparse_categorical_accuracy": "SparseCategoricalAccuracy",
    "sparse_categorical_crossentropy": "SparseCategoricalCrossentropy",
    "sparse_top_k_categorical_accuracy": "SparseTopKCategoricalAccuracy",
    "top_k_categorical_accuracy": "TopKCategoricalAccuracy",
}  # fmt: skip

#: What `accuracy` and `acc` mean with a loss.
ACCURACY = {
    "tf.keras.losses.BinaryCrossentropy": "BinaryAccuracy",
    "tf.keras.losses.BinaryFocalCrossentropy": "BinaryAccuracy",
    "tf.keras.losses.CategoricalCrossentropy": "CategoricalAccuracy",
    "tf.keras.losses.SparseCategoricalCrossentropy": "SparseCategoricalAccuracy",
}

EMPTY = Difference("no update yet", "an nnx.metrics.Average of nothing is NaN, Keras's is 0")
P = f32(4, 3, low=0.05, high=0.95)


@inline
def in_top_k(labels, predictions, k):
    scores = jnp.take_along_axis(predictions, labels[..., None].astype(int), axis=-1)
    return jnp.sum(predictions > scores, axis=-1) < k


@metric("tf.keras.metrics.Mean", differences=[EMPTY], samples=[sample(x=(f32(5),)), sample(name="loss", x=(f32(),))])
class Mean:
    def make(name="mean", dtype=None):
        return nnx.metrics.Average(name)

    def call(values, sample_weight=None, *, name):
        if sample_weight is not None:
            refuse("a metric with sample weights: nnx.metrics.Average takes a mask of zeros and ones")
        return {name: values}


@metric("tf.keras.metrics.BinaryAccuracy", differences=[EMPTY], samples=[
    sample(x=(i32(4, 3, high=2), P)), sample(threshold=0.7, name="acc", x=(i32(4, 3, high=2), P)),
])  # fmt: skip
class BinaryAccuracy:
    def make(name="binary_accuracy", dtype=None, threshold=0.5):
        return nnx.metrics.Average(name)

    def call(y_true, y_pred, sample_weight=None, *, name, threshold):
        if sample_weight is not None:
            refuse("a metric with sample weights: nnx.metrics.Average takes a mask of zeros and ones")
        return {name: (y_pred > threshold) == alike(y_true, y_pred)}


@metric("tf.keras.metrics.SparseCategoricalAccuracy", differences=[EMPTY], samples=[
    sample(x=(i32(4, high=3), P)), sample(name="accuracy", x=(i32(4, 5, high=3), f32(4, 5, 3))),
])  # fmt: skip
class SparseCategoricalAccuracy:
    def make(name="sparse_categorical_accuracy", dtype=None):
        return nnx.metrics.Accuracy()

    def call(y_true, y_pred, sample_weight=None):
        if sample_weight is not None:
            refuse("a metric with sample weights: nnx.metrics.Average takes a mask of zeros and ones")
        if known(y_true.ndim) and known(y_pred.ndim) and y_true.ndim == y_pred.ndim:
            return {"logits": y_pred, "labels": y_true[..., 0]}
        return {"logits": y_pred, "labels": y_true}


@metric("tf.keras.metrics.CategoricalAccuracy", differences=[EMPTY], samples=[
    sample(x=(f32(4, 3), P)),
])  # fmt: skip
class CategoricalAccuracy:
    def make(name="categorical_accuracy", dtype=None):
        return nnx.metrics.Average(name)

    def call(y_true, y_pred, sample_weight=None, *, name):
        if sample_weight is not None:
            refuse("a metric with sample weights: nnx.metrics.Average takes a mask of zeros and ones")
        return {name: jnp.argmax(y_true, axis=-1) == jnp.argmax(y_pred, axis=-1)}


@metric("tf.keras.metrics.Accuracy", differences=[EMPTY], samples=[
    sample(x=(i32(4, 3, high=2), i32(4, 3, high=2))),
])  # fmt: skip
class Accuracy:
    def make(name="accuracy", dtype=None):
        return nnx.metrics.Average(name)

    def call(y_true, y_pred, sample_weight=None, *, name):
        if sample_weight is not None:
            refuse("a metric with sample weights: nnx.metrics.Average takes a mask of zeros and ones")
        return {name: alike(y_true, y_pred) == y_pred}


@metric("tf.keras.metrics.TopKCategoricalAccuracy", differences=[EMPTY], samples=[
    sample(2, x=(f32(6, 4), f32(6, 4))),
])  # fmt: skip
class TopKCategoricalAccuracy:
    def make(k=5, name="top_k_categorical_accuracy", dtype=None):
        return nnx.metrics.Average(name)

    def call(y_true, y_pred, sample_weight=None, *, name, k):
        if sample_weight is not None:
            refuse("a metric with sample weights: nnx.metrics.Average takes a mask of zeros and ones")
        return {name: in_top_k(jnp.argmax(y_true, axis=-1), y_pred, k)}


@metric("tf.keras.metrics.SparseTopKCategoricalAccuracy", differences=[EMPTY], samples=[
    sample(2, x=(i32(6, high=4), f32(6, 4))),
])  # fmt: skip
class SparseTopKCategoricalAccuracy:
    def make(k=5, name="sparse_top_k_categorical_accuracy", dtype=None, from_sorted_ids=False):
        if from_sorted_ids:
            refuse("predictions that are sorted ids")
        return nnx.metrics.Average(name)

    def call(y_true, y_pred, sample_weight=None, *, name, k):
        if sample_weight is not None:
            refuse("a metric with sample weights: nnx.metrics.Average takes a mask of zeros and ones")
        return {name: in_top_k(y_true, y_pred, k)}


@metric("tf.keras.metrics.MeanSquaredError", differences=[EMPTY], samples=[
    sample(x=(f32(4, 3), P)), sample(x=(f32(4), f32(4, 1))),
])  # fmt: skip
class MeanSquaredError:
    def make(name="mean_squared_error", dtype=None):
        return nnx.metrics.Average(name)

    def call(y_true, y_pred, sample_weight=None, *, name):
        if sample_weight is not None:
            refuse("a metric with sample weights: nnx.metrics.Average takes a mask of zeros and ones")
        return {name: squared_errors(alike(y_true, y_pred), y_pred)}


@metric("tf.keras.metrics.MeanAbsoluteError", differences=[EMPTY], samples=[
    sample(x=(f32(4, 3), P)),
])  # fmt: skip
class MeanAbsoluteError:
    def make(name="mean_absolute_error", dtype=None):
        return nnx.metrics.Average(name)

    def call(y_true, y_pred, sample_weight=None, *, name):
        if sample_weight is not None:
            refuse("a metric with sample weights: nnx.metrics.Average takes a mask of zeros and ones")
        return {name: absolute_errors(alike(y_true, y_pred), y_pred)}


@metric("tf.keras.metrics.MeanAbsolutePercentageError", differences=[EMPTY], samples=[
    sample(x=(P, P)),
])  # fmt: skip
class MeanAbsolutePercentageError:
    def make(name="mean_absolute_percentage_error", dtype=None):
        return nnx.metrics.Average(name)

    def call(y_true, y_pred, sample_weight=None, *, name):
        if sample_weight is not None:
            refuse("a metric with sample weights: nnx.metrics.Average takes a mask of zeros and ones")
        return {name: percentage_errors(alike(y_true, y_pred), y_pred)}


@metric("tf.keras.metrics.MeanSquaredLogarithmicError", differences=[EMPTY], samples=[
    sample(x=(P, P)),
])  # fmt: skip
class MeanSquaredLogarithmicError:
    def make(name="mean_squared_logarithmic_error", dtype=None):
        return nnx.metrics.Average(name)

    def call(y_true, y_pred, sample_weight=None, *, name):
        if sample_weight is not None:
            refuse("a metric with sample weights: nnx.metrics.Average takes a mask of zeros and ones")
        return {name: logarithmic_errors(alike(y_true, y_pred), y_pred)}


@metric("tf.keras.metrics.BinaryCrossentropy", differences=[EMPTY], samples=[
    sample(x=(P, P)), sample(from_logits=True, x=(P, f32(4, 3))),
])  # fmt: skip
class BinaryCrossentropy:
    def make(name="binary_crossentropy", dtype=None, from_logits=False, label_smoothing=0):
        return nnx.metrics.Average(name)

    def call(y_true, y_pred, sample_weight=None, *, name, from_logits, label_smoothing):
        if sample_weight is not None:
            refuse("a metric with sample weights: nnx.metrics.Average takes a mask of zeros and ones")
        return {name: binary_errors(alike(y_true, y_pred), y_pred, from_logits, label_smoothing)}


@metric("tf.keras.metrics.CategoricalCrossentropy", differences=[EMPTY], samples=[
    sample(x=(P, P)), sample(from_logits=True, x=(P, f32(4, 3))),
])  # fmt: skip
class CategoricalCrossentropy:
    def make(name="categorical_crossentropy", dtype=None, from_logits=False, label_smoothing=0, axis=-1):
        return nnx.metrics.Average(name)

    def call(y_true, y_pred, sample_weight=None, *, name, from_logits, label_smoothing, axis):
        if sample_weight is not None:
            refuse("a metric with sample weights: nnx.metrics.Average takes a mask of zeros and ones")
        return {name: categorical_errors(y_true, y_pred, from_logits, label_smoothing, axis)}


@metric("tf.keras.metrics.SparseCategoricalCrossentropy", differences=[EMPTY], samples=[
    sample(x=(i32(4, high=3), P)), sample(from_logits=True, x=(i32(4, high=3), f32(4, 3))),
])  # fmt: skip
class SparseCategoricalCrossentropy:
    def make(name="sparse_categorical_crossentropy", dtype=None, from_logits=False, ignore_class=None, axis=-1):
        return nnx.metrics.Average(name)

    def call(y_true, y_pred, sample_weight=None, *, name, from_logits, ignore_class, axis):
        if sample_weight is not None:
            refuse("a metric with sample weights: nnx.metrics.Average takes a mask of zeros and ones")
        return {name: sparse_errors(y_true, y_pred, from_logits, ignore_class, axis)}


@metric("tf.keras.metrics.CosineSimilarity", differences=[EMPTY], samples=[
    sample(x=(f32(4, 3), f32(4, 3))),
])  # fmt: skip
class CosineSimilarity:
    def make(name="cosine_similarity", dtype=None, axis=-1):
        return nnx.metrics.Average(name)

    def call(y_true, y_pred, sample_weight=None, *, name, axis):
        if sample_weight is not None:
            refuse("a metric with sample weights: nnx.metrics.Average takes a mask of zeros and ones")
        return {name: -cosines(y_true, y_pred, axis)}
