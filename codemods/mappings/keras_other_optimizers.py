"""Optimizers of `tf.keras.optimizers` that optax has no equal of."""

import jax
import jax.numpy as jnp
import optax

from codemods.engine.rule import rule, sample
from codemods.mappings.differences import IGNORED_DECAY
from codemods.mappings.keras_optimizers import finished, rate


def nadam(learning_rate, b1=0.9, b2=0.999, eps=1e-7):
    """Adam with Nesterov momentum whose momentum warms up, as in Dozat's paper (optax.nadam leaves that out)."""

    def init(params):
        zeros = optax.tree.zeros_like(params)
        return jnp.zeros([], jnp.int32), jnp.ones([]), zeros, zeros

    def update(updates, state, params=None):
        step, product, mu, nu = state
        now, ahead = (b1 * (1 - 0.5 * 0.96 ** (step + i)) for i in (1, 2))
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
