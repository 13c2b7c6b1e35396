"""No unit of the scoreboard ports worse than the checked-in board says. Porting only; nothing is run."""

import json

from absl.testing import absltest, parameterized

from tests.benchmarks.scoreboard import BOARD, ported
from tests.benchmarks.scoreboard_units import UNITS

#: Files that take a few seconds each; the others are measured by the benchmark.
_SAMPLE = ("densenet", "mobilenet", "mobilenet_v2", "vgg16")
_COMMAND = "./bazelw run //tests/benchmarks:scoreboard -- --update"


class ScoreboardTest(parameterized.TestCase):
    def test_every_unit_is_on_the_board(self) -> None:
        board = json.loads(BOARD.read_text(encoding="utf-8"))
        self.assertCountEqual(board, [unit.name for unit in UNITS], f"run {_COMMAND}")

    @parameterized.named_parameters(
        (unit.path.rsplit("/", 1)[-1].removesuffix(".py"), unit)
        for unit in UNITS
        if unit.path.rsplit("/", 1)[-1].removesuffix(".py") in _SAMPLE
    )
    def test_unit_does_not_fall_back(self, unit) -> None:
        before = json.loads(BOARD.read_text(encoding="utf-8"))[unit.name]
        now = ported(unit)
        self.assertGreaterEqual(now["ported"], before["ported"], "fewer functions are ported than the board says")
        self.assertLessEqual(now["residuals"], before["residuals"], "more residuals are left than the board says")


if __name__ == "__main__":
    absltest.main()
