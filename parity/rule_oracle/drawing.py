"""Random functions: many draws on both sides, and whether they come from one distribution.

One draw tells little: a flip of all images by one coin looks like one by a coin for each. Over many draws the two differ in
how elements vary together, so random projections of the results are compared too, not the elements alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import tensorflow as tf

from codemods.engine.rule import Difference
from parity.rule_oracle import compare

_VALUES = 60_000
#: At least, where one draw is not enough to tell; at most.
_DRAWS = (100, 1000)
_PROJECTIONS = 16
#: Standard errors that two estimates may be apart; all draws are seeded, so what passes once passes always.
_ERRORS = 6


def number_of(result: Any) -> int:
    """How many draws of a result of this size are taken; 0 of one that has enough values to tell from one draw."""
    size = sum(np.size(leaf) for leaf in compare.leaves(result))
    found = min(_VALUES // max(size, 1), _DRAWS[1])
    return found if found >= _DRAWS[0] else 0


def of_tensorflow(call: Callable[[], Any], number: int) -> np.ndarray | None:
    """Draws by elements; None where the call gives the same each time, as with a seed."""

    def flat(_: Any = None) -> tf.Tensor:
        leaves = [x for x in compare.leaves(call()) if isinstance(x, tf.Tensor)]
        return tf.concat([tf.cast(tf.reshape(x, [-1]), tf.float32) for x in leaves], 0)

    tf.random.set_seed(0)
    together = tf.function(lambda: tf.map_fn(flat, tf.range(number), fn_output_signature=tf.float32), autograph=False)
    try:
        found = together().numpy()
    except Exception:  # what it does needs values, or makes variables
        found = np.stack([flat().numpy() for _ in range(min(number, 200))])
    return found if found.size and np.ptp(found, axis=0).any() else None


def of_jax(call: Callable[[jax.Array], Any], number: int) -> np.ndarray:
    """The same; `call` takes a key."""

    def flat(key: jax.Array) -> jax.Array:
        leaves = [x for x in compare.leaves(call(key)) if isinstance(x, (jax.Array, np.ndarray))]
        return jnp.concatenate([jnp.ravel(x).astype(jnp.float32) for x in leaves])

    keys = jax.random.split(jax.random.key(0), number)
    try:
        return np.asarray(jax.jit(jax.vmap(flat))(keys))
    except Exception:  # shapes that depend on values
        return np.stack([np.asarray(flat(key)) for key in keys[:200]])


def check(expected: np.ndarray, actual: np.ndarray) -> None:
    """Raises AssertionError unless the draws, (draws, elements), may be of one distribution."""
    assert expected.shape[1] == actual.shape[1], f"{expected.shape[1]} values became {actual.shape[1]}"
    check_values(expected, actual, min(len(expected), len(actual)))
    size = expected.shape[1]
    columns = np.unique(np.linspace(0, size - 1, min(size, 64)).astype(int))
    _check_moments(expected[:, columns], actual[:, columns], "elements")
    directions = np.random.default_rng(0).normal(size=(size, _PROJECTIONS)) / np.sqrt(size)
    one, other = expected @ directions, actual @ directions
    _check_moments(one, other, "how elements vary together")
    for i in range(_PROJECTIONS):
        _check_distribution(one[:, i], other[:, i], min(len(one), len(other)), "how elements vary together")


def check_drawn(
    expected: Any, actual: Any, differences: Sequence[Difference] = (), where: str = "result", dtypes: bool = True
) -> None:
    """As `check`, for random results: shape, dtype, and the distribution of values where there are enough of them."""
    if isinstance(expected, (list, tuple)):
        for i, (one, other) in enumerate(zip(expected, actual, strict=True)):
            check_drawn(one, other, differences, f"{where}[{i}]", dtypes)
        return
    expected, actual = compare.plain(expected), compare.plain(actual)
    assert expected.shape == actual.shape, f"{where}: shape {expected.shape} became {actual.shape}"
    if dtypes:
        compare.check_dtype(expected, actual, differences, where)
    if expected.size >= 1000:
        check_values(expected, actual, expected.size)


def check_values(expected: np.ndarray, actual: np.ndarray, independent: int) -> None:
    """The same of values that are alike, of which so many are independent: by their distribution and their limits."""
    expected, actual = (np.sort(np.asarray(x, np.float64).ravel()) for x in (expected, actual))
    _check_distribution(expected, actual, independent, "values")
    for sign in (1, -1):
        one, other = ((x if sign > 0 else -x[::-1]) for x in (expected, actual))
        tail = one[-1] - one[int(len(one) * 0.99)]
        slack = 3 * tail + 1e-5 * max(abs(float(one[-1])), 1.0)
        assert abs(other[-1] - one[-1]) <= slack, f"the largest value {sign * one[-1]} became {sign * other[-1]}"


def _check_distribution(expected: np.ndarray, actual: np.ndarray, independent: int, where: str) -> None:
    """Kolmogorov's and Smirnov's test."""
    expected, actual = np.sort(expected), np.sort(actual)
    scale = max(np.abs(expected).max(initial=0), 1e-6)
    places = np.concatenate([expected, actual])
    below, upto = places - 1e-4 * scale, places + 1e-4 * scale  # equal values may be rounded apart
    apart = [
        np.searchsorted(one, below, "left") / len(one) - np.searchsorted(other, upto, "right") / len(other)
        for one, other in ((expected, actual), (actual, expected))
    ]
    distance = max(part.max(initial=0) for part in apart)
    allowed = 3.3 * np.sqrt(2 / independent)
    assert distance <= allowed, f"{where}: another distribution ({distance:.3f} apart, {allowed:.3f} allowed)"


def _check_moments(expected: np.ndarray, actual: np.ndarray, where: str) -> None:
    means, spreads = [], []
    for x in (expected, actual):
        mean, variance = x.mean(axis=0), x.var(axis=0)
        fourth = ((x - mean) ** 4).mean(axis=0)
        means.append((mean, variance / len(x)))
        spreads.append((variance, np.maximum(fourth - variance**2, 0) / len(x)))
    scale = np.abs(expected).max(initial=1e-6)
    for what, ((one, a), (other, b)), least in (("mean", means, scale), ("variance", spreads, scale**2)):
        apart, allowed = np.abs(one - other), _ERRORS * np.sqrt(a + b) + 1e-4 * least
        assert np.all(apart <= allowed), (
            f"{where}: another {what} ({(apart / allowed).max():.1f} times what is allowed)"
        )
