"""Optimizers of `tf.keras.optimizers`, as optax transformations."""

import jax.numpy as jnp
import optax

from codemods.engine.rule import Difference, inline, known, macro, refuse, rule, sample
from codemods.mappings.differences import IGNORED_DECAY

EPSILON = Difference(
    "gradients that are small against epsilon",
    "Keras adds epsilon before it corrects the bias of the second moment, so in step t its epsilon weighs "
    "1 / sqrt(1 - beta_2 ** t) times as much as optax's: 32 times in the first step, once in the long run",
)

#: Optimizers that `compile` takes by name, in lower case, with Keras's defaults.
OPTIMIZER_NAMES = {
    "adadelta": "optax.adadelta(0.001, rho=0.95, eps=1e-07)",
    "adagrad": "optax.adagrad(0.001)",
    "adam": "optax.adam(0.001, eps=1e-07)",
    "adamax": "optax.adamax(0.001, eps=1e-07)",
    "adamw": "optax.adamw(0.001, eps=1e-07, weight_decay=0.004)",
    "lion": "optax.lion(0.001, weight_decay=0.0)",
    "rmsprop": "optax.rmsprop(0.001, eps=1e-07)",
    "sgd": "optax.sgd(0.01)",
}


@macro
def optimizer(value):
    """The optax transformation that a Keras optimizer's name stands for."""
    if value.lower() not in OPTIMIZER_NAMES:
        refuse(f"no transformation in optax for the optimizer {value!r}")
    return OPTIMIZER_NAMES[value.lower()]


@inline
def rate(learning_rate, lr, decay):
    """The learning rate, also as Keras 2 takes it."""
    if lr is not None:
        learning_rate = lr
    if decay:
        return lambda step: learning_rate / (1 + decay * step)
    return learning_rate


@inline
def finished(transformation, learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, others):
    """With what every Keras optimizer can do besides; `others` are averages of weights, loss scale, accumulation."""
    if len(others) == 3:
        if others[0]:
            refuse("use_ema: keep `ema = nnx.EMA(model, decay)` beside the optimizer, and call ema.update(model)")
        if others[1]:
            refuse("loss_scale_factor: divide the gradients, or use bfloat16, which needs no scale")
        if others[2]:
            return optax.MultiSteps(
                clipped(transformation, learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm), others[2]
            ).gradient_transformation()
    return clipped(transformation, learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm)


@inline
def clipped(transformation, learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm):
    """Clip first, decay last."""
    if weight_decay:
        if clipnorm:
            return optax.chain(by_norm(clipnorm), transformation, decayed(learning_rate, weight_decay))
        if global_clipnorm:
            return optax.chain(
                optax.clip_by_global_norm(global_clipnorm), transformation, decayed(learning_rate, weight_decay)
            )
        if clipvalue:
            return optax.chain(optax.clip(clipvalue), transformation, decayed(learning_rate, weight_decay))
        return optax.chain(transformation, decayed(learning_rate, weight_decay))
    if clipnorm:
        return optax.chain(by_norm(clipnorm), transformation)
    if global_clipnorm:
        return optax.chain(optax.clip_by_global_norm(global_clipnorm), transformation)
    if clipvalue:
        return optax.chain(optax.clip(clipvalue), transformation)
    return transformation


@inline
def by_norm(clipnorm):
    """Each weight's gradient clipped by its own norm."""
    return optax.stateless_with_tree_map(lambda g, _: g * (clipnorm / jnp.maximum(jnp.linalg.norm(g), clipnorm)))


@inline
def decayed(learning_rate, weight_decay):
    """Decoupled decay, which Keras scales by the learning rate."""
    if not known(learning_rate) or callable(learning_rate):
        refuse("weight_decay with a learning rate that is not a number in the source")
    return optax.add_decayed_weights(-learning_rate * weight_decay)


@rule(
    "tf.keras.optimizers.Adam", "tf.keras.optimizers.experimental.Adam",
    differences=[EPSILON, IGNORED_DECAY],
    samples=[sample(), sample(0.01, beta_1=0.5, clipnorm=1.0),
             sample(learning_rate=0.01, epsilon=1e-3, global_clipnorm=0.5),
             sample(0.01, weight_decay=0.1, clipvalue=0.3), sample(0.01, amsgrad=True),
             sample(0.01, gradient_accumulation_steps=2, clipnorm=0.3)],
)  # fmt: skip
def adam(learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False,
         weight_decay=None, clipnorm=None,
         clipvalue=None, global_clipnorm=None, use_ema=False, ema_momentum=0.99, ema_overwrite_frequency=None,
         loss_scale_factor=None, gradient_accumulation_steps=None, name=None, lr=None, decay=0.0):  # fmt: skip
    step_size = rate(learning_rate, lr, decay)
    return finished(
        amsgrad_steps(step_size, beta_1, beta_2, epsilon) if amsgrad else adam_steps(step_size, beta_1, beta_2, epsilon),
        step_size, weight_decay, clipnorm, clipvalue, global_clipnorm,
        (use_ema, loss_scale_factor, gradient_accumulation_steps),
    )  # fmt: skip


@rule(
    "tf.keras.optimizers.AdamW", "tf.keras.optimizers.experimental.AdamW",
    differences=[EPSILON, IGNORED_DECAY],
    samples=[sample(), sample(0.01, 0.1, clipvalue=0.3), sample(0.01, 0.1, beta_2=0.9, amsgrad=True)],
)  # fmt: skip
def adamw(learning_rate=0.001, weight_decay=0.004, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False,
          clipnorm=None,
          clipvalue=None, global_clipnorm=None, use_ema=False, ema_momentum=0.99, ema_overwrite_frequency=None,
          loss_scale_factor=None, gradient_accumulation_steps=None, name=None, lr=None, decay=0.0):  # fmt: skip
    step_size = rate(learning_rate, lr, decay)
    if amsgrad:
        return finished(
            amsgrad_steps(step_size, beta_1, beta_2, epsilon),
            step_size, weight_decay, clipnorm, clipvalue, global_clipnorm,
            (use_ema, loss_scale_factor, gradient_accumulation_steps),
        )  # fmt: skip
    return finished(
        optax.adamw(step_size, b1=beta_1, b2=beta_2, eps=epsilon, weight_decay=weight_decay),
        step_size, None, clipnorm, clipvalue, global_clipnorm,
        (use_ema, loss_scale_factor, gradient_accumulation_steps),
    )  # fmt: skip


@inline
def adam_steps(learning_rate, beta_1, beta_2, epsilon):
    if known(epsilon) and known(beta_2) and epsilon > 1e-6:
        # An epsilon that matters: weigh it in every step as Keras does.
        return optax.inject_hyperparams(optax.adam)(
            learning_rate, b1=beta_1, b2=beta_2, eps=lambda step: epsilon / jnp.sqrt(1 - beta_2 ** (step + 1))
        )
    return optax.adam(learning_rate, b1=beta_1, b2=beta_2, eps=epsilon)


@inline
def amsgrad_steps(learning_rate, beta_1, beta_2, epsilon):
    """Keras keeps the largest of the moments before it corrects their bias, optax.amsgrad after that."""
    return optax.chain(
        optax.amsgrad(learning_rate, b1=beta_1, b2=beta_2, eps=epsilon, bias_correction_nu=False),
        optax.scale_by_schedule(lambda step: jnp.sqrt(1 - beta_2 ** (step + 1))),
    )


@inline
def momentum_descent(learning_rate, momentum, nesterov):
    if not momentum:
        return optax.sgd(learning_rate)
    if known(learning_rate) and not callable(learning_rate):
        return optax.sgd(learning_rate, momentum=momentum, nesterov=nesterov)
    # Keras's velocity holds the rate of each step; optax.sgd would scale all of it by today's.
    return optax.chain(optax.scale_by_learning_rate(learning_rate), optax.trace(decay=momentum, nesterov=nesterov))


@rule(
    "tf.keras.optimizers.SGD", "tf.keras.optimizers.experimental.SGD",
    samples=[sample(), sample(0.1, momentum=0.9, nesterov=True),
             sample(0.1, 0.9, global_clipnorm=1.0, weight_decay=0.01)],
 differences=[IGNORED_DECAY])  # fmt: skip
def sgd(learning_rate=0.01, momentum=0.0, nesterov=False,
        weight_decay=None, clipnorm=None,
        clipvalue=None, global_clipnorm=None, use_ema=False, ema_momentum=0.99, ema_overwrite_frequency=None,
        loss_scale_factor=None, gradient_accumulation_steps=None, name=None, lr=None, decay=0.0):  # fmt: skip
    step_size = rate(learning_rate, lr, decay)
    return finished(
        momentum_descent(step_size, momentum, nesterov),
        step_size, weight_decay, clipnorm, clipvalue, global_clipnorm,
        (use_ema, loss_scale_factor, gradient_accumulation_steps),
    )  # fmt: skip


@rule(
    "tf.keras.optimizers.RMSprop", "tf.keras.optimizers.experimental.RMSprop",
    samples=[sample(), sample(0.01, 0.8, momentum=0.9), sample(0.01, centered=True, epsilon=1e-3, clipnorm=0.2)],
 differences=[IGNORED_DECAY])  # fmt: skip
def rmsprop(learning_rate=0.001, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False,
            weight_decay=None, clipnorm=None,
            clipvalue=None, global_clipnorm=None, use_ema=False, ema_momentum=0.99, ema_overwrite_frequency=None,
            loss_scale_factor=None, gradient_accumulation_steps=None, name=None, lr=None, decay=0.0):  # fmt: skip
    step_size = rate(learning_rate, lr, decay)
    return finished(
        optax.rmsprop(
            step_size, decay=rho, eps=epsilon, centered=centered, momentum=momentum if momentum else None
        ),
        step_size, weight_decay, clipnorm, clipvalue, global_clipnorm,
        (use_ema, loss_scale_factor, gradient_accumulation_steps),
    )  # fmt: skip


@rule(
    "tf.keras.optimizers.Adagrad", "tf.keras.optimizers.experimental.Adagrad",
    samples=[sample(), sample(0.05, initial_accumulator_value=0.5, epsilon=1e-3)],
 differences=[IGNORED_DECAY])  # fmt: skip
def adagrad(learning_rate=0.001, initial_accumulator_value=0.1, epsilon=1e-7,
            weight_decay=None, clipnorm=None,
            clipvalue=None, global_clipnorm=None, use_ema=False, ema_momentum=0.99, ema_overwrite_frequency=None,
            loss_scale_factor=None, gradient_accumulation_steps=None, name=None, lr=None, decay=0.0):  # fmt: skip
    step_size = rate(learning_rate, lr, decay)
    return finished(
        optax.adagrad(step_size, initial_accumulator_value=initial_accumulator_value, eps=epsilon),
        step_size, weight_decay, clipnorm, clipvalue, global_clipnorm,
        (use_ema, loss_scale_factor, gradient_accumulation_steps),
    )  # fmt: skip


@rule(
    "tf.keras.optimizers.Adadelta", "tf.keras.optimizers.experimental.Adadelta",
    samples=[sample(), sample(1.0, rho=0.9, epsilon=1e-3)],
 differences=[IGNORED_DECAY])  # fmt: skip
def adadelta(learning_rate=0.001, rho=0.95, epsilon=1e-7,
             weight_decay=None, clipnorm=None,
             clipvalue=None, global_clipnorm=None, use_ema=False, ema_momentum=0.99, ema_overwrite_frequency=None,
             loss_scale_factor=None, gradient_accumulation_steps=None, name=None, lr=None, decay=0.0):  # fmt: skip
    step_size = rate(learning_rate, lr, decay)
    return finished(
        optax.adadelta(step_size, rho=rho, eps=epsilon),
        step_size, weight_decay, clipnorm, clipvalue, global_clipnorm,
        (use_ema, loss_scale_factor, gradient_accumulation_steps),
    )  # fmt: skip


@rule(
    "tf.keras.optimizers.Adamax", "tf.keras.optimizers.experimental.Adamax",
    differences=[EPSILON, IGNORED_DECAY],
    samples=[sample(), sample(0.01, beta_1=0.5, beta_2=0.9)],
)  # fmt: skip
def adamax(learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7,
           weight_decay=None, clipnorm=None,
           clipvalue=None, global_clipnorm=None, use_ema=False, ema_momentum=0.99, ema_overwrite_frequency=None,
           loss_scale_factor=None, gradient_accumulation_steps=None, name=None, lr=None, decay=0.0):  # fmt: skip
    step_size = rate(learning_rate, lr, decay)
    return finished(
        optax.adamax(step_size, b1=beta_1, b2=beta_2, eps=epsilon),
        step_size, weight_decay, clipnorm, clipvalue, global_clipnorm,
        (use_ema, loss_scale_factor, gradient_accumulation_steps),
    )  # fmt: skip


@rule(
    "tf.keras.optimizers.Lion", "tf.keras.optimizers.experimental.Lion",
    samples=[sample(), sample(0.01, 0.8, 0.9), sample(0.01, clipvalue=0.3)],
 differences=[IGNORED_DECAY])  # fmt: skip
def lion(learning_rate=0.001, beta_1=0.9, beta_2=0.99,
         weight_decay=None, clipnorm=None,
         clipvalue=None, global_clipnorm=None, use_ema=False, ema_momentum=0.99, ema_overwrite_frequency=None,
         loss_scale_factor=None, gradient_accumulation_steps=None, name=None, lr=None, decay=0.0):  # fmt: skip
    step_size = rate(learning_rate, lr, decay)
    return finished(
        optax.lion(step_size, b1=beta_1, b2=beta_2, weight_decay=0.0),
        step_size, weight_decay, clipnorm, clipvalue, global_clipnorm,
        (use_ema, loss_scale_factor, gradient_accumulation_steps),
    )  # fmt: skip
