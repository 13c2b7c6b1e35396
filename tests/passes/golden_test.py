"""Ports of the files `*/in.py`, compared with `*/out.py`, and their notes with `*/notes.txt` where there is one.

`--update` writes them.
"""

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


def port(source: str) -> tuple[str, str]:
    """The port with what is left over, and the notes."""
    unit = Unit(source, "in.py", Trace())
    porter = Porter(unit)
    porter.port()
    output = Output(porter)
    text = output.text()
    problems = [f"{residual.span}: {residual.symbol}: {residual.reason}" for _, residual in unit.residuals]
    notes = sorted(
        (note.span.line, note.span.column, note.text)
        for note in (*unit.notes, *unit.touched(lambda function: function in output.failed))
    )
    lines = [f"{line}:{column}: {note}\n" for line, column, note in notes]
    return text + "".join(f"# residual: {problem}\n" for problem in problems), "".join(lines)


class GoldenTest(parameterized.TestCase):
    @parameterized.named_parameters((case, case) for case in _CASES)
    def test(self, case: str) -> None:
        found, notes = port((_HERE / case / "in.py").read_text(encoding="utf-8"))
        pairs = [(found, _HERE / case / "out.py"), (notes, _HERE / case / "notes.txt")]
        for text, expected in pairs[: 1 + pairs[1][1].exists()]:
            if _UPDATE.value:
                expected.write_text(text, encoding="utf-8")
            self.assertMultiLineEqual(text, expected.read_text(encoding="utf-8") if expected.exists() else "")


if __name__ == "__main__":
    absltest.main()
