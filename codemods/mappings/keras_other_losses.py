"""Losses of `tf.keras.losses` for unbalanced classes, noisy labels, embeddings and sequences."""

import jax.numpy as jnp
import optax
from flax import nnx

from codemods.engine.rule import f32, i32, inline, loss, rule, sample
from codemods.mappings.differences import BATCHES, BOOLS, HALF_SUMS, INFEASIBLE, NAN, OUT_OF_CLASSES
from codemods.mappings.keras_losses import HOT, WEIGHTS, P, probable, reduced


@inline
def categorical_focals(y_true, y_pred, alpha, gamma, from_logits, label_smoothing, axis):
    if label_smoothing:
        y_true = optax.smooth_labels(y_true, label_smoothing, axis=axis)
    if from_logits:
        probabilities = probable(nnx.softmax(y_pred, axis=axis))
    else:
        probabilities = probable(y_pred / jnp.sum(y_pred, axis=axis, keepdims=True))
    return -jnp.sum(alpha * (1 - probabilities) ** gamma * y_true * jnp.log(probabilities), axis=axis)


@loss("tf.keras.losses.CategoricalFocalCrossentropy", differences=[WEIGHTS], samples=[
    sample(x=(HOT, P)), sample(0.5, 1.5, from_logits=True, label_smoothing=0.1, x=(HOT, f32(4, 3))),
])  # fmt: skip
class CategoricalFocalCrossentropy:
    def make(alpha=0.25, gamma=2.0, from_logits=False, label_smoothing=0.0, axis=-1, reduction="sum_over_batch_size",
             name="categorical_focal_crossentropy", dtype=None):  # fmt: skip
        return None

    def call(y_true, y_pred, sample_weight=None, *, alpha, gamma, from_logits, label_smoothing, axis, reduction):
        errors = categorical_focals(y_true, y_pred, alpha, gamma, from_logits, label_smoothing, axis)
        return reduced(errors, sample_weight, reduction)


@rule("tf.keras.losses.categorical_focal_crossentropy", samples=[
    sample(HOT, P), sample(HOT, f32(4, 3), alpha=0.5, gamma=1.5, from_logits=True),
])  # fmt: skip
def categorical_focal_crossentropy(y_true, y_pred, alpha=0.25, gamma=2.0, from_logits=False, label_smoothing=0.0,
                                   axis=-1):  # fmt: skip
    return categorical_focals(y_true, y_pred, alpha, gamma, from_logits, label_smoothing, axis)


@inline
def generalized_errors(y_true, y_pred, q):
    return (1 - jnp.take_along_axis(y_pred, y_true[..., None].astype(int), axis=-1)[..., 0] ** q) / q


@loss("tf.keras.losses.CategoricalGeneralizedCrossEntropy", differences=[WEIGHTS], samples=[
    sample(x=(i32(4, high=3), P)), sample(0.7, reduction="sum", x=(i32(4, high=3), P)),
])  # fmt: skip
class CategoricalGeneralizedCrossEntropy:
    def make(q=0.5, reduction="sum_over_batch_size", name="categorical_generalized_cross_entropy", dtype=None):
        return None

    def call(y_true, y_pred, sample_weight=None, *, q, reduction):
        return reduced(generalized_errors(y_true, y_pred, q), sample_weight, reduction)


@rule(
    "tf.keras.losses.categorical_generalized_cross_entropy",
    samples=[sample(i32(4, high=3), P, 0.5)],
    differences=[BATCHES, NAN, OUT_OF_CLASSES],
)
def categorical_generalized_cross_entropy(y_true, y_pred, q):
    return generalized_errors(y_true, y_pred, q)


@inline
def tversky_errors(y_true, y_pred, alpha, beta, axis):
    if isinstance(axis, list):
        axis = tuple(axis)
    return 1 - jnp.sum(y_true * y_pred, axis=axis) / (
        jnp.sum(y_true * y_pred + alpha * y_true * (1 - y_pred) + beta * (1 - y_true) * y_pred, axis=axis) + 1e-7
    )


@loss("tf.keras.losses.Tversky", samples=[sample(x=(HOT, P)), sample(0.3, beta=0.7, axis=1, x=(HOT, P))])
class Tversky:
    def make(alpha=0.5, beta=0.5, reduction="sum_over_batch_size", name="tversky", axis=None, dtype=None):
        return None

    def call(y_true, y_pred, sample_weight=None, *, alpha, beta, reduction, axis):
        return reduced(tversky_errors(y_true, y_pred, alpha, beta, axis), sample_weight, reduction)


@rule("tf.keras.losses.tversky", samples=[sample(HOT, P), sample(HOT, P, 0.3, beta=0.7, axis=(1,))])
def tversky(y_true, y_pred, alpha=0.5, beta=0.5, axis=None):
    return tversky_errors(y_true, y_pred, alpha, beta, axis)


@inline
def ctc_errors(y_true, y_pred):
    """Label 0 is the blank, and the padding."""
    return optax.ctc_loss(y_pred, jnp.zeros(y_pred.shape[:2]), y_true, y_true == 0)


SEQUENCES = (i32(2, 3, low=1, high=5), f32(2, 8, 5))


@loss(
    "tf.keras.losses.CTC", differences=[WEIGHTS], samples=[sample(x=SEQUENCES), sample(reduction="none", x=SEQUENCES)]
)
class CTC:
    def make(reduction="sum_over_batch_size", name="ctc", dtype=None):
        return None

    def call(y_true, y_pred, sample_weight=None, *, reduction):
        return reduced(ctc_errors(y_true, y_pred), sample_weight, reduction)


@rule("tf.keras.losses.ctc", samples=[sample(*SEQUENCES)], differences=[INFEASIBLE, HALF_SUMS, BOOLS])
def ctc(y_true, y_pred):
    return ctc_errors(y_true, y_pred)


def circle_loss(labels, embeddings, gamma=80, margin=0.4, remove_diagonal=True):
    """Circle loss of each sample against the others of the batch, by cosine distances."""
    distances = jnp.maximum(1 - embeddings @ embeddings.T, 0)
    labels = labels.reshape(-1)
    same = labels[:, None] == labels
    positive = same & ~jnp.eye(len(labels), dtype=bool) if remove_diagonal else same
    near = gamma * (margin + distances) * (distances - margin)
    far = gamma * jnp.maximum(1 + margin - distances, 0) * (1 - margin - distances)
    return nnx.softplus(nnx.logsumexp(near, axis=1, where=positive) + nnx.logsumexp(far, axis=1, where=~same))


@loss("tf.keras.losses.Circle", differences=[WEIGHTS], samples=[
    sample(x=(i32(8, high=3), f32(8, 4, low=-0.6, high=0.6))),
    sample(8.0, 0.2, remove_diagonal=False, reduction="sum", x=(i32(8, high=3), f32(8, 4, low=-0.6, high=0.6))),
])  # fmt: skip
class Circle:
    helpers = (circle_loss,)

    def make(gamma=80.0, margin=0.4, remove_diagonal=True, reduction="sum_over_batch_size", name="circle", dtype=None):
        return None

    def call(y_true, y_pred, sample_weight=None, *, gamma, margin, remove_diagonal, reduction):
        return reduced(circle_loss(y_true, y_pred, gamma, margin, remove_diagonal), sample_weight, reduction)
