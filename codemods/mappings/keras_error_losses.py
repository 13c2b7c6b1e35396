"""Element by element losses of `tf.keras.losses`: classes and functions."""

import jax.numpy as jnp
import optax

from codemods.engine.rule import f32, i32, inline, loss, rule, sample
from codemods.mappings.differences import BATCHES, HALF, NAN, STRICT_FLOATS, STRICT_SHAPES, WIDE_INTEGERS
from codemods.mappings.keras_losses import WEIGHTS, P, alike, reduced, reduced_errors
from codemods.mappings.tf_dtypes import NARROW_INTEGERS


@inline
def squared_errors(y_true, y_pred):
    return optax.squared_error(y_pred, y_true)


@loss("tf.keras.losses.MeanSquaredError", differences=[WEIGHTS], samples=[
    sample(x=(f32(4, 3), f32(4, 3))), sample(reduction="none", x=(f32(4, 3), f32(4, 3))),
    sample(reduction="sum", x=(f32(4, 3), f32(4, 3)), call={"sample_weight": f32(4)}),
    sample(x=(f32(4, low=0.1), f32(4, 1, low=0.1))),
])  # fmt: skip
class MeanSquaredError:
    def make(reduction="sum_over_batch_size", name="mean_squared_error", dtype=None):
        return None

    def call(y_true, y_pred, sample_weight=None, *, reduction):
        return reduced_errors(squared_errors(alike(y_true, y_pred), y_pred), sample_weight, reduction)


@rule("tf.keras.losses.MSE", samples=[sample(f32(4, 3), f32(4, 3))], differences=[STRICT_SHAPES, STRICT_FLOATS])
def mse(y_true, y_pred):
    return squared_errors(alike(y_true, y_pred), y_pred).mean(axis=-1)


@inline
def absolute_errors(y_true, y_pred):
    return jnp.abs(y_pred - y_true)


@loss("tf.keras.losses.MeanAbsoluteError", differences=[WEIGHTS], samples=[
    sample(x=(f32(4, 3), f32(4, 3))), sample(reduction="none", x=(f32(4, 3), f32(4, 3))),
    sample(reduction="sum", x=(f32(4, 3), f32(4, 3)), call={"sample_weight": f32(4)}),
    sample(x=(f32(4, low=0.1), f32(4, 1, low=0.1))),
])  # fmt: skip
class MeanAbsoluteError:
    def make(reduction="sum_over_batch_size", name="mean_absolute_error", dtype=None):
        return None

    def call(y_true, y_pred, sample_weight=None, *, reduction):
        return reduced_errors(absolute_errors(alike(y_true, y_pred), y_pred), sample_weight, reduction)


@rule("tf.keras.losses.MAE", samples=[sample(f32(4, 3), f32(4, 3))], differences=[BATCHES])
def mae(y_true, y_pred):
    return absolute_errors(alike(y_true, y_pred), y_pred).mean(axis=-1)


@inline
def percentage_errors(y_true, y_pred):
    return 100 * jnp.abs((y_true - y_pred) / jnp.maximum(jnp.abs(y_true), 1e-7))


@loss("tf.keras.losses.MeanAbsolutePercentageError", differences=[WEIGHTS], samples=[
    sample(x=(f32(4, 3), f32(4, 3))), sample(reduction="none", x=(f32(4, 3), f32(4, 3))),
    sample(reduction="sum", x=(f32(4, 3), f32(4, 3)), call={"sample_weight": f32(4)}),
    sample(x=(f32(4, low=0.1), f32(4, 1, low=0.1))),
])  # fmt: skip
class MeanAbsolutePercentageError:
    def make(reduction="sum_over_batch_size", name="mean_absolute_percentage_error", dtype=None):
        return None

    def call(y_true, y_pred, sample_weight=None, *, reduction):
        return reduced_errors(percentage_errors(alike(y_true, y_pred), y_pred), sample_weight, reduction)


@rule(
    "tf.keras.losses.MAPE",
    samples=[sample(f32(4, 3), f32(4, 3))],
    differences=[NARROW_INTEGERS, BATCHES, WIDE_INTEGERS],
)
def mape(y_true, y_pred):
    return percentage_errors(alike(y_true, y_pred), y_pred).mean(axis=-1)


@inline
def logarithmic_errors(y_true, y_pred):
    return optax.squared_error(jnp.log1p(jnp.maximum(y_pred, 1e-7)), jnp.log1p(jnp.maximum(y_true, 1e-7)))


@loss("tf.keras.losses.MeanSquaredLogarithmicError", differences=[WEIGHTS], samples=[
    sample(x=(P, P)), sample(reduction="none", x=(P, P)),
    sample(reduction="sum", x=(P, P), call={"sample_weight": f32(4)}),
    sample(x=(f32(4, low=0.1), f32(4, 1, low=0.1))),
])  # fmt: skip
class MeanSquaredLogarithmicError:
    def make(reduction="sum_over_batch_size", name="mean_squared_logarithmic_error", dtype=None):
        return None

    def call(y_true, y_pred, sample_weight=None, *, reduction):
        return reduced_errors(logarithmic_errors(alike(y_true, y_pred), y_pred), sample_weight, reduction)


@rule("tf.keras.losses.MSLE", samples=[sample(P, P)], differences=[HALF, STRICT_SHAPES])
def msle(y_true, y_pred):
    return logarithmic_errors(alike(y_true, y_pred), y_pred).mean(axis=-1)


@inline
def log_cosh_errors(y_true, y_pred):
    return optax.log_cosh(y_pred, y_true)


@loss("tf.keras.losses.LogCosh", differences=[WEIGHTS], samples=[
    sample(x=(f32(4, 3), f32(4, 3))), sample(reduction="none", x=(f32(4, 3), f32(4, 3))),
    sample(reduction="sum", x=(f32(4, 3), f32(4, 3)), call={"sample_weight": f32(4)}),
    sample(x=(f32(4, low=0.1), f32(4, 1, low=0.1))),
])  # fmt: skip
class LogCosh:
    def make(reduction="sum_over_batch_size", name="log_cosh", dtype=None):
        return None

    def call(y_true, y_pred, sample_weight=None, *, reduction):
        return reduced_errors(log_cosh_errors(alike(y_true, y_pred), y_pred), sample_weight, reduction)


@rule("tf.keras.losses.logcosh", samples=[sample(f32(4, 3), f32(4, 3))], differences=[NAN, BATCHES])
def logcosh(y_true, y_pred):
    return log_cosh_errors(alike(y_true, y_pred), y_pred).mean(axis=-1)


@inline
def poisson_errors(y_true, y_pred):
    return y_pred - y_true * jnp.log(y_pred + 1e-7)


@loss("tf.keras.losses.Poisson", differences=[WEIGHTS], samples=[
    sample(x=(P, P)), sample(reduction="none", x=(P, P)),
    sample(reduction="sum", x=(P, P), call={"sample_weight": f32(4)}),
    sample(x=(f32(4, low=0.1), f32(4, 1, low=0.1))),
])  # fmt: skip
class Poisson:
    def make(reduction="sum_over_batch_size", name="poisson", dtype=None):
        return None

    def call(y_true, y_pred, sample_weight=None, *, reduction):
        return reduced_errors(poisson_errors(alike(y_true, y_pred), y_pred), sample_weight, reduction)


@rule("tf.keras.losses.poisson", samples=[sample(P, P)], differences=[BATCHES])
def poisson(y_true, y_pred):
    return poisson_errors(alike(y_true, y_pred), y_pred).mean(axis=-1)


@inline
def hinge_errors(y_true, y_pred):
    return optax.hinge_loss(y_pred, jnp.where(y_true == 0, -1, y_true))


@loss("tf.keras.losses.Hinge", differences=[WEIGHTS], samples=[
    sample(x=(i32(4, 3, high=2), f32(4, 3))), sample(reduction="none", x=(i32(4, 3, high=2), f32(4, 3))),
    sample(reduction="sum", x=(i32(4, 3, high=2), f32(4, 3)), call={"sample_weight": f32(4)}),
])  # fmt: skip
class Hinge:
    def make(reduction="sum_over_batch_size", name="hinge", dtype=None):
        return None

    def call(y_true, y_pred, sample_weight=None, *, reduction):
        return reduced_errors(hinge_errors(alike(y_true, y_pred), y_pred), sample_weight, reduction)


@rule("tf.keras.losses.hinge", samples=[sample(i32(4, 3, high=2), f32(4, 3))], differences=[BATCHES])
def hinge(y_true, y_pred):
    return hinge_errors(alike(y_true, y_pred), y_pred).mean(axis=-1)


@inline
def squared_hinge_errors(y_true, y_pred):
    return jnp.square(optax.hinge_loss(y_pred, jnp.where(y_true == 0, -1, y_true)))


@loss("tf.keras.losses.SquaredHinge", differences=[WEIGHTS], samples=[
    sample(x=(i32(4, 3, high=2), f32(4, 3))), sample(reduction="none", x=(i32(4, 3, high=2), f32(4, 3))),
    sample(reduction="sum", x=(i32(4, 3, high=2), f32(4, 3)), call={"sample_weight": f32(4)}),
])  # fmt: skip
class SquaredHinge:
    def make(reduction="sum_over_batch_size", name="squared_hinge", dtype=None):
        return None

    def call(y_true, y_pred, sample_weight=None, *, reduction):
        return reduced_errors(squared_hinge_errors(alike(y_true, y_pred), y_pred), sample_weight, reduction)


@rule("tf.keras.losses.squared_hinge", samples=[sample(i32(4, 3, high=2), f32(4, 3))], differences=[BATCHES])
def squared_hinge(y_true, y_pred):
    return squared_hinge_errors(alike(y_true, y_pred), y_pred).mean(axis=-1)


@inline
def divergences(y_true, y_pred):
    return optax.kl_divergence(jnp.log(jnp.clip(y_pred, 1e-7, 1)), jnp.clip(y_true, 1e-7, 1))


@loss("tf.keras.losses.KLDivergence", differences=[WEIGHTS], samples=[
    sample(x=(P, P)), sample(reduction="none", x=(P, P)),
    sample(reduction="sum", x=(P, P), call={"sample_weight": f32(4)}),
])  # fmt: skip
class KLDivergence:
    def make(reduction="sum_over_batch_size", name="kl_divergence", dtype=None):
        return None

    def call(y_true, y_pred, sample_weight=None, *, reduction):
        return reduced(divergences(y_true, y_pred), sample_weight, reduction)


@rule("tf.keras.losses.KLD", samples=[sample(P, P)])
def kld(y_true, y_pred):
    return divergences(y_true, y_pred)


@inline
def categorical_hinges(y_true, y_pred):
    return jnp.maximum(0, 1 + jnp.max((1 - y_true) * y_pred, axis=-1) - jnp.sum(y_true * y_pred, axis=-1))


@loss("tf.keras.losses.CategoricalHinge", differences=[WEIGHTS], samples=[
    sample(x=(i32(4, 3, high=2), f32(4, 3))), sample(reduction="none", x=(i32(4, 3, high=2), f32(4, 3))),
    sample(reduction="sum", x=(i32(4, 3, high=2), f32(4, 3)), call={"sample_weight": f32(4)}),
])  # fmt: skip
class CategoricalHinge:
    def make(reduction="sum_over_batch_size", name="categorical_hinge", dtype=None):
        return None

    def call(y_true, y_pred, sample_weight=None, *, reduction):
        return reduced(categorical_hinges(y_true, y_pred), sample_weight, reduction)


@rule("tf.keras.losses.categorical_hinge", samples=[sample(i32(4, 3, high=2), f32(4, 3))])
def categorical_hinge(y_true, y_pred):
    return categorical_hinges(y_true, y_pred)
