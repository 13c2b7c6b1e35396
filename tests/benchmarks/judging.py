"""How well completeness tells ports with defects from sound ones: the deterministic part of the judge.

    ./bazelw run //tests/benchmarks:judging

With `--write` into agent/calibration.json, which the judge's report quotes. Sound ports: of the bundled units, and of the golden ports without residuals. Each defect is put into a copy of its own;
it is hit where something is found that is not found in the sound port.
"""

from __future__ import annotations

import collections
import dataclasses
import json
import pathlib
import sys
from collections.abc import Iterator
from typing import Any

from agent.completeness import audit
from cli.paths import workspace_directory
from tests.agent.defects import defects

#: What the two texts alone can tell, in part; the rest is for checks that run, and for a model.
DEFINITIONS = ("class dropped", "function dropped", "argument dropped")
VALUES = ("default changed", "keyword dropped", "number changed", "string changed")


@dataclasses.dataclass
class Calibration:
    """What was measured.

    Attributes:
      looked_at: things of the originals, in sound ports.
      alarms: those that were missed in sound ports.
      ports, alarmed: sound ports, and those with an alarm.
      made, hit: defects by kind.
    """

    looked_at: int = 0
    alarms: int = 0
    ports: int = 0
    alarmed: int = 0
    made: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    hit: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)

    def rate(self, *kinds: str) -> float:
        """The share of defects of these kinds that is hit."""
        return sum(self.hit[kind] for kind in kinds) / max(1, sum(self.made[kind] for kind in kinds))


def sound(root: pathlib.Path) -> Iterator[tuple[str, str]]:
    """Originals with their ports."""
    pairs = [(path, path.with_name(f"{path.stem}_jax.py")) for path in sorted((root / "migrate").glob("*.py"))]
    pairs += [(path, path.with_name("out.py")) for path in sorted((root / "tests/passes").glob("*/in.py"))]
    for original, port in pairs:
        text = port.read_text(encoding="utf-8") if port.exists() else ""
        if text and "# residual" not in text and "# jaxport:" not in text:
            yield original.read_text(encoding="utf-8"), text


def calibrate(pairs: Iterator[tuple[str, str]]) -> Calibration:
    """Measures all of it."""
    result = Calibration()
    for original, port in pairs:
        clean = audit(original, port)
        result.ports += 1
        result.looked_at += sum(clean.looked_at.values())
        result.alarms += len(clean.findings)
        result.alarmed += bool(clean.findings)
        for defect in defects(port):
            result.made[defect.kind] += 1
            result.hit[defect.kind] += bool(set(audit(original, defect.text).findings) - set(clean.findings))
    return result


def summary(found: Calibration) -> dict[str, Any]:
    """The figures that the judge's report quotes."""
    return {
        "defects": sum(found.made.values()),
        "definitions": round(found.rate(*DEFINITIONS), 2),
        "values": round(found.rate(*VALUES), 2),
        "others": round(found.rate(*(found.made.keys() - {*DEFINITIONS, *VALUES})), 2),
        "ports": found.ports,
        "looked_at": found.looked_at,
        "false_alarms": round(found.alarms / found.looked_at, 4),
    }


def main() -> None:
    found = calibrate(sound(pathlib.Path(__file__).absolute().parents[2]))
    print(f"sound ports    {found.ports}, {found.alarmed} with an alarm")
    print(f"false alarms   {found.alarms} of {found.looked_at} things looked at ({found.alarms / found.looked_at:.1%})")
    for kind, made in sorted(found.made.items()):
        print(f"{kind:<18} {found.hit[kind]} of {made} hit ({found.rate(kind):.0%})")
    if "--write" in sys.argv:
        text = json.dumps(summary(found), indent=1, sort_keys=True) + "\n"
        (workspace_directory() / "agent" / "calibration.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
