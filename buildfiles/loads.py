"""Adds the load of a rule to a BUILD file."""

from __future__ import annotations

import re

_LOAD = 'load("@rules_python//python:defs.bzl", "py_library")\n'


def with_py_library(text: str) -> str:
    """`text` with a load of py_library: after the last one that sorts before it, else above the first statement."""
    if re.search(r'^load\([^)]*"py_library"', text, re.MULTILINE):
        return text
    existing = re.search(r'^load\("@rules_python//python:defs\.bzl",((?: "\w+",?)+)\)\n', text, re.MULTILINE)
    if existing:
        names = sorted({*re.findall(r'"(\w+)"', existing[1]), "py_library"})
        line = f'load("@rules_python//python:defs.bzl", {", ".join(f"{chr(34)}{n}{chr(34)}" for n in names)})\n'
        return text[: existing.start()] + line + text[existing.end() :]
    loads = list(re.finditer(r"^load\([^)]*\)[^\n]*\n", text, re.MULTILINE))
    if loads:
        place = next((m.start() for m in loads if _order(m[0]) > _order(_LOAD)), loads[-1].end())
        return text[:place] + _LOAD + text[place:]
    head = re.match(r'(?:[ \t]*(?:#[^\n]*)?\n)*(?:"""(?:[^"\\]|\\.|"(?!""))*"""\n)?', text)
    place = head.end() if head else 0
    before, after = text[:place].rstrip("\n"), text[place:].lstrip("\n")
    return (f"{before}\n\n" if before else "") + _LOAD + (f"\n{after}" if after else "")


def _order(load: str) -> tuple[bool, str]:
    """Sorts loads as buildifier does: other repositories first."""
    label = re.sub(r"^load\(\s*", "", load)
    return not label.startswith('"@'), label
