"""The passes on one file without a run of the original: nothing of it is executed or written."""

from __future__ import annotations

import dataclasses

from codemods.engine.outcome import Residual
from codemods.passes.porter import Porter
from codemods.passes.printing.output import Output
from codemods.passes.trace import Trace
from codemods.passes.unit import Unit


@dataclasses.dataclass(frozen=True)
class DryRun:
    """What came of it.

    Attributes:
      unit: the file, its residuals and notes.
      source: the port.
      failed: names of the classes and functions that stay TensorFlow.
    """

    unit: Unit
    source: str
    failed: frozenset[str]

    @property
    def residuals(self) -> list[tuple[str, Residual]]:
        """(class or function that it is in, residual), in the order of the file."""
        return sorted(self.unit.residuals, key=lambda entry: (entry[1].span, entry[1].symbol, entry[1].reason))


def dry_run(source: str, file: str) -> DryRun:
    """Ports a file's text.

    Args:
      source: Python 3 code, which has been parsed once before.
      file: its name, for places.
    """
    unit = Unit(source, file, Trace())
    porter = Porter(unit)
    porter.port()
    output = Output(porter)
    text = output.text()
    for _ in range(8):  # printing finds residuals, too
        again = Output(porter)
        if again.failed == output.failed:
            break
        output, text = again, again.text()
    return DryRun(unit, text, frozenset(output.failed))
