"""Tests comparisons, tolerances and what an oracle refuses."""

import numpy as np
from absl.testing import absltest, parameterized

from parity import oracle_checks, tolerances, trees, weights
from parity.checks import Check, Pair, compare, reached
from parity.errors import BadInputError
from parity.noise import NoiseStream


class CompareTest(absltest.TestCase):
    def test_reports_the_array_nearest_to_its_limit(self):
        check = compare("forward", "x", [Pair("a", [1.0], [1.1], 0.2), Pair("b", [1.0], [1.01], 0.011)])
        self.assertTrue(check.passed)
        self.assertEqual(check.tolerance, 0.011)
        self.assertEqual(check.detail, "worst: b")

    def test_fails(self):
        for pair, reason in (
            (Pair("a", [1.0], [2.0], 0.5), "a is off by 1, 2 times its tolerance"),
            (Pair("a", [1.0, 2.0], [1.0], 0.5), r"a has shape \[2\], the original \[1\]"),
            (Pair("a", [np.nan], [1.0], 0.5), "a is not finite"),
        ):
            with self.subTest(reason):
                check = compare("forward", "x", [pair])
                self.assertFalse(check.passed)
                self.assertRegex(check.detail, reason)

    def test_fails_on_nothing_and_on_leftovers(self):
        self.assertFalse(compare("forward", "x", []).passed)
        self.assertFalse(compare("forward", "x", [Pair("a", [1.0], [1.0], 0.5)], missing=["b"]).passed)

    def test_reaches_the_last_level_without_failures(self):
        checks = [Check("none", "a", True), Check("shapes", "b", True), Check("forward", "c", False)]
        self.assertEqual(reached(checks, "step"), "shapes")
        self.assertEqual(reached(checks[:2], "shapes"), "shapes")


class ToleranceTest(absltest.TestCase):
    def test_follows_the_error_of_the_original(self):
        reference = {"cases/0/inference/outputs/": np.float32([1.0, -2.0])}
        loose = tolerances.tolerances(reference, [{"cases/0/inference/outputs/": 1e-3}])
        self.assertAlmostEqual(loose["cases/0/inference/outputs/"], tolerances.SLACK * 1e-3)

    def test_has_a_floor(self):
        reference = {"cases/0/inference/outputs/": np.float32([1.0, -2.0])}
        tight = tolerances.tolerances(reference, [{}])["cases/0/inference/outputs/"]
        self.assertBetween(tight, 1e-6, 1e-5)

    def test_integers_must_agree(self):
        name = "cases/0/inference/outputs/"
        self.assertEqual(tolerances.tolerances({name: np.int32([3])}, [{name: 0.0}])[name], 0.0)


class JumpTest(absltest.TestCase):
    name = "cases/0/inference/gradients/weights/0"

    def jumps(self, gradient) -> dict[str, float]:
        at = [0.0, tolerances.WIDE * 1e-7, -tolerances.WIDE * 1e-7]
        return tolerances.jumps(*({self.name: np.float32([1.0, gradient(x)])} for x in at))

    def test_smooth_functions_have_none(self):
        self.assertEmpty(self.jumps(lambda x: 0.5 + 3.0 * x))

    def test_a_kink_within_rounding_is_one(self):
        self.assertAlmostEqual(self.jumps(lambda x: 0.5 if x > 0 else 0.4)[self.name], 0.1, places=5)
        self.assertEqual(
            tolerances.widened({self.name: 1e-6, "x": 1e-6}, {self.name: 0.1}), {self.name: 0.2, "x": 1e-6}
        )

    def test_an_optimizer_that_bends_is_none(self):
        def after(step: float) -> dict[str, np.ndarray]:
            return {"own/0/weights/0": np.float32([1.0, step]), "own/0/slots/optimizer/momentum/0": np.float32([1.0])}

        self.assertEmpty(tolerances.jumps(after(0.1), after(0.1), after(-0.1)))


class RefusalTest(parameterized.TestCase):
    @parameterized.parameters(
        (np.float32([[np.nan, 1.0]]), "gives NaN in the output in inference mode"),
        (np.float32([[np.inf, 1.0]]), "gives infinity"),
        (np.float32([[2.0, 2.0]]), "is constant"),
    )
    def test_outputs(self, value, reason):
        with self.assertRaisesRegex(BadInputError, reason):
            oracle_checks.check_outputs({(0, "inference"): {"": value}}, {0: (np.zeros(2),)})

    def test_outputs_that_ignore_the_input(self):
        value = np.float32([[1.0, 2.0]])
        outputs = {(0, "inference"): {"": value}, (1, "inference"): {"": value}}
        with self.assertRaisesRegex(BadInputError, "the same for all inputs"):
            oracle_checks.check_outputs(outputs, {0: (np.zeros(2),), 1: (np.ones(2),)})

    def test_weights_that_nothing_depends_on(self):
        variables = [{"path": "net/used"}, {"path": "net/idle"}, {"path": "net/faint"}]
        gradients = {0: np.float32([1.0, 0.0]), 1: np.zeros(2, np.float32), 2: np.float32([1e-9])}
        named = {f"cases/0/inference/gradients/weights/{i}": value for i, value in gradients.items()}
        with self.assertRaisesRegex(BadInputError, "can't see weight net/idle"):
            oracle_checks.check_sensitivity(named, variables)
        named["cases/1/training/gradients/weights/1"] = np.float32([0.0, 0.5])
        self.assertEqual(oracle_checks.check_sensitivity(named, variables), ["the outputs hardly depend on net/faint"])


class WeightsTest(absltest.TestCase):
    def test_moves_what_starts_constant(self):
        names = ["kernel", "bias", "gamma", "moving_variance", "count"]
        start = [np.eye(2, dtype=np.float32), np.zeros(3, np.float32), np.ones(3, np.float32)]
        start += [np.ones(50, np.float32), np.zeros((), np.int32)]
        moved = weights.perturbed(names, start)
        np.testing.assert_array_equal(moved[0], start[0])
        np.testing.assert_array_equal(moved[4], start[4])
        self.assertTrue(np.all(moved[1] != 0))
        self.assertTrue(np.all(moved[2] != 1))
        self.assertGreater(np.min(moved[3]), 0)

    def test_variances_that_a_training_run_moved_stay_positive(self):
        start = np.float32([0.0, 1e-3, 0.02, 5.0] * 50)
        (moved,) = weights.perturbed(["moving_variance"], [start])
        self.assertGreater(np.min(moved), 0)
        self.assertTrue(np.all(moved != start))

    def test_jitter_is_about_one_rounding(self):
        value = np.float32(np.linspace(1, 2, 100))
        (moved,) = weights.jittered([value], seed=1)
        self.assertBetween(np.max(np.abs(moved - value) / value), 5e-8, 2e-7)


class NoiseTest(absltest.TestCase):
    def test_draws_by_number_and_shape(self):
        first, second = NoiseStream(), NoiseStream()
        with first.evaluation():
            a, b = first.normal((2, 3)), first.normal((2, 3))
        with second.evaluation():
            np.testing.assert_array_equal(second.normal([2, 3]), a)
            np.testing.assert_array_equal(second.normal((np.int32(2), 3)), b)
        self.assertFalse(np.array_equal(a, b))


class TreesTest(absltest.TestCase):
    def test_skeletons_bring_the_structure_back(self):
        value = ({"b": np.ones(2), "a": [np.zeros(3), None]}, 3, "x")
        leaves = dict(trees.flatten(value))
        self.assertEqual(list(leaves), ["0.a.0", "0.b"])
        back = trees.restore(trees.skeleton(value), leaves.__getitem__)
        self.assertEqual(trees.describe(back), trees.describe(value))
        self.assertIsInstance(back, tuple)


if __name__ == "__main__":
    absltest.main()
