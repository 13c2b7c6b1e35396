"""What the report is about, read from the files that the steps before it wrote."""

from __future__ import annotations

import dataclasses
import json
import math
import pathlib
from typing import Any

LEVELS = ("none", "shapes", "forward", "gradients", "step", "trajectory")

#: What the lowest level stands for, for people.
LEVEL_NAMES = {"none": "imports"}

#: What each verdict means, for people.
VERDICTS = {
    "verified": "ported in full and verified",
    "failed": "a check failed",
    "residuals": "residuals left",
    "unverified": "ported in full, not verified",
}


@dataclasses.dataclass(frozen=True)
class Mark:
    """A residual or a note, at a place in the source."""

    kind: str
    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    symbol: str
    text: str
    function: str

    @property
    def place(self) -> str:
        """file:line:column with the column counted from 1, as editors do; the file alone where there is no line."""
        return self.file if not self.line else f"{self.file}:{self.line}:{self.column + 1}"


@dataclasses.dataclass(frozen=True)
class Check:
    """One comparison of the port with the original."""

    level: str
    name: str
    max_abs: float | None
    max_rel: float | None
    tolerance: float | None
    passed: bool
    detail: str

    @property
    def ratio(self) -> float | None:
        """The error as a share of what is allowed; None where either is not a number."""
        if self.max_abs is None or not self.tolerance or not math.isfinite(self.max_abs):
            return None
        return self.max_abs / self.tolerance


@dataclasses.dataclass(frozen=True)
class Unit:
    """One migrated unit: both sources, and what is known of them."""

    name: str
    source_name: str
    source: str
    module_name: str
    module: str
    certificate: dict[str, Any]
    weights: list[dict[str, Any]]
    residuals: list[Mark]
    notes: list[Mark]
    functions: dict[str, int]
    lines: dict[str, int]
    shapes: dict[int, list[int]]

    @property
    def checks(self) -> list[Check]:
        """The certificate's checks, in the order of the levels."""
        found = [
            Check(
                c["level"], c["name"], number(c.get("max_abs")), number(c.get("max_rel")), number(c.get("tolerance")),
                bool(c["passed"]), c.get("detail") or "",
            )
            for c in self.certificate.get("checks", [])
        ]  # fmt: skip
        return sorted(found, key=lambda c: LEVELS.index(c.level) if c.level in LEVELS else len(LEVELS))

    @property
    def verdict(self) -> str:
        return str(self.certificate.get("verdict", "unverified"))


def line_count(source: str) -> int:
    """How many lines `source` has, as Python and editors count them (not as `str.splitlines` does)."""
    return source.count("\n") + (not source.endswith("\n") and bool(source))


def number(value: Any) -> float | None:
    """A float of what JSON holds for one: a number, or the text `nan` or `inf`."""
    return None if value is None else float(value)


def read_json(path: str | None) -> dict[str, Any]:
    """The object in a JSON file; an empty one for no file."""
    if path is None:
        return {}
    value = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
    if not isinstance(value, dict):
        raise ValueError(f"{path}: a JSON object is expected")
    return value


def mark(kind: str, entry: dict[str, Any], default_file: str) -> Mark:
    """A `Mark` of an entry of residuals.json."""
    line = entry.get("line") or 0
    column = entry.get("column") or 0
    return Mark(
        kind, entry.get("file") or default_file, line, column, entry.get("end_line") or line,
        entry.get("end_column") or column, entry.get("symbol", ""), entry.get("reason") or entry.get("note") or "",
        entry.get("function") or "",
    )  # fmt: skip


def load(
    source: str, module: str, weights_map: str, residuals: str, certificate: str, trace: str | None = None
) -> Unit:
    """Reads everything that is known of one unit."""
    left = read_json(residuals)
    found = read_json(trace)
    written = {"keras": None, "optimizer": None, "oracle": None, "reached": None, **read_json(certificate)}
    source_path, module_path = pathlib.Path(source), pathlib.Path(module)
    source_name = found.get("source") or source_path.name
    # The certificate has the port's notes and those of the checks.
    notes = written.get("notes") or left.get("notes", [])
    order = lambda m: (m.file, m.line, m.column, m.text)  # noqa: E731
    return Unit(
        name=written.get("unit") or source_path.stem,
        source_name=source_name,
        source=source_path.read_text(encoding="utf-8"),
        module_name=module_path.name,
        module=module_path.read_text(encoding="utf-8"),
        certificate=written,
        weights=read_json(weights_map).get("weights", []),
        residuals=sorted((mark("residual", r, source_name) for r in left.get("residuals", [])), key=order),
        notes=sorted((mark("note", n, source_name) for n in notes), key=order),
        functions=left.get("functions", {}),
        lines=left.get("lines", {}),
        shapes={v["index"]: v["shape"] for o in found.get("objects", []) for v in o.get("variables", [])},
    )
