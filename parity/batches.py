"""Makes data for a training step: inputs, and labels of every kind that a loss may want."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from parity import trees
from parity.training import TrainingStep

#: Words in a loss's name whose labels are class numbers.
_SPARSE = ("sparse", "one_hot(")


def candidates(step: TrainingStep, inputs: Any, outputs: Any) -> Iterator[Any]:
    """Batches to try a step on, the likeliest first.

    Args:
      step: what is known of the data.
      inputs: positional arguments of the model.
      outputs: what it gives for them, as arrays.
    """
    x = inputs[0] if len(inputs) == 1 else list(inputs)
    if step.data is not None:
        for y in labels(outputs, step.loss):
            known = {"inputs": x, "labels": y}
            yield tuple(known[item] if isinstance(item, str) else _random(item, k) for k, item in enumerate(step.data))
        return
    if step.labels is not True:
        yield x
    if step.labels is not False:
        for y in labels(outputs, step.loss):
            yield (x, y)


def labels(outputs: Any, loss: str = "") -> Iterator[Any]:
    """Labels for outputs: of their own shape, and one class number per position; by the loss, one comes first.

    Args:
      outputs: tree of float arrays.
      loss: text with the loss's name in it.
    """
    makers = [_like, _classes]
    if any(word in loss.lower() for word in _SPARSE):
        makers.reverse()
    for make in makers:
        yield trees.map_arrays(make, outputs)


def _random(tree: Mapping[str, Any], position: int) -> np.ndarray:
    """Normal floats, or zeros and ones, of a shape and dtype."""
    rng = np.random.default_rng([12, position])
    if "float" in tree["dtype"]:
        return rng.standard_normal(tree["shape"]).astype(tree["dtype"])
    return rng.integers(0, 2, tree["shape"]).astype(tree["dtype"])


def _rng(path: str) -> np.random.Generator:
    return np.random.default_rng([11, len(path)])


def _classes(path: str, array: Any) -> np.ndarray:
    """int32[shape[:-1]] below the size of the last axis; of two classes for a single output."""
    size = array.shape[-1] if array.ndim > 1 else 2
    shape = array.shape[:-1] if array.ndim > 1 else array.shape
    return _rng(path).integers(0, max(size, 2), shape).astype(np.int32)


def _like(path: str, array: Any) -> np.ndarray:
    """float32[shape]: a distribution over the last axis, or zeros and ones where that has one element."""
    rng = _rng(path)
    if array.ndim > 1 and array.shape[-1] > 1:
        noise = np.exp(rng.standard_normal(array.shape))
        return (noise / noise.sum(-1, keepdims=True)).astype(np.float32)
    return rng.integers(0, 2, array.shape).astype(np.float32)
