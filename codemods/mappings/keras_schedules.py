"""Schedules of `tf.keras.optimizers.schedules`."""

import jax.numpy as jnp
import optax

from codemods.engine.rule import refuse, rule, sample


def cosine_restarts(init_value, first_decay_steps, t_mul=2.0, m_mul=1.0, alpha=0.0):
    """Cosine decay that starts again with periods longer by `t_mul` and peaks scaled by `m_mul`."""

    def schedule(step):
        done = step / first_decay_steps
        if t_mul == 1:
            restart = jnp.floor(done)
            done = done - restart
        else:
            restart = jnp.floor(jnp.log(1 - done * (1 - t_mul)) / jnp.log(t_mul))
            done = (done - (1 - t_mul**restart) / (1 - t_mul)) / t_mul**restart
        return init_value * ((1 - alpha) * 0.5 * m_mul**restart * (1 + jnp.cos(jnp.pi * done)) + alpha)

    return schedule


@rule("tf.keras.optimizers.schedules.ExponentialDecay", samples=[
    sample(0.1, 10, 0.9), sample(0.1, decay_steps=10, decay_rate=0.5, staircase=True),
])  # fmt: skip
def exponential_decay(initial_learning_rate, decay_steps, decay_rate, staircase=False, name="ExponentialDecay"):
    return optax.exponential_decay(initial_learning_rate, decay_steps, decay_rate, staircase=staircase)


@rule("tf.keras.optimizers.schedules.PiecewiseConstantDecay", samples=[
    sample([5, 12], [1.0, 0.5, 0.1]), sample(boundaries=[3], values=[0.1, 0.2]),
])  # fmt: skip
def piecewise_constant_decay(boundaries, values, name="PiecewiseConstant"):
    # Keras keeps a value up to and with its boundary, optax up to it.
    return optax.join_schedules([optax.constant_schedule(v) for v in values], [b + 1 for b in boundaries])


@rule("tf.keras.optimizers.schedules.PolynomialDecay", samples=[
    sample(0.1, 10), sample(0.1, 10, end_learning_rate=0.01, power=2.0),
])  # fmt: skip
def polynomial_decay(initial_learning_rate, decay_steps, end_learning_rate=0.0001, power=1.0, cycle=False,
                     name="PolynomialDecay"):  # fmt: skip
    if cycle:
        refuse("PolynomialDecay with cycle=True: write it as a function of the step")
    if power == 1:
        return optax.linear_schedule(initial_learning_rate, end_learning_rate, decay_steps)
    return optax.polynomial_schedule(initial_learning_rate, end_learning_rate, power, decay_steps)


@rule("tf.keras.optimizers.schedules.InverseTimeDecay", samples=[
    sample(0.1, 10, 0.5), sample(0.1, 4, 0.5, staircase=True),
])  # fmt: skip
def inverse_time_decay(initial_learning_rate, decay_steps, decay_rate, staircase=False, name="InverseTimeDecay"):
    if staircase:
        return lambda step: initial_learning_rate / (1 + decay_rate * jnp.floor(step / decay_steps))
    return lambda step: initial_learning_rate / (1 + decay_rate * step / decay_steps)


@rule("tf.keras.optimizers.schedules.CosineDecay", samples=[
    sample(0.1, 10), sample(0.1, 10, alpha=0.2), sample(0.0, 10, 0.1, warmup_target=0.1, warmup_steps=5),
])  # fmt: skip
def cosine_decay(initial_learning_rate, decay_steps, alpha=0.0, name="CosineDecay", warmup_target=None,
                 warmup_steps=0):  # fmt: skip
    if warmup_target is None:
        return optax.cosine_decay_schedule(initial_learning_rate, decay_steps, alpha=alpha)
    return optax.warmup_cosine_decay_schedule(
        initial_learning_rate, warmup_target, warmup_steps, warmup_steps + decay_steps, end_value=alpha * warmup_target
    )


@rule("tf.keras.optimizers.schedules.CosineDecayRestarts", helpers=(cosine_restarts,), samples=[
    sample(0.1, 5), sample(0.1, 5, t_mul=1.0, m_mul=0.5, alpha=0.1), sample(0.1, 3, 1.5, 0.9),
])  # fmt: skip
def cosine_decay_restarts(initial_learning_rate, first_decay_steps, t_mul=2.0, m_mul=1.0, alpha=0.0,
                          name="SGDRDecay"):  # fmt: skip
    return cosine_restarts(initial_learning_rate, first_decay_steps, t_mul=t_mul, m_mul=m_mul, alpha=alpha)
