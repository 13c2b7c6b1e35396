"""Ports of the files `*/in.py`, compared with `*/out.py`; `--update` writes them."""

import pathlib

from absl import flags
from absl.testing import absltest, parameterized

from codemods.passes.porter import Porter
from codemods.passes.printing.output import Output
from codemods.passes.trace import Trace
from codemods.passes.unit import Unit

_UPDATE = flags.DEFINE_bool("update", False, "Write what the port gives now.")
_HERE = pathlib.Path(__file__).resolve().parent
_CASES = sorted(path.parent.name for path in _HERE.glob("*/in.py"))


def port(source: str) -> str:
    unit = Unit(source, "in.py", Trace())
    porter = Porter(unit)
    porter.port()
    output = Output(porter).text()
    problems = [f"{residual.span}: {residual.symbol}: {residual.reason}" for _, residual in unit.residuals]
    return output + "".join(f"# residual: {problem}\n" for problem in problems)


class GoldenTest(parameterized.TestCase):
    @parameterized.named_parameters((case, case) for case in _CASES)
    def test(self, case: str) -> None:
        found = port((_HERE / case / "in.py").read_text(encoding="utf-8"))
        expected = _HERE / case / "out.py"
        if _UPDATE.value:
            expected.write_text(found, encoding="utf-8")
        self.assertMultiLineEqual(found, expected.read_text(encoding="utf-8") if expected.exists() else "")


if __name__ == "__main__":
    absltest.main()
