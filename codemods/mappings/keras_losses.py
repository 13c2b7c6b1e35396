"""Losses of `tf.keras.losses`, as calls of optax. `call(y_true, y_pred)` of a class is its reduced value."""

import jax.numpy as jnp
import jax.scipy as jsp
import optax

from codemods.engine.rule import Difference, f32, i32, inline, known, loss, refuse, sample
from codemods.engine.touching import equal, stated

CLIPPED = Difference(
    "probabilities below 1e-7 that come straight from a softmax or sigmoid",
    "Keras computes from the logits when it can see them; the port from the clipped probabilities",
    at=equal("from_logits", False),
)
UNNORMED = Difference(
    "targets that do not sum to 1, with from_logits",
    "the values agree; TensorFlow's gradient is the one for targets that do, optax's the true one",
    ("one", "axis", "from_logits"),
    "values",
    equal("from_logits", True),
)
WEIGHTS = Difference(
    "sample weights of shape (batch, 1)", "are broadcast, where Keras drops the last axis", at=stated("sample_weight")
)

P = f32(4, 3, low=0.05, high=0.95)
Y = f32(4, 3, low=0.05, high=0.95)
HOT = f32(4, 3, low=0, high=1)
THIRDS = f32(4, 3, low=1 / 3, high=1 / 3)


@inline
def reduced(values, sample_weight, reduction):
    if sample_weight is not None:
        values = values * sample_weight
    if reduction in ("sum_over_batch_size", "mean", "auto"):
        return values.mean()
    if reduction == "sum":
        return values.sum()
    if reduction is None or reduction == "none":
        return values
    refuse("this reduction of a loss has no form here")


@inline
def reduced_errors(errors, sample_weight, reduction):
    """The mean over the last axis, reduced; a mean of means is one mean."""
    if sample_weight is None and reduction in ("sum_over_batch_size", "mean", "auto"):
        return errors.mean()
    return reduced(errors.mean(axis=-1), sample_weight, reduction)


@inline
def alike(y_true, y_pred):
    """`y_true` in the shape of `y_pred`: (batch,) and (batch, 1) must not broadcast to (batch, batch)."""
    if known(y_true.ndim) and known(y_pred.ndim) and y_true.ndim == y_pred.ndim:
        return y_true
    return y_true.reshape(y_pred.shape)


@inline
def smoothed(y_true, label_smoothing):
    if label_smoothing:
        return y_true * (1 - label_smoothing) + 0.5 * label_smoothing
    return y_true


@inline
def probable(y_pred):
    return jnp.clip(y_pred, 1e-7, 1 - 1e-7)


@inline
def binary_errors(y_true, y_pred, from_logits, label_smoothing):
    if from_logits:
        return optax.sigmoid_binary_cross_entropy(y_pred, smoothed(y_true, label_smoothing))
    return optax.sigmoid_binary_cross_entropy(jsp.special.logit(probable(y_pred)), smoothed(y_true, label_smoothing))


@inline
def categorical_errors(y_true, y_pred, from_logits, label_smoothing, axis):
    if label_smoothing:
        y_true = optax.smooth_labels(y_true, label_smoothing, axis=axis)
    if from_logits:
        return optax.softmax_cross_entropy(y_pred, y_true, axis=axis)
    return -jnp.sum(y_true * jnp.log(probable(y_pred / jnp.sum(y_pred, axis=axis, keepdims=True))), axis=axis)


@inline
def sparse_errors(y_true, y_pred, from_logits, ignore_class, axis):
    if axis != -1:
        refuse("a class axis other than the last")
    labels = y_true
    if known(y_true.ndim) and known(y_pred.ndim) and y_true.ndim == y_pred.ndim:
        labels = y_true[..., 0]
    logits = y_pred
    if not from_logits:
        logits = jnp.log(probable(y_pred))
    if ignore_class is None:
        return optax.softmax_cross_entropy_with_integer_labels(logits, labels)
    return jnp.where(
        labels == ignore_class, 0,
        optax.softmax_cross_entropy_with_integer_labels(logits, jnp.where(labels == ignore_class, 0, labels)),
    )  # fmt: skip


@loss(
    "tf.keras.losses.SparseCategoricalCrossentropy",
    differences=[CLIPPED, WEIGHTS],
    samples=[
        sample(x=(i32(4, high=3), P)),
        sample(from_logits=True, x=(i32(4, high=3), f32(4, 3))),
        sample(from_logits=True, reduction="none", x=(i32(4, 5, high=3), f32(4, 5, 3))),
        sample(from_logits=True, reduction="sum", x=(i32(4, 1, high=3), f32(4, 3)), call={"sample_weight": f32(4)}),
    ],
)
class SparseCategoricalCrossentropy:
    def make(from_logits=False, ignore_class=None, reduction="sum_over_batch_size", axis=-1,
             name="sparse_categorical_crossentropy", dtype=None):  # fmt: skip
        if ignore_class is not None and reduction not in (None, "none", "sum"):
            refuse("ignore_class with a mean: divide by the number of labels that count")
        return None

    def call(y_true, y_pred, sample_weight=None, *, from_logits, ignore_class, reduction, axis):
        return reduced(sparse_errors(y_true, y_pred, from_logits, ignore_class, axis), sample_weight, reduction)


@loss(
    "tf.keras.losses.CategoricalCrossentropy",
    differences=[CLIPPED, UNNORMED, WEIGHTS],
    samples=[
        sample(label_smoothing=0.1, x=(HOT, P)),
        sample(from_logits=True, x=(THIRDS, f32(4, 3))),
        sample(reduction="none", x=(f32(4, 5, 3, low=0), f32(4, 5, 3, low=0.05, high=0.95))),
        sample(from_logits=True, reduction="sum", x=(THIRDS, f32(4, 3)), call={"sample_weight": f32(4)}),
    ],
)
class CategoricalCrossentropy:
    def make(from_logits=False, label_smoothing=0.0, axis=-1, reduction="sum_over_batch_size",
             name="categorical_crossentropy", dtype=None):  # fmt: skip
        return None

    def call(y_true, y_pred, sample_weight=None, *, from_logits, label_smoothing, axis, reduction):
        return reduced(categorical_errors(y_true, y_pred, from_logits, label_smoothing, axis), sample_weight, reduction)


@loss(
    "tf.keras.losses.BinaryCrossentropy",
    differences=[CLIPPED, WEIGHTS],
    samples=[
        sample(x=(HOT, P)),
        sample(from_logits=True, label_smoothing=0.1, x=(HOT, f32(4, 3))),
        sample(from_logits=True, reduction="none", x=(HOT, f32(4, 3))),
        sample(x=(f32(4, low=0, high=1), f32(4, 1, low=0.05, high=0.95)), call={"sample_weight": f32(4)}),
    ],
)
class BinaryCrossentropy:
    def make(from_logits=False, label_smoothing=0.0, axis=-1, reduction="sum_over_batch_size",
             name="binary_crossentropy", dtype=None):  # fmt: skip
        if axis != -1:
            refuse("a mean over an axis other than the last")
        return None

    def call(y_true, y_pred, sample_weight=None, *, from_logits, label_smoothing, reduction):
        return reduced_errors(
            binary_errors(alike(y_true, y_pred), y_pred, from_logits, label_smoothing), sample_weight, reduction
        )


@inline
def focal_errors(y_true, y_pred, apply_class_balancing, alpha, gamma, from_logits, label_smoothing):
    if label_smoothing:
        refuse("focal loss with smoothed labels")
    logits = y_pred
    if not from_logits:
        logits = jsp.special.logit(probable(y_pred))
    if apply_class_balancing:
        return optax.sigmoid_focal_loss(logits, y_true, alpha=alpha, gamma=gamma)
    return optax.sigmoid_focal_loss(logits, y_true, gamma=gamma)


BINARY = i32(4, 3, high=2)


@loss(
    "tf.keras.losses.BinaryFocalCrossentropy",
    differences=[CLIPPED, WEIGHTS],
    samples=[
        sample(x=(BINARY, P)),
        sample(apply_class_balancing=True, gamma=1.5, from_logits=True, x=(BINARY, f32(4, 3))),
    ],
)
class BinaryFocalCrossentropy:
    def make(apply_class_balancing=False, alpha=0.25, gamma=2.0, from_logits=False, label_smoothing=0.0, axis=-1,
             reduction="sum_over_batch_size", name="binary_focal_crossentropy", dtype=None):  # fmt: skip
        if axis != -1:
            refuse("a mean over an axis other than the last")
        return None

    def call(y_true, y_pred, sample_weight=None, *, apply_class_balancing, alpha, gamma, from_logits, label_smoothing,
             reduction):  # fmt: skip
        return reduced_errors(
            focal_errors(
                alike(y_true, y_pred), y_pred, apply_class_balancing, alpha, gamma, from_logits, label_smoothing
            ),
            sample_weight,
            reduction,
        )


@inline
def cosines(y_true, y_pred, axis):
    return -optax.cosine_similarity(y_pred, y_true, epsilon=1e-12, axis=axis)


@loss("tf.keras.losses.CosineSimilarity", differences=[WEIGHTS], samples=[
    sample(x=(f32(4, 3), f32(4, 3))), sample(axis=1, reduction="none", x=(f32(4, 3, 2), f32(4, 3, 2))),
])  # fmt: skip
class CosineSimilarity:
    def make(axis=-1, reduction="sum_over_batch_size", name="cosine_similarity", dtype=None):
        return None

    def call(y_true, y_pred, sample_weight=None, *, axis, reduction):
        return reduced(cosines(y_true, y_pred, axis), sample_weight, reduction)


@loss("tf.keras.losses.Dice", samples=[sample(x=(HOT, P)), sample(axis=1, x=(HOT, P))])
class Dice:
    def make(reduction="sum_over_batch_size", name="dice", axis=None, dtype=None):
        return None

    def call(y_true, y_pred, sample_weight=None, *, reduction, axis):
        return reduced(dice_errors(y_true, y_pred, axis), sample_weight, reduction)


@inline
def dice_errors(y_true, y_pred, axis):
    if isinstance(axis, list):
        axis = tuple(axis)
    return 1 - 2 * jnp.sum(y_true * y_pred, axis=axis) / (
        jnp.sum(y_true, axis=axis) + jnp.sum(y_pred, axis=axis) + 1e-7
    )
