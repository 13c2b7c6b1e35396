"""The figures that the judge quotes of itself are those that are measured now, to some points."""

import pathlib

from absl.testing import absltest

from agent import judging as judge
from tests.benchmarks import judging

_POINTS = 0.05


class CalibrationTest(absltest.TestCase):
    def test_quoted_figures(self):
        root = pathlib.Path(__file__).absolute().parents[2]
        found, quoted = judging.summary(judging.calibrate(judging.sound(root))), judge.calibration()
        for name in ("definitions", "values", "others"):
            self.assertAlmostEqual(
                found[name], quoted[name], delta=_POINTS, msg="run //tests/benchmarks:judging -- --write"
            )
        self.assertLess(found["false_alarms"], 0.02)
        self.assertGreater(found["definitions"], 0.9)


if __name__ == "__main__":
    absltest.main()
