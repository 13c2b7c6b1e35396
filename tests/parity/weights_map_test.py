"""Tests that weights are carried over one to one, or not at all."""

import numpy as np
from absl.testing import absltest, parameterized

from parity.weights_map import WeightsMap, apply

_VARIABLES = [
    {"path": "gru/kernel", "shape": [4, 6], "trainable": True},
    {"path": "gru/bias", "shape": [2, 6], "trainable": True},
    {"path": "norm/mean", "shape": [5], "trainable": False},
]
_ENTRIES = [
    {"source": 0, "target": "cell.kernel", "steps": [["blocks", 1, [1, 0, 2]]]},
    {"source": 1, "target": "cell.bias_i", "steps": [["take", 0, 0]]},
    {"source": 1, "target": "cell.bias_h", "steps": [["take", 0, 1]]},
    {"source": 2, "target": "norm.mean", "steps": []},
]
_LEAVES = {"cell.kernel": ((4, 6), True), "cell.bias_i": ((6,), True), "cell.bias_h": ((6,), True)}
_LEAVES["norm.mean"] = ((5,), False)


def problems(entries, leaves=None) -> str:
    (check,) = WeightsMap({"weights": entries}).check(_VARIABLES, leaves or _LEAVES)
    return "" if check.passed else check.detail


class StepsTest(parameterized.TestCase):
    @parameterized.parameters(
        ([["transpose", [1, 0]]], [[0, 3], [1, 4], [2, 5]]),
        ([["reshape", [3, 2]]], [[0, 1], [2, 3], [4, 5]]),
        ([["blocks", 1, [2, 0, 1]]], [[2, 0, 1], [5, 3, 4]]),
        ([["take", 0, 1]], [3, 4, 5]),
        ([["take", 0, 1], ["reshape", [3, 1]]], [[3], [4], [5]]),
    )
    def test_applies(self, steps, wanted):
        np.testing.assert_array_equal(apply(steps, np.arange(6).reshape(2, 3)), wanted)

    def test_refuses_unknown_steps(self):
        with self.assertRaisesRegex(ValueError, "unknown step 'flip'"):
            apply([["flip", 0]], np.zeros(3))


class BijectionTest(absltest.TestCase):
    def test_holds(self):
        self.assertEqual(problems(_ENTRIES), "")

    def test_names_what_is_missing_on_either_side(self):
        self.assertIn("norm/mean of the original goes nowhere", problems(_ENTRIES[:3]))
        self.assertIn("norm.mean of the port gets no weight", problems(_ENTRIES[:3]))
        self.assertIn("top.bias of the port gets no weight", problems(_ENTRIES, {**_LEAVES, "top.bias": ((3,), True)}))
        self.assertIn("extra is not a weight", problems([*_ENTRIES, {"source": 2, "target": "extra", "steps": []}]))

    def test_names_wrong_shapes(self):
        found = problems(_ENTRIES, {**_LEAVES, "cell.kernel": ((6, 4), True)})
        self.assertEqual(found, "cell.kernel has shape [6, 4], gru/kernel gives [4, 6]")

    def test_wants_the_same_weights_trained(self):
        found = problems(_ENTRIES, {**_LEAVES, "norm.mean": ((5,), True)})
        self.assertEqual(found, "norm.mean is trained, norm/mean is not trained")

    def test_wants_every_element_once(self):
        twice = [{**_ENTRIES[2], "steps": [["take", 0, 0]]}]
        self.assertIn("gru/bias is not used in full, once", problems([*_ENTRIES[:2], *twice, _ENTRIES[3]]))
        self.assertIn("is mapped to twice", problems([*_ENTRIES, _ENTRIES[0]]))

    def test_carries(self):
        carried = WeightsMap({"weights": _ENTRIES}).carry({1: np.arange(12).reshape(2, 6)})
        self.assertCountEqual(carried, ["cell.bias_i", "cell.bias_h"])
        np.testing.assert_array_equal(carried["cell.bias_h"], np.arange(6, 12))


if __name__ == "__main__":
    absltest.main()
