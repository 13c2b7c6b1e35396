"""How well files that others wrote are ported: one line for each unit, and `scoreboard.json` with `--update`.

Run with `./bazelw run //tests/benchmarks:scoreboard`. Files are ported from where they are installed, without a run of
the original; `--verify` also captures each unit that ports in full and checks it, which takes minutes for each.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from typing import Any

from absl import app, flags

from codemods.port import Port
from tests.benchmarks.scoreboard_units import UNITS, Unit

_UPDATE = flags.DEFINE_bool("update", False, "Write scoreboard.json.")
_VERIFY = flags.DEFINE_string("verify", None, "Level to verify units at that are ported in full.")
_UNIT = flags.DEFINE_multi_string("unit", [], "Only these units, by the end of their names.")

BOARD = pathlib.Path(__file__).with_name("scoreboard.json")


def ported(unit: Unit) -> dict[str, Any]:
    """One unit's line: functions ported, residuals, lines out for each line in. No times: the file is checked in."""
    result = Port(unit.file().read_text(encoding="utf-8"), pathlib.Path(unit.path).name, unit.trace()).residuals()
    lines, functions = result["lines"], result["functions"]
    return {
        "functions": functions["total"],
        "ported": functions["ported"],
        "residuals": len(result["residuals"]),
        "ratio": round(lines["out"] / lines["in"], 2),
        "level": None,
        "error": None,
    }


def verified(unit: Unit, level: str) -> dict[str, Any]:
    """The level that a unit reaches against the original, and its largest relative error."""
    with tempfile.TemporaryDirectory() as out:
        command = [
            sys.executable, "-m", "cli.main", "port", str(unit.file()), "--out", out, "--entry", unit.entry,
            "--input", unit.input, "--verify", level,
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        certificate = pathlib.Path(out) / "certificate.json"
        if not certificate.exists():
            lines = (done.stderr or done.stdout).strip().splitlines()
            return {"level": None, "error": None, "failure": lines[-1] if lines else f"exit code {done.returncode}"}
        found = json.loads(certificate.read_text(encoding="utf-8"))
    return {"level": found["reached"], "error": max((c.get("max_rel") or 0.0 for c in found["checks"]), default=None)}


def main(argv: list[str]) -> None:
    del argv
    board = json.loads(BOARD.read_text(encoding="utf-8")) if BOARD.exists() else {}
    chosen = [u for u in UNITS if not _UNIT.value or any(u.name.endswith(name) for name in _UNIT.value)]
    for unit in chosen:
        start = time.perf_counter()
        row = ported(unit)
        seconds = time.perf_counter() - start
        before = board.get(unit.name, {})
        if _VERIFY.value and not row["residuals"]:
            row |= verified(unit, _VERIFY.value)
        else:
            row |= {key: before[key] for key in ("level", "error") if key in before}
        failure = row.pop("failure", "")
        board[unit.name] = row
        print(
            f"{unit.name:40} {row['ported']:3}/{row['functions']:<3} residuals {row['residuals']:3} "
            f"lines {row['ratio']:.2f} level {row['level'] or '-':9} error {row['error']} {seconds:.1f} s {failure}",
            flush=True,
        )
    if _UPDATE.value:
        folder = os.environ.get("BUILD_WORKSPACE_DIRECTORY")
        target = pathlib.Path(folder) / "tests/benchmarks/scoreboard.json" if folder else BOARD
        target.write_text(json.dumps(board, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    app.run(main)
