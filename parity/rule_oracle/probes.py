"""What an object does, as arrays: initialisers make a tensor, schedules a curve, optimizers a few steps, penalties a sum."""

from __future__ import annotations

import inspect
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
import optax
import tensorflow as tf
import tf_keras

_STEPS = (0, 1, 2, 7, 50, 1000)
_WEIGHTS = np.linspace(-1.0, 1.0, 12, dtype=np.float32).reshape(3, 4)

_SQUARE = np.linspace(-1.5, 1.0, 16, dtype=np.float32).reshape(4, 4)
_OF_WEIGHTS = (
    keras.Regularizer, tf_keras.regularizers.Regularizer, keras.constraints.Constraint, tf_keras.constraints.Constraint
)  # fmt: skip


def probe(made: Any) -> Any:
    """A function that gives what one side's object does, chosen by TensorFlow's object; None for plain values."""
    if isinstance(made, keras.optimizers.schedules.LearningRateSchedule):
        return lambda schedule: [jnp.asarray(schedule(step), jnp.float32) if not _is_tf(schedule) else schedule(step)
                                 for step in _STEPS]  # fmt: skip
    if isinstance(
        made, (keras.optimizers.Optimizer, tf_keras.optimizers.Optimizer, tf_keras.optimizers.legacy.Optimizer)
    ):
        return _trajectory
    if isinstance(made, _OF_WEIGHTS):
        return lambda f: f(tf.constant(_SQUARE) if _is_tf(f) else jnp.asarray(_SQUARE))
    if isinstance(made, (keras.Initializer, tf_keras.initializers.Initializer)) or hasattr(made, "from_config"):
        return _initialized
    if inspect.isfunction(made):  # an activation
        return lambda f: f(_WEIGHTS)
    return None


def _is_tf(value: Any) -> bool:
    return type(value).__module__.startswith(("keras", "tf_keras", "tensorflow"))


def _initialized(initializer: Any) -> list[Any]:
    """A tensor, and one of another dtype where both sides can: decompositions are of float32 alone."""
    decomposes = "rthogonal" in f"{type(initializer).__name__} {initializer!r}"
    dtypes = ("float32",) if decomposes else ("float32", "float16")
    if _is_tf(initializer):
        return [initializer((60, 50), dtype=dtype) for dtype in dtypes]
    return [initializer(jax.random.key(0), (60, 50), jnp.dtype(dtype)) for dtype in dtypes]


def _trajectory(optimizer: Any) -> list[Any]:
    """Weights after each of five steps with gradients that change."""
    gradients = [np.cos(_WEIGHTS * (i + 1)) * 0.5 for i in range(5)]
    if _is_tf(optimizer):
        legacy = type(optimizer).__module__.startswith("tf_keras")
        weights: Any = tf.Variable(_WEIGHTS) if legacy else keras.Variable(_WEIGHTS)
        found = []
        for gradient in gradients:
            optimizer.apply_gradients([(tf.constant(gradient), weights)])
            found.append(np.array(weights))
        return found
    value: Any = jnp.asarray(_WEIGHTS)
    state = optimizer.init(value)
    found = []
    for gradient in gradients:
        updates, state = optimizer.update(jnp.asarray(gradient), state, value)
        value = optax.apply_updates(value, updates)
        found.append(value)
    return found
