"""Functions of `tf.keras.losses` that give one value for each sample, names, Huber, and `Reduction`."""

import optax

from codemods.engine.rule import constant, f32, i32, inline, loss, rule, sample
from codemods.mappings.differences import BATCHES, EMPTY, NAN, OUTSIDE, SCALAR, SMOOTHED, STRICT_FLOATS
from codemods.mappings.keras_losses import (
    BINARY,
    CLIPPED,
    HOT,
    THIRDS,
    UNNORMED,
    WEIGHTS,
    P,
    alike,
    binary_errors,
    categorical_errors,
    cosines,
    dice_errors,
    focal_errors,
    reduced_errors,
    sparse_errors,
)

#: Losses that `compile` takes by name, in lower case.
LOSS_NAMES = {
    "bce": "BinaryCrossentropy", "binary_crossentropy": "BinaryCrossentropy",
    "binary_focal_crossentropy": "BinaryFocalCrossentropy",
    "categorical_crossentropy": "CategoricalCrossentropy", "categorical_hinge": "CategoricalHinge",
    "cosine_similarity": "CosineSimilarity", "dice": "Dice", "hinge": "Hinge", "huber": "Huber", "huber_loss": "Huber",
    "kl_divergence": "KLDivergence", "kld": "KLDivergence", "kullback_leibler_divergence": "KLDivergence",
    "log_cosh": "LogCosh", "logcosh": "LogCosh", "mae": "MeanAbsoluteError",
    "mape": "MeanAbsolutePercentageError", "mean_absolute_error": "MeanAbsoluteError",
    "mean_absolute_percentage_error": "MeanAbsolutePercentageError", "mean_squared_error": "MeanSquaredError",
    "mean_squared_logarithmic_error": "MeanSquaredLogarithmicError", "mse": "MeanSquaredError",
    "msle": "MeanSquaredLogarithmicError", "poisson": "Poisson",
    "sparse_categorical_crossentropy": "SparseCategoricalCrossentropy", "squared_hinge": "SquaredHinge",
}  # fmt: skip

for _name, _code in {
    "AUTO": '"sum_over_batch_size"',
    "NONE": '"none"',
    "SUM": '"sum"',
    "SUM_OVER_BATCH_SIZE": '"sum_over_batch_size"',
}.items():
    constant(f"tf.keras.losses.Reduction.{_name}", _code)


@rule("tf.keras.losses.sparse_categorical_crossentropy", differences=[CLIPPED], samples=[
    sample(i32(4, high=3), P), sample(i32(4, 1, high=3), f32(4, 3), from_logits=True),
    sample(i32(4, high=3), f32(4, 3), True, ignore_class=1),
])  # fmt: skip
def sparse_categorical_crossentropy(y_true, y_pred, from_logits=False, ignore_class=None, axis=-1):
    return sparse_errors(y_true, y_pred, from_logits, ignore_class, axis)


@rule("tf.keras.losses.categorical_crossentropy", differences=[CLIPPED, UNNORMED, EMPTY, SMOOTHED], samples=[
    sample(HOT, P, label_smoothing=0.1), sample(THIRDS, f32(4, 3), from_logits=True),
])  # fmt: skip
def categorical_crossentropy(y_true, y_pred, from_logits=False, label_smoothing=0.0, axis=-1):
    return categorical_errors(y_true, y_pred, from_logits, label_smoothing, axis)


@rule("tf.keras.losses.binary_crossentropy", differences=[CLIPPED], samples=[
    sample(HOT, P), sample(HOT, f32(4, 3), from_logits=True, label_smoothing=0.1), sample(HOT, P, axis=0),
])  # fmt: skip
def binary_crossentropy(y_true, y_pred, from_logits=False, label_smoothing=0.0, axis=-1):
    return binary_errors(y_true, y_pred, from_logits, label_smoothing).mean(axis=axis)


@rule("tf.keras.losses.binary_focal_crossentropy", differences=[CLIPPED, NAN, OUTSIDE], samples=[
    sample(BINARY, P), sample(BINARY, f32(4, 3), True, alpha=0.3, gamma=1.0, from_logits=True),
])  # fmt: skip
def binary_focal_crossentropy(y_true, y_pred, apply_class_balancing=False, alpha=0.25, gamma=2.0, from_logits=False,
                              label_smoothing=0.0, axis=-1):  # fmt: skip
    return focal_errors(y_true, y_pred, apply_class_balancing, alpha, gamma, from_logits, label_smoothing).mean(
        axis=axis
    )


@rule("tf.keras.losses.cosine_similarity", samples=[
    sample(f32(4, 3), f32(4, 3)), sample(f32(4, 3, 2), f32(4, 3, 2), axis=1),
], differences=[SCALAR])  # fmt: skip
def cosine_similarity(y_true, y_pred, axis=-1):
    return cosines(y_true, y_pred, axis)


@rule("tf.keras.losses.dice", samples=[sample(HOT, P), sample(HOT, P, axis=(1,))])
def dice(y_true, y_pred, axis=None):
    return dice_errors(y_true, y_pred, axis)


@inline
def huber_errors(y_true, y_pred, delta):
    return optax.huber_loss(y_pred, y_true, delta=delta)


@loss("tf.keras.losses.Huber", differences=[WEIGHTS], samples=[
    sample(x=(f32(4, 3), f32(4, 3))), sample(0.5, reduction="none", x=(f32(4, 3), f32(4, 3))),
    sample(delta=0.3, reduction="sum", x=(f32(4, 3), f32(4, 3)), call={"sample_weight": f32(4)}),
])  # fmt: skip
class Huber:
    def make(delta=1.0, reduction="sum_over_batch_size", name="huber_loss", dtype=None):
        return None

    def call(y_true, y_pred, sample_weight=None, *, delta, reduction):
        return reduced_errors(huber_errors(alike(y_true, y_pred), y_pred, delta), sample_weight, reduction)


@rule(
    "tf.keras.losses.huber",
    samples=[sample(f32(4, 3), f32(4, 3)), sample(f32(4, 3), f32(4, 3), delta=0.4)],
    differences=[STRICT_FLOATS, BATCHES],
)
def huber(y_true, y_pred, delta=1.0):
    return huber_errors(alike(y_true, y_pred), y_pred, delta).mean(axis=-1)
