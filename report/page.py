"""The report as one HTML page that needs nothing else: no script, no network."""

from __future__ import annotations

import math
import pathlib
from collections.abc import Sequence
from typing import Any

import jinja2
import markupsafe

from report import align, highlight, unit

_FOLDER = pathlib.Path(__file__).parent


def figure(value: float | None) -> str:
    """An error or tolerance with two digits; exact zero as 0."""
    if value is None:
        return "–"
    return "0" if value == 0 else f"{value:.1e}" if math.isfinite(value) else str(value)


def share(ratio: float | None) -> str:
    """An error as a share of its tolerance."""
    if ratio is None:
        return "–"
    return f"{ratio:.0%}" if ratio < 10 else f"{ratio:.0f}×"


def _lines(
    side: Sequence[align.Chunk], code: Sequence[markupsafe.Markup], marks: dict[int, list[unit.Mark]]
) -> list[dict[str, Any]]:
    """The lines of one side of a row, without blank lines at either end."""
    numbers = [n for chunk in side for n in range(chunk.start, chunk.end + 1)]
    while numbers and not code[numbers[0] - 1].strip():
        numbers.pop(0)
    while numbers and not code[numbers[-1] - 1].strip():
        numbers.pop()
    shown = []
    last = None
    for n in numbers:
        here = marks.get(n, [])
        shown.append(
            {
                "number": n,
                "code": code[n - 1],
                "gap": last is not None and n != last + 1,
                "kind": here[0].kind if here else "",
                "marks": [m for m in here if m.line == n],
            }
        )
        last = n
    return shown


def _rows(found: unit.Unit) -> list[dict[str, Any]]:
    """The two sources side by side."""
    marks: dict[int, list[unit.Mark]] = {}
    for m in (*found.residuals, *found.notes):
        if m.file == found.source_name:
            for n in range(m.line, (m.end_line if m.kind == "residual" else m.line) + 1):
                marks.setdefault(n, []).append(m)
    left, right = highlight.lines(found.source), highlight.lines(found.module)
    rows = []
    for row in align.align(align.chunks(found.source), align.chunks(found.module)):
        sides = {"left": _lines(row.left, left, marks), "right": _lines(row.right, right, {})}
        if sides["left"] or sides["right"]:
            kinds = {c.kind for c in (*row.left, *row.right)}
            rows.append({"title": row.title, "code": kinds == {"code"}, **sides})
    return rows


def _levels(checks: Sequence[unit.Check]) -> list[dict[str, Any]]:
    """The checks by level, each with its worst one."""
    levels = []
    for level in dict.fromkeys(c.level for c in checks):
        members = [c for c in checks if c.level == level]
        failed = [c for c in members if not c.passed]
        measured = [c for c in failed or members if c.max_abs is not None]
        worst = max(measured or failed or members, key=lambda c: c.ratio if c.ratio is not None else -1.0)
        name = unit.LEVEL_NAMES.get(level, level)
        levels.append({"name": name, "checks": members, "failed": len(failed), "worst": worst})
    return levels


def _weights(found: unit.Unit) -> list[dict[str, Any]]:
    return [
        {
            "path": w.get("path", ""),
            "shape": found.shapes.get(w.get("source", -1)),
            "target": w.get("target", ""),
            "steps": [" ".join(str(part) for part in step) for step in w.get("steps", [])],
        }
        for w in found.weights
    ]


def render(found: unit.Unit) -> str:
    """The page's HTML; the same unit gives the same bytes."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(figure=figure, share=share)
    style = "\n".join(
        [
            (_FOLDER / "page.css").read_text(encoding="utf-8"),
            highlight.style("default", "code"),
            "@media (prefers-color-scheme: dark) {",
            highlight.style("github-dark", "code"),
            "}",
        ]
    )
    return environment.get_template("page.html.jinja").render(
        unit=found,
        certificate=found.certificate,
        verdict=unit.VERDICTS.get(found.verdict, found.verdict),
        levels=_levels(found.checks),
        rows=_rows(found),
        weights=_weights(found),
        style=markupsafe.Markup(style),
    )
