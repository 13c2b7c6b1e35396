"""Metrics of `tf.keras.metrics` over a confusion matrix, or over counts for each class or threshold."""

import jax
import jax.numpy as jnp
from flax import nnx

from codemods.engine.rule import f32, i32, inline, metric, refuse, sample
from codemods.mappings.keras_counting_metrics import SCORES

CLASSES = (i32(30, high=4), i32(30, high=4))
HOT = (i32(20, 4, high=2), f32(20, 4, low=0, high=1))
NO_WEIGHTS = "a metric with sample weights: weigh its counts by hand"


class IoU(nnx.Metric):
    """Intersection over union of classes, averaged over those that occur."""

    def __init__(self, num_classes, target_class_ids=None, ignore_class=None):
        self.num_classes = num_classes
        self.targets = slice(None) if target_class_ids is None else nnx.data(jnp.array(target_class_ids))
        self.ignore_class = ignore_class
        self.confusion = nnx.metrics.MetricState(jnp.zeros((num_classes, num_classes)))

    def reset(self):
        self.confusion[...] = jnp.zeros_like(self.confusion)

    def update(self, *, labels, predictions, **_):
        labels, predictions = labels.ravel().astype(int), predictions.ravel().astype(int)
        counted = labels != self.ignore_class if self.ignore_class is not None else jnp.ones_like(labels, bool)
        rows = jax.nn.one_hot(labels, self.num_classes) * counted[:, None]
        self.confusion[...] += rows.T @ jax.nn.one_hot(predictions, self.num_classes)

    def compute(self):
        confusion = self.confusion[...]
        shared = jnp.diag(confusion)
        both = confusion.sum(0) + confusion.sum(1) - shared
        shared, both = shared[self.targets], both[self.targets]
        return jnp.sum(shared / (both + 1e-7)) / (jnp.sum(both > 0) + 1e-7)


@inline
def class_of(values, sparse, axis):
    """The class of each element, of values that are classes or one score for each."""
    if sparse:
        return values
    return jnp.argmax(values, axis=axis)


@metric("tf.keras.metrics.MeanIoU", samples=[
    sample(4, x=CLASSES), sample(5, ignore_class=1, x=CLASSES), sample(4, sparse_y_pred=False, x=(i32(20, high=4), HOT[1])),
])  # fmt: skip
class MeanIoU:
    helpers = (IoU,)

    def make(num_classes, name=None, dtype=None, ignore_class=None, sparse_y_true=True, sparse_y_pred=True, axis=-1):
        return IoU(num_classes, ignore_class=ignore_class)

    def call(y_true, y_pred, sample_weight=None, *, sparse_y_true, sparse_y_pred, axis):
        if sample_weight is not None:
            refuse(NO_WEIGHTS)
        return {"labels": class_of(y_true, sparse_y_true, axis), "predictions": class_of(y_pred, sparse_y_pred, axis)}


@metric("tf.keras.metrics.IoU", samples=[sample(4, [0, 2], x=CLASSES), sample(4, (1,), ignore_class=0, x=CLASSES)])
class IoURule:
    helpers = (IoU,)

    def make(num_classes, target_class_ids, name=None, dtype=None, ignore_class=None, sparse_y_true=True,
             sparse_y_pred=True, axis=-1):  # fmt: skip
        return IoU(num_classes, target_class_ids, ignore_class)

    call = MeanIoU.call


@metric("tf.keras.metrics.BinaryIoU", samples=[sample(x=SCORES), sample([1], 0.3, x=SCORES)])
class BinaryIoU:
    helpers = (IoU,)

    def make(target_class_ids=(0, 1), threshold=0.5, name=None, dtype=None):
        return IoU(2, target_class_ids)

    def call(y_true, y_pred, sample_weight=None, *, threshold):
        if sample_weight is not None:
            refuse(NO_WEIGHTS)
        return {"labels": y_true, "predictions": y_pred >= threshold}


@metric("tf.keras.metrics.OneHotIoU", samples=[sample(4, [0, 3], x=HOT)])
class OneHotIoU:
    helpers = (IoU,)

    def make(num_classes, target_class_ids, name=None, dtype=None, ignore_class=None, sparse_y_pred=False, axis=-1):
        return IoU(num_classes, target_class_ids, ignore_class)

    def call(y_true, y_pred, sample_weight=None, *, sparse_y_pred, axis):
        if sample_weight is not None:
            refuse(NO_WEIGHTS)
        return {"labels": jnp.argmax(y_true, axis=axis), "predictions": class_of(y_pred, sparse_y_pred, axis)}


@metric("tf.keras.metrics.OneHotMeanIoU", samples=[sample(4, x=HOT), sample(4, ignore_class=2, x=HOT)])
class OneHotMeanIoU:
    helpers = (IoU,)

    def make(num_classes, name=None, dtype=None, ignore_class=None, sparse_y_pred=False, axis=-1):
        return IoU(num_classes, ignore_class=ignore_class)

    call = OneHotIoU.call


UNSIZED = "its size is known from the first update only: count on the host with scikit-learn, or in your own nnx.Metric"


@metric("tf.keras.metrics.F1Score", samples=[])
class F1Score:
    def make(average=None, threshold=None, name="f1_score", dtype=None):
        refuse(UNSIZED)


@metric("tf.keras.metrics.FBetaScore", samples=[])
class FBetaScore:
    def make(average=None, beta=1.0, threshold=None, name="fbeta_score", dtype=None):
        refuse(UNSIZED)


@metric("tf.keras.metrics.R2Score", samples=[])
class R2Score:
    def make(class_aggregation="uniform_average", num_regressors=0, name="r2_score", dtype=None):
        refuse(UNSIZED)


class AtThresholds(nnx.Metric):
    """The best of one rate where another is at least a bound, over evenly spaced thresholds."""

    def __init__(self, best, bounded, bound, num_thresholds=200):
        self.best, self.bounded, self.bound = best, bounded, bound
        inner = jnp.arange(1, num_thresholds - 1) / (num_thresholds - 1)
        self.thresholds = nnx.data(jnp.array([0.0, *inner, 1.0]) if num_thresholds > 1 else jnp.array([0.5]))
        self.counts = nnx.metrics.MetricState(jnp.zeros((2, 2, num_thresholds)))

    def reset(self):
        self.counts[...] = jnp.zeros_like(self.counts)

    def update(self, *, labels, predictions, **_):
        classes = jnp.stack([labels.ravel() == 0, labels.ravel() != 0]).astype(jnp.float32)
        above = predictions.ravel()[:, None] > self.thresholds
        self.counts[...] += jnp.stack([classes @ ~above, classes @ above])

    def compute(self):
        (tn, fn), (fp, tp) = self.counts[...]
        rates = {"precision": (tp, tp + fp), "recall": (tp, tp + fn), "specificity": (tn, tn + fp)}
        best, bounded = (part / jnp.maximum(whole, 1) for part, whole in (rates[self.best], rates[self.bounded]))
        return jnp.max(jnp.where(bounded >= self.bound, best, 0))


@metric("tf.keras.metrics.PrecisionAtRecall", samples=[sample(0.5, x=SCORES), sample(0.7, num_thresholds=20, x=SCORES)])
class PrecisionAtRecall:
    helpers = (AtThresholds,)

    def make(recall, num_thresholds=200, class_id=None, name=None, dtype=None):
        if class_id is not None:
            refuse("class_id: give the metric the scores of that class")
        return AtThresholds("precision", "recall", recall, num_thresholds)

    def call(y_true, y_pred, sample_weight=None):
        if sample_weight is not None:
            refuse(NO_WEIGHTS)
        return {"labels": y_true, "predictions": y_pred}


@metric("tf.keras.metrics.RecallAtPrecision", samples=[sample(0.5, x=SCORES), sample(0.7, num_thresholds=20, x=SCORES)])
class RecallAtPrecision:
    helpers = (AtThresholds,)

    def make(precision, num_thresholds=200, class_id=None, name=None, dtype=None):
        if class_id is not None:
            refuse("class_id: give the metric the scores of that class")
        return AtThresholds("recall", "precision", precision, num_thresholds)

    call = PrecisionAtRecall.call


@metric("tf.keras.metrics.SensitivityAtSpecificity", samples=[sample(0.5, x=SCORES)])
class SensitivityAtSpecificity:
    helpers = (AtThresholds,)

    def make(specificity, num_thresholds=200, class_id=None, name=None, dtype=None):
        if class_id is not None:
            refuse("class_id: give the metric the scores of that class")
        return AtThresholds("recall", "specificity", specificity, num_thresholds)

    call = PrecisionAtRecall.call


@metric("tf.keras.metrics.SpecificityAtSensitivity", samples=[sample(0.5, x=SCORES)])
class SpecificityAtSensitivity:
    helpers = (AtThresholds,)

    def make(sensitivity, num_thresholds=200, class_id=None, name=None, dtype=None):
        if class_id is not None:
            refuse("class_id: give the metric the scores of that class")
        return AtThresholds("specificity", "recall", sensitivity, num_thresholds)

    call = PrecisionAtRecall.call
