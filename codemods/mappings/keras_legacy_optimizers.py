"""Optimizers of `tf.keras.optimizers.legacy`, which Keras 2 had before 2.11."""

import optax

from codemods.engine.rule import Difference, inline, refuse, rule, sample
from codemods.mappings.keras_optimizers import EPSILON, adam_steps, amsgrad_steps, finished, momentum_descent, rate
from codemods.mappings.keras_other_optimizers import ftrl, nadam

OUTSIDE = Difference(
    "epsilon", "Keras 2 adds it to the square root, optax under it; with the default the steps agree to 1e-6"
)


@rule("tf.keras.optimizers.legacy.Adam", differences=[EPSILON], samples=[
    sample(), sample(0.01, beta_1=0.5, clipvalue=0.5), sample(lr=0.01, decay=0.1), sample(0.01, amsgrad=True),
])  # fmt: skip
def adam(learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False, name="Adam",
         clipnorm=None, clipvalue=None, global_clipnorm=None, lr=None, decay=0.0):  # fmt: skip
    step_size = rate(learning_rate, lr, decay)
    if amsgrad:
        steps = amsgrad_steps(step_size, beta_1, beta_2, epsilon)
    else:
        steps = adam_steps(step_size, beta_1, beta_2, epsilon)
    return finished(steps, step_size, None, clipnorm, clipvalue, global_clipnorm, ())


@rule("tf.keras.optimizers.legacy.SGD", samples=[
    sample(), sample(0.1, 0.9, nesterov=True), sample(0.1, global_clipnorm=1.0, decay=0.1),
])  # fmt: skip
def sgd(learning_rate=0.01, momentum=0.0, nesterov=False, name="SGD",
        clipnorm=None, clipvalue=None, global_clipnorm=None, lr=None, decay=0.0):  # fmt: skip
    step_size = rate(learning_rate, lr, decay)
    steps = momentum_descent(step_size, momentum, nesterov)
    return finished(steps, step_size, None, clipnorm, clipvalue, global_clipnorm, ())


@inline
def rms_steps(learning_rate, rho, momentum, epsilon, centered):
    if momentum:
        return optax.rmsprop(learning_rate, decay=rho, eps=epsilon, centered=centered, momentum=momentum)
    return optax.rmsprop(learning_rate, decay=rho, eps=epsilon, centered=centered, eps_in_sqrt=False)


@rule("tf.keras.optimizers.legacy.RMSprop", samples=[
    sample(), sample(0.01, 0.8, momentum=0.9), sample(0.01, centered=True, epsilon=1e-3),
])  # fmt: skip
def rmsprop(learning_rate=0.001, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False, name="RMSprop",
            clipnorm=None, clipvalue=None, global_clipnorm=None, lr=None, decay=0.0):  # fmt: skip
    step_size = rate(learning_rate, lr, decay)
    steps = rms_steps(step_size, rho, momentum, epsilon, centered)
    return finished(steps, step_size, None, clipnorm, clipvalue, global_clipnorm, ())


@rule("tf.keras.optimizers.legacy.Adagrad", differences=[OUTSIDE], samples=[
    sample(), sample(0.05, initial_accumulator_value=0.5),
])  # fmt: skip
def adagrad(learning_rate=0.001, initial_accumulator_value=0.1, epsilon=1e-7, name="Adagrad",
            clipnorm=None, clipvalue=None, global_clipnorm=None, lr=None, decay=0.0):  # fmt: skip
    step_size = rate(learning_rate, lr, decay)
    steps = optax.adagrad(step_size, initial_accumulator_value=initial_accumulator_value, eps=epsilon)
    return finished(steps, step_size, None, clipnorm, clipvalue, global_clipnorm, ())


@rule("tf.keras.optimizers.legacy.Adadelta", samples=[
    sample(), sample(1.0, rho=0.9, epsilon=1e-3),
])  # fmt: skip
def adadelta(learning_rate=0.001, rho=0.95, epsilon=1e-7, name="Adadelta",
             clipnorm=None, clipvalue=None, global_clipnorm=None, lr=None, decay=0.0):  # fmt: skip
    step_size = rate(learning_rate, lr, decay)
    steps = optax.adadelta(step_size, rho=rho, eps=epsilon)
    return finished(steps, step_size, None, clipnorm, clipvalue, global_clipnorm, ())


@rule("tf.keras.optimizers.legacy.Adamax", samples=[
    sample(), sample(0.01, beta_1=0.5, beta_2=0.9),
])  # fmt: skip
def adamax(learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, name="Adamax",
           clipnorm=None, clipvalue=None, global_clipnorm=None, lr=None, decay=0.0):  # fmt: skip
    step_size = rate(learning_rate, lr, decay)
    steps = optax.adamax(step_size, b1=beta_1, b2=beta_2, eps=epsilon)
    return finished(steps, step_size, None, clipnorm, clipvalue, global_clipnorm, ())


@rule("tf.keras.optimizers.legacy.Ftrl", helpers=(ftrl,), samples=[
    sample(), sample(0.1, l1_regularization_strength=0.01, l2_regularization_strength=0.1, beta=0.1),
])  # fmt: skip
def ftrl_rule(learning_rate=0.001, learning_rate_power=-0.5, initial_accumulator_value=0.1,
              l1_regularization_strength=0.0, l2_regularization_strength=0.0, name="Ftrl",
              l2_shrinkage_regularization_strength=0.0, beta=0.0, clipnorm=None, clipvalue=None, global_clipnorm=None,
              lr=None, decay=0.0):  # fmt: skip
    if lr is not None:
        refuse("lr: Keras 2 takes and ignores it here: give learning_rate")
    step_size = rate(learning_rate, lr, decay)
    steps = ftrl(
        step_size, learning_rate_power, initial_accumulator_value, l1=l1_regularization_strength,
        l2=l2_regularization_strength, l2_shrinkage=l2_shrinkage_regularization_strength, beta=beta,
    )  # fmt: skip
    return finished(steps, step_size, None, clipnorm, clipvalue, global_clipnorm, ())


@rule("tf.keras.optimizers.legacy.Nadam", helpers=(nadam,), samples=[
    sample(), sample(0.01, beta_1=0.8, beta_2=0.99, epsilon=1e-3), sample(lr=0.01),
])  # fmt: skip
def nadam_rule(learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, name="Nadam", clipnorm=None,
               clipvalue=None, global_clipnorm=None, lr=None):  # fmt: skip
    step_size = rate(learning_rate, lr, 0.0)
    steps = nadam(step_size, b1=beta_1, b2=beta_2, eps=epsilon, warmup=0.004)
    return finished(steps, step_size, None, clipnorm, clipvalue, global_clipnorm, ())
