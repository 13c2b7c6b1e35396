"""Weights for the oracle: the original's own initial ones, with what starts constant moved."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

_BIAS = re.compile(r"(^|_)(bias|beta|gamma|scale|gain|offset)(_|$|\d)")
_VARIANCE = re.compile(r"(^|_)(var|variance|std|stddev|sigma)(_|$|\d)")


def perturbed(names: Sequence[str], values: Sequence[np.ndarray], seed: int = 0) -> list[np.ndarray]:
    """Moves norms, biases, running statistics and whatever else starts constant.

    Zeros and ones hide bugs: a bias that is never added, a norm without its scale. Variances are
    scaled, so that they stay positive; other values are shifted by a tenth to a fifth.

    Args:
      names: last part of each variable's path.
      values: what the original starts with.
      seed: of the shifts.

    Returns:
      New values; integers and booleans as they were.
    """
    moved = []
    for index, (name, value) in enumerate(zip(names, values, strict=True)):
        rng = np.random.default_rng([seed, index, 1])
        if value.dtype.kind != "f":
            moved.append(value)
            continue
        constant = value.size > 0 and bool(np.all(value == value.flat[0]))
        if _VARIANCE.search(name.lower()) and value.size and np.all(value >= 0) and np.any(value > 0):
            # A run in training mode may have moved them already, to different values and to zero.
            factor = np.exp(0.3 * rng.standard_normal(value.shape))
            moved.append((np.where(value > 0, value, np.mean(value)) * factor).astype(value.dtype))
        elif constant or value.ndim <= 1 or _BIAS.search(name.lower()):
            size = 0.2 if constant and value.size and value.flat[0] != 0 else 0.1
            moved.append((value + size * rng.standard_normal(value.shape)).astype(value.dtype))
        else:
            moved.append(value)
    return moved


def jittered(values: Sequence[np.ndarray], seed: int, size: float = 1.0) -> list[np.ndarray]:
    """Values off by rounding errors, to see how the results depend on rounding.

    Args:
      values: arrays; those that aren't floats stay.
      seed: of the noise.
      size: of the largest error, in units in the last place; a negative one turns every error round.
    """
    result = []
    for index, value in enumerate(values):
        if value.dtype.kind != "f":
            result.append(value)
            continue
        rng = np.random.default_rng([seed, index, 2])
        noise = rng.uniform(-1.0, 1.0, value.shape) * np.finfo(np.float32).eps * size
        result.append((value.astype(np.float64) * (1.0 + noise)).astype(value.dtype))
    return result
