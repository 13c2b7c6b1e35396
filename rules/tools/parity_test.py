"""The test of a unit: the port does what the recorded original does. Needs no TensorFlow."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from cli import errors, summary
from rules.tools import certify, elapsed, unit_files


def main(argv: Sequence[str]) -> int:
    """Runs the test; 0 where the unit is ported in full and every check passes."""
    unit = unit_files.read(argv[0])
    files = {name: str(path) for name, path in unit.files.items()}
    try:
        found = certify.certify(
            unit.unit, unit.level, files["module"], files["weights_map"], files["residuals"], files.get("trace"),
            files.get("oracle"),
        )  # fmt: skip
    except (errors.BadInputError, OSError, ValueError) as e:
        print(e)
        return errors.BAD_INPUT
    shown = unit.in_package(unit.module_name)
    for check in found["checks"]:
        print(summary.check_line(check))
    print(summary.text(unit.source, shown, found, unit.value("residuals"), {}, elapsed.since_start()))
    if "tensorflow" in sys.modules:
        print(f"{shown}: TensorFlow was imported, which a port does not need")
        return 1
    return summary.exit_code(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
