"""How often public code uses each symbol."""

from __future__ import annotations

import pathlib


def table() -> list[tuple[str, int]]:
    """(canonical symbol, uses), most used first."""
    lines = (pathlib.Path(__file__).parent / "symbols.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")][1:]
    return [(symbol, int(uses)) for symbol, uses in rows]
