"""What layers do with implicit masks, as their rules say it and as Keras does it.

Each layer gets inputs that `Masking` has attached a mask to: its output has a mask where the rule says so, and is another
one than without the mask only where the rule reads masks.
"""

from __future__ import annotations

import inspect
import os
import warnings
from typing import Any

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from codemods import mappings
from codemods.engine import rule as rules
from codemods.engine.rule import ObjectRule, Sample
from codemods.passes.masks import NOT_IN_KERAS_2, READERS
from parity.rule_oracle import compare
from parity.rule_oracle.objects import Case, perturb

assert mappings  # registers the rules

_KERAS_2 = os.environ.get("TF_USE_LEGACY_KERAS") == "1"
#: Each time other images.
_RANDOM = "tf.keras.layers.Random"
#: Sums and their like, and what makes masks, have rules of their own, in the pass.
_OF_PASS = frozenset(
    f"tf.keras.layers.{name}"
    for name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot", "Masking")
)


def cases() -> list[tuple[str, ObjectRule, str, Sample, int]]:
    found = []
    for symbol, entry in rules.OBJECTS.items():
        if entry.kind != "layer" or not compare.exists(symbol) or symbol.startswith(_RANDOM) or symbol in _OF_PASS:
            continue
        for index, sample in enumerate(entry.samples):
            if any("mask" in name for name in sample.call) or not any(_takes_mask(x) for x in _leaves(sample.x)):
                continue
            found.append((f"{symbol}_{index}", entry, symbol, sample, index))
    return found


def _leaves(x: Any) -> list[Any]:
    return [leaf for part in x for leaf in _leaves(part)] if isinstance(x, list | tuple) else [x]


def _takes_mask(x: Any) -> bool:
    return x is not None and x.dtype == "float32" and len(x.shape) >= 3


def _masked(x: Any) -> Any:
    """Inputs of which Masking has masked the last step, and more of the first row."""
    if isinstance(x, list | tuple):
        return type(x)(_masked(part) for part in x)
    if not _takes_mask(x):
        return tf.constant(x)
    array = np.array(x)
    array[:, -1] = 0
    array[0, -2] = 0
    return tf.keras.layers.Masking()(tf.constant(array))


def _plain(x: Any) -> Any:
    return type(x)(_plain(part) for part in x) if isinstance(x, list | tuple) else tf.constant(x.numpy())


def _mask(x: Any) -> Any:
    return getattr(x, "_keras_mask", None)


class MaskTest(parameterized.TestCase):
    @parameterized.named_parameters(cases())
    def test(self, entry: ObjectRule, symbol: str, sample: Sample, index: int) -> None:
        warnings.simplefilter("ignore")
        case = Case.of(entry, symbol, sample, index)
        layer = case.source()
        options = compare.mapped(compare.for_tf, case.options)
        inputs = _masked(case.inputs)
        before = next(_mask(x) for x in _leaves(inputs) if _mask(x) is not None)
        try:
            layer(*_plain(inputs), **options)
            perturb(layer, compare.seed_of(symbol, index, "weights"))
            without = layer(*_plain(inputs), **options)
            result = layer(*inputs, **options)
        except (ValueError, TypeError, IndexError, tf.errors.InvalidArgumentError) as error:
            self.skipTest(f"Keras takes no such mask: {type(error).__name__}")
        if _KERAS_2 and symbol in NOT_IN_KERAS_2:
            return
        keeps = bool(entry.keeps_mask)
        if keeps and entry.keeps_mask != "always":
            head, _, rest = entry.keeps_mask.partition(".")
            decides = case.config[head]
            keeps = bool(getattr(decides, rest) if rest else decides)
        first = _leaves(list(result) if isinstance(result, list | tuple) else [result])[0]
        self.assertEqual(_mask(first) is not None, keeps, "the rule's `keeps_mask` and Keras differ")
        if keeps:
            np.testing.assert_array_equal(_mask(first), before)
        same = all(
            np.allclose(a, b, atol=1e-6, equal_nan=True) for a, b in zip(_leaves(result), _leaves(without), strict=True)
        )
        assert entry.call is not None
        names = inspect.signature(entry.call).parameters
        if not any(name == "mask" or name.endswith("_mask") for name in names) and symbol not in READERS:
            self.assertTrue(
                same, "Keras computes something else where its input has a mask; the rule's call reads none"
            )


if __name__ == "__main__":
    absltest.main()
