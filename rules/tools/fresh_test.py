"""The test that a checked-in port is the one that the build makes."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from cli import outputs
from rules.tools import unit_files

_SHOWN_LINES = 60


def main(argv: Sequence[str]) -> int:
    """Runs the test; 0 where the files in the source tree are up to date."""
    unit = unit_files.read(argv[0])
    names = {"module": unit.module_name, "weights_map": unit.weights_map_name}
    stale = []
    for key, name in names.items():
        shown = unit.in_package(name)
        checked_in = unit.files.get(f"checked_in_{key}")
        if checked_in is None:
            stale.append(f"{shown} is missing.")
            continue
        built, there = unit.text(key), checked_in.read_text(encoding="utf-8")
        if key == "weights_map":
            try:
                built, there = outputs.unstamped(built), outputs.unstamped(there)
            except (ValueError, AttributeError):
                stale.append(f"{shown} is not a weights map.")
                continue
        if built != there:
            lines = outputs.diff(checked_in, built, shown).splitlines()
            more = [f"... {len(lines) - _SHOWN_LINES} more lines"] if len(lines) > _SHOWN_LINES else []
            stale.append("\n".join([f"{shown} is out of date:", *lines[:_SHOWN_LINES], *more]))
    if stale:
        print("\n".join(stale))
        print(f"\nTo write what is built now, run:\n\n    {unit.command}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
