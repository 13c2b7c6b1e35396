"""Adds a port's py_library to a BUILD file and changes nothing else in it."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

_LOAD = 'load("@rules_python//python:defs.bzl", "py_library")\n'


def python_deps(module: str, labels: Sequence[str]) -> list[str]:
    """Those of `labels` whose distribution the module imports; the last part of a label names it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(module)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    wanted = {name.split(".")[0] for name in names}
    wanted |= {"_".join(name.split(".")[:2]) for name in names}  # orbax.checkpoint: orbax_checkpoint
    return [label for label in labels if re.split(r"[:/]", label)[-1].replace("-", "_") in wanted]


def target(name: str, deps: Sequence[str]) -> str:
    """The py_library as buildifier would lay it out."""
    lines = ["py_library(", f'    name = "{name}",', f'    srcs = ["{name}.py"],']
    if len(deps) == 1:
        lines.append(f'    deps = ["{deps[0]}"],')
    elif deps:
        lines += ["    deps = [", *(f'        "{dep}",' for dep in sorted(set(deps), key=_label_order)), "    ],"]
    return "\n".join([*lines, ")\n"])


def _label_order(label: str) -> tuple[int, str]:
    """As buildifier sorts labels: of this package, of this repository, of others."""
    kinds = (":", "//", "@")
    return next((i for i, kind in enumerate(kinds) if label.startswith(kind)), 0), label


def with_target(text: str, name: str, deps: Sequence[str]) -> str:
    """`text` with the target in it. One that was written here before is updated; one of another shape is kept."""
    wanted = target(name, deps)
    own = re.compile(
        rf'^py_library\(\n    name = "{re.escape(name)}",\n    srcs = \["{re.escape(name)}\.py"\],\n'
        r'(?:    deps = \["[^"]*"\],\n|    deps = \[\n(?:        "[^"]*",\n)*    \],\n)?\)\n',
        re.MULTILINE,
    )
    if own.search(text):
        return own.sub(lambda _: wanted, text, count=1)
    if re.search(rf'^\s*name\s*=\s*"{re.escape(name)}"', text, re.MULTILINE):
        return text
    if text and not text.endswith("\n"):
        text += "\n"
    if not re.search(r'^load\([^)]*"py_library"', text, re.MULTILINE):
        text = _with_load(text)
    return f"{text}\n{wanted}" if text else wanted


def _with_load(text: str) -> str:
    """`text` with the load: after the last one, else before the first statement that is no comment or docstring."""
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
