"""Padding in generated inputs of models that mask it: without any, a mask that was lost would show nowhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from parity.inputs import SpecInputs

_EMBEDDING = "tf.keras.layers.Embedding"
_MASKING = "tf.keras.layers.Masking"


class Padded:
    """Generated inputs, of which every other row ends in padding.

    Args:
      inputs: draws them.
      value: of Masking; None where there is none.
      tokens: does an Embedding mask zeros?
    """

    def __init__(self, inputs: SpecInputs, value: float | None, tokens: bool):
        self._inputs, self._value, self._tokens = inputs, value, tokens

    def __call__(self, seed: int) -> tuple[Any, ...]:
        specs = self._inputs.specs
        return tuple(self._padded(array, spec.low) for array, spec in zip(self._inputs(seed), specs, strict=True))

    def _padded(self, array: np.ndarray, low: int) -> np.ndarray:
        tokens = self._tokens and array.dtype.kind in "iu" and array.ndim == 2 and low <= 0
        steps = self._value is not None and array.dtype.kind == "f" and array.ndim >= 3
        if not tokens and not steps:
            return array
        padded = array.copy()
        padded[1::2, array.shape[1] - array.shape[1] // 3 :] = 0 if tokens else self._value
        return padded


def with_padding(inputs: Any, objects: Sequence[Mapping[str, Any]]) -> Any:
    """`inputs`, padded where they are generated and layers among the traced objects mask padding."""
    if not isinstance(inputs, SpecInputs):
        return inputs
    tokens = any(entry["class"] == _EMBEDDING and entry["args"].get("mask_zero") is True for entry in objects)
    values = [entry["args"].get("mask_value", 0.0) for entry in objects if entry["class"] == _MASKING]
    if not tokens and not values:
        return inputs
    return Padded(inputs, float(values[0]) if values else None, tokens)
