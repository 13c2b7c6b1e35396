"""Writes the report of one unit: report.html, report.json and report.sarif.

    python -m report.report --source mnist_cnn.py --module mnist_cnn_jax.py --weights_map weights_map.json \\
        --residuals residuals.json --certificate certificate.json --trace trace.json --out DIR
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import pathlib
from collections.abc import Sequence
from typing import Any

from report import align, page, sarif, unit


def _finite(value: Any) -> Any:
    """JSON has no NaN and no infinity: they become text."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    return value


def _text(value: Any) -> str:
    return json.dumps(_finite(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def summary(found: unit.Unit) -> dict[str, Any]:
    """Everything on the page but the sources, for other programs."""
    rows = align.align(align.chunks(found.source), align.chunks(found.module))
    return {
        "version": 1,
        "unit": found.name,
        "source": found.source_name,
        "module": found.module_name,
        "verdict": found.verdict,
        "functions": found.functions,
        "lines": found.lines,
        "residuals": [dataclasses.asdict(m) for m in found.residuals],
        "notes": [dataclasses.asdict(m) for m in found.notes],
        "certificate": found.certificate,
        "weights": found.weights,
        "alignment": [
            {
                "name": row.title,
                "source": [[c.start, c.end] for c in row.left],
                "module": [[c.start, c.end] for c in row.right],
            }
            for row in rows
        ],
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the step; returns the exit code."""
    parser = argparse.ArgumentParser(prog="report", description=__doc__.splitlines()[0], allow_abbrev=False)
    for name, text in (
        ("source", "the original"),
        ("module", "the port"),
        ("weights_map", "weights_map.json"),
        ("residuals", "residuals.json"),
        ("certificate", "certificate.json"),
        ("out", "the folder to write to"),
    ):
        parser.add_argument("--" + name, required=True, help=text)
    parser.add_argument("--trace", help="trace.json, for the shapes of weights")
    parser.add_argument("--source_uri", help="the original's path in the repository, for SARIF")
    args = parser.parse_args(argv)
    found = unit.load(args.source, args.module, args.weights_map, args.residuals, args.certificate, args.trace)
    out = pathlib.Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    (out / "report.html").write_text(page.render(found), encoding="utf-8", newline="\n")
    (out / "report.json").write_text(_text(summary(found)), encoding="utf-8", newline="\n")
    log = sarif.document(found, args.source_uri or found.source_name)
    (out / "report.sarif").write_text(_text(log), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
