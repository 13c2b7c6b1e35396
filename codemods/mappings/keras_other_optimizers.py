"""Optimizers of `tf.keras.optimizers` that optax has no equal of."""

import jax
import jax.numpy as jnp
import optax

from codemods.engine.rule import Difference, inline, known, refuse, rule, sample
from codemods.mappings.differences import IGNORED_DECAY
from codemods.mappings.keras_optimizers import finished, rate


def nadam(learning_rate, b1=0.9, b2=0.999, eps=1e-7, warmup=1.0):
    """Adam with Nesterov momentum whose momentum warms up, as in Dozat's paper (optax.nadam leaves that out)."""

    def init(params):
        zeros = optax.tree.zeros_like(params)
        return jnp.zeros([], jnp.int32), jnp.ones([]), zeros, zeros

    def update(updates, state, params=None):
        step, product, mu, nu = state
        now, ahead = (b1 * (1 - 0.5 * 0.96 ** (warmup * (step + i))) for i in (1, 2))
        product = product * now
        mu = optax.tree.update_moment(updates, mu, b1, 1)
        nu = optax.tree.update_moment(updates, nu, b2, 2)
        correction = 1 - b2 ** (step + 1)
        updates = jax.tree.map(
            lambda g, m, v: (ahead * m / (1 - product * ahead) + (1 - now) * g / (1 - product))
            / (jnp.sqrt(v / correction) + eps),
            updates, mu, nu,
        )  # fmt: skip
        return updates, (step + 1, product, mu, nu)

    return optax.chain(optax.GradientTransformation(init, update), optax.scale_by_learning_rate(learning_rate))


@rule(
    "tf.keras.optimizers.Nadam", "tf.keras.optimizers.experimental.Nadam", helpers=(nadam,),
    samples=[sample(), sample(0.01, beta_1=0.8, beta_2=0.99, epsilon=1e-3, clipvalue=0.5)],
 differences=[IGNORED_DECAY])  # fmt: skip
def nadam_rule(learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, weight_decay=None, clipnorm=None,
               clipvalue=None, global_clipnorm=None, use_ema=False, ema_momentum=0.99, ema_overwrite_frequency=None,
               loss_scale_factor=None, gradient_accumulation_steps=None, name=None, lr=None, decay=0.0):  # fmt: skip
    step_size = rate(learning_rate, lr, decay)
    return finished(
        nadam(step_size, b1=beta_1, b2=beta_2, eps=epsilon),
        step_size, weight_decay, clipnorm, clipvalue, global_clipnorm,
        (use_ema, loss_scale_factor, gradient_accumulation_steps),
    )  # fmt: skip


DECAYED_FIRST = (
    "weight_decay: Keras decays the weights before this step reads them; decay them by hand before the update"
)


def ftrl(learning_rate, power=-0.5, initial_accumulator=0.1, l1=0.0, l2=0.0, l2_shrinkage=0.0, beta=0.0):
    """Follow the regularized leader, as in McMahan's paper: weights that L1 holds at zero stay there."""
    at = learning_rate if callable(learning_rate) else lambda step: learning_rate

    def init(params):
        sums = optax.tree.full_like(params, initial_accumulator)
        return jnp.zeros([], jnp.int32), sums, optax.tree.zeros_like(params)

    def update(updates, state, params):
        step, sums, linear = state
        rate = at(step)
        grown = jax.tree.map(lambda n, g: n + g**2, sums, updates)
        linear = jax.tree.map(
            lambda z, g, n, m, w: z + g + 2 * l2_shrinkage * w - (m**-power - n**-power) / rate * w,
            linear, updates, sums, grown, params,
        )  # fmt: skip
        updates = jax.tree.map(
            lambda z, m, w: (jnp.clip(z, -l1, l1) - z) / (m**-power / rate + 2 * l2 + beta / rate) - w,
            linear, grown, params,
        )  # fmt: skip
        return updates, (step + 1, grown, linear)

    return optax.GradientTransformation(init, update)


@rule(
    "tf.keras.optimizers.Ftrl", "tf.keras.optimizers.experimental.Ftrl", differences=[IGNORED_DECAY], helpers=(ftrl,),
    samples=[sample(), sample(0.1, -0.4, 0.2, l1_regularization_strength=0.01, l2_regularization_strength=0.1),
             sample(0.1, l2_shrinkage_regularization_strength=0.1, beta=0.1, clipvalue=0.3)],
)  # fmt: skip
def ftrl_rule(learning_rate=0.001, learning_rate_power=-0.5, initial_accumulator_value=0.1,
              l1_regularization_strength=0.0, l2_regularization_strength=0.0, l2_shrinkage_regularization_strength=0.0,
              beta=0.0, weight_decay=None, clipnorm=None, clipvalue=None, global_clipnorm=None, use_ema=False,
              ema_momentum=0.99, ema_overwrite_frequency=None, loss_scale_factor=None,
              gradient_accumulation_steps=None, name=None, lr=None, decay=0.0):  # fmt: skip
    if weight_decay:
        refuse(DECAYED_FIRST)
    step_size = rate(learning_rate, lr, decay)
    return finished(
        ftrl(
            step_size, learning_rate_power, initial_accumulator_value, l1=l1_regularization_strength,
            l2=l2_regularization_strength, l2_shrinkage=l2_shrinkage_regularization_strength, beta=beta,
        ),
        step_size, weight_decay, clipnorm, clipvalue, global_clipnorm,
        (use_ema, loss_scale_factor, gradient_accumulation_steps),
    )  # fmt: skip


FACTORED = Difference(
    "weights of three and more dimensions",
    "Keras factors the second moment over the last two dimensions, optax over the two largest",
)


@inline
def slowed(learning_rate):
    """At most 1 / sqrt(step)."""
    if known(learning_rate):
        return lambda step: jnp.minimum(learning_rate, (step + 1) ** -0.5)
    refuse("Adafactor with a schedule: give optax.adafactor the smaller of the schedule and 1 / sqrt(step + 1)")


@rule(
    "tf.keras.optimizers.Adafactor", "tf.keras.optimizers.experimental.Adafactor", differences=[FACTORED, IGNORED_DECAY],
    samples=[sample(), sample(0.1, beta_2_decay=-0.6, clip_threshold=0.5), sample(0.01, clipnorm=0.3)],
)  # fmt: skip
def adafactor(learning_rate=0.001, beta_2_decay=-0.8, epsilon_1=1e-30, epsilon_2=0.001, clip_threshold=1.0,
              relative_step=True, weight_decay=None, clipnorm=None, clipvalue=None, global_clipnorm=None, use_ema=False,
              ema_momentum=0.99, ema_overwrite_frequency=None, loss_scale_factor=None,
              gradient_accumulation_steps=None, name=None, lr=None, decay=0.0):  # fmt: skip
    if epsilon_2 != 0.001:
        refuse("epsilon_2: optax.adafactor takes weights to be at least 0.001 large")
    if weight_decay:
        refuse(DECAYED_FIRST)
    step_size = rate(learning_rate, lr, decay)
    return finished(
        optax.adafactor(
            slowed(step_size), min_dim_size_to_factor=1,
            decay_rate=-beta_2_decay, clipping_threshold=clip_threshold, eps=epsilon_1,
        ),
        step_size, weight_decay, clipnorm, clipvalue, global_clipnorm,
        (use_ema, loss_scale_factor, gradient_accumulation_steps),
    )  # fmt: skip


@rule(
    "tf.keras.optimizers.Lamb", differences=[IGNORED_DECAY],
    samples=[sample(), sample(0.01, 0.8, 0.99, epsilon=1e-3), sample(0.1, global_clipnorm=0.3)],
)  # fmt: skip
def lamb(learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, weight_decay=None, clipnorm=None, clipvalue=None,
         global_clipnorm=None, use_ema=False, ema_momentum=0.99, ema_overwrite_frequency=None, loss_scale_factor=None,
         gradient_accumulation_steps=None, name=None, lr=None, decay=0.0):  # fmt: skip
    if weight_decay:
        refuse(DECAYED_FIRST)
    step_size = rate(learning_rate, lr, decay)
    return finished(
        optax.lamb(step_size, b1=beta_1, b2=beta_2, eps=epsilon),
        step_size, weight_decay, clipnorm, clipvalue, global_clipnorm,
        (use_ema, loss_scale_factor, gradient_accumulation_steps),
    )  # fmt: skip
