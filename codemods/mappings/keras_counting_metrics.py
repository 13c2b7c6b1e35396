"""Metrics of `tf.keras.metrics` that count: what goes into the output are small NNX metrics."""

import jax.numpy as jnp
from flax import nnx

from codemods.engine.rule import f32, i32, metric, refuse, sample


class Counts(nnx.Metric):
    """True and false positives and negatives of probabilities at a threshold."""

    def __init__(self, compute, threshold=0.5):
        self.of_counts = compute
        self.threshold = threshold
        self.counts = nnx.metrics.MetricState(jnp.zeros(4))

    def reset(self):
        self.counts[...] = jnp.zeros(4)

    def update(self, *, labels, predictions, **_):
        positive, predicted = labels.astype(bool).ravel(), predictions.ravel() > self.threshold
        cells = [positive & predicted, ~positive & predicted, positive & ~predicted, ~positive & ~predicted]
        self.counts[...] += jnp.stack([cell.sum() for cell in cells])

    def compute(self):
        return self.of_counts(*self.counts[...])


class AUC(nnx.Metric):
    """Area under the ROC curve by trapezoids between evenly spaced thresholds."""

    def __init__(self, num_thresholds=200):
        inner = jnp.arange(1, num_thresholds - 1) / (num_thresholds - 1)
        self.thresholds = nnx.data(jnp.array([-1e-7, *inner, 1 + 1e-7]))
        self.counts = nnx.metrics.MetricState(jnp.zeros((2, num_thresholds)))

    def reset(self):
        self.counts[...] = jnp.zeros_like(self.counts)

    def update(self, *, labels, predictions, **_):
        classes = jnp.stack([labels.ravel() == 0, labels.ravel() != 0]).astype(jnp.float32)
        self.counts[...] += classes @ (predictions.ravel()[:, None] > self.thresholds)

    def compute(self):
        false_positives, true_positives = self.counts / jnp.maximum(self.counts[:, :1], 1e-7)
        return -jnp.trapezoid(true_positives, false_positives)


SCORES = (i32(20, high=2), f32(20, low=0, high=1))


@metric("tf.keras.metrics.AUC", samples=[sample(x=SCORES), sample(num_thresholds=20, x=SCORES)])
class AUCRule:
    helpers = (AUC,)

    def make(num_thresholds=200, curve="ROC", summation_method="interpolation", name="auc", dtype=None,
             thresholds=None, multi_label=False, num_labels=None, label_weights=None, from_logits=False):  # fmt: skip
        if curve != "ROC" or summation_method != "interpolation" or thresholds is not None or multi_label:
            refuse("AUC other than of the ROC curve with evenly spaced thresholds")
        if from_logits:
            refuse("AUC from logits: give it nnx.sigmoid of them")
        return AUC(num_thresholds)

    def call(y_true, y_pred, sample_weight=None):
        if sample_weight is not None:
            refuse("a metric with sample weights: weigh its counts by hand")
        return {"labels": y_true, "predictions": y_pred}


@metric("tf.keras.metrics.Precision", samples=[sample(x=SCORES), sample(0.7, x=SCORES)])
class Precision:
    helpers = (Counts,)

    def make(thresholds=None, top_k=None, class_id=None, name=None, dtype=None):
        if top_k is not None or class_id is not None or isinstance(thresholds, (list, tuple)):
            refuse("top_k, class_id and several thresholds")
        threshold = 0.5
        if thresholds is not None:
            threshold = thresholds
        return Counts(lambda tp, fp, fn, tn: tp / jnp.maximum(tp + fp, 1e-7), threshold)

    call = AUCRule.call


@metric("tf.keras.metrics.Recall", samples=[sample(x=SCORES), sample(0.7, x=SCORES)])
class Recall:
    helpers = (Counts,)

    def make(thresholds=None, top_k=None, class_id=None, name=None, dtype=None):
        if top_k is not None or class_id is not None or isinstance(thresholds, (list, tuple)):
            refuse("top_k, class_id and several thresholds")
        threshold = 0.5
        if thresholds is not None:
            threshold = thresholds
        return Counts(lambda tp, fp, fn, tn: tp / jnp.maximum(tp + fn, 1e-7), threshold)

    call = AUCRule.call


@metric("tf.keras.metrics.TruePositives", samples=[sample(x=SCORES), sample(0.7, x=SCORES)])
class TruePositives:
    helpers = (Counts,)

    def make(thresholds=None, name=None, dtype=None):
        if isinstance(thresholds, (list, tuple)):
            refuse("several thresholds")
        threshold = 0.5
        if thresholds is not None:
            threshold = thresholds
        return Counts(lambda tp, fp, fn, tn: tp, threshold)

    call = AUCRule.call


@metric("tf.keras.metrics.FalsePositives", samples=[sample(x=SCORES), sample(0.7, x=SCORES)])
class FalsePositives:
    helpers = (Counts,)

    def make(thresholds=None, name=None, dtype=None):
        if isinstance(thresholds, (list, tuple)):
            refuse("several thresholds")
        threshold = 0.5
        if thresholds is not None:
            threshold = thresholds
        return Counts(lambda tp, fp, fn, tn: fp, threshold)

    call = AUCRule.call


@metric("tf.keras.metrics.FalseNegatives", samples=[sample(x=SCORES), sample(0.7, x=SCORES)])
class FalseNegatives:
    helpers = (Counts,)

    def make(thresholds=None, name=None, dtype=None):
        if isinstance(thresholds, (list, tuple)):
            refuse("several thresholds")
        threshold = 0.5
        if thresholds is not None:
            threshold = thresholds
        return Counts(lambda tp, fp, fn, tn: fn, threshold)

    call = AUCRule.call


@metric("tf.keras.metrics.TrueNegatives", samples=[sample(x=SCORES), sample(0.7, x=SCORES)])
class TrueNegatives:
    helpers = (Counts,)

    def make(thresholds=None, name=None, dtype=None):
        if isinstance(thresholds, (list, tuple)):
            refuse("several thresholds")
        threshold = 0.5
        if thresholds is not None:
            threshold = thresholds
        return Counts(lambda tp, fp, fn, tn: tn, threshold)

    call = AUCRule.call
