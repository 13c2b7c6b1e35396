"""Puts the functions of the original beside those of the port."""

from __future__ import annotations

import ast
import dataclasses
import re
from collections.abc import Iterator, Sequence

from report import unit

#: Method names that the port changes.
_RENAMED = {"call": "__call__"}

_MAKES = re.compile(r"^(build|make|create|get)_")


@dataclasses.dataclass(frozen=True)
class Chunk:
    """Consecutive lines that are read as one: a function, a class's head, or code between them.

    Attributes:
      name: qualified name, or a name for code outside functions.
      kind: `function`, `class` or `code`.
      start, end: first and last line, from 1, both included.
      defines: names that code outside functions binds.
    """

    name: str
    kind: str
    start: int
    end: int
    defines: frozenset[str] = frozenset()


@dataclasses.dataclass(frozen=True)
class Row:
    """What is shown side by side; one side may be empty."""

    left: Sequence[Chunk]
    right: Sequence[Chunk]

    @property
    def title(self) -> str:
        names = [side[0].name for side in (self.left, self.right) if side]
        return " → ".join(dict.fromkeys(names))


def _statement_kind(node: ast.stmt) -> str:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return "imports"
    if isinstance(node, ast.If) and "__main__" in ast.unparse(node.test):
        return "main"
    return "code"


def _pieces(body: Sequence[ast.stmt], prefix: str) -> Iterator[tuple[str, str, int]]:
    """(name, kind, last line) of everything in a body, in order."""
    group = ""
    for index, node in enumerate(body):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            group = ""
            yield prefix + node.name, "function", node.end_lineno or node.lineno
        elif isinstance(node, ast.ClassDef):
            group = ""
            yield from _class_pieces(node, prefix)
        else:
            docstring = index == 0 and isinstance(node, ast.Expr) and not prefix
            kind = "imports" if docstring else _statement_kind(node)
            if kind == "code" and group.startswith("code"):
                kind = group
            elif kind == "code":
                kind = "code " + ast.unparse(getattr(node, "targets", [node])[0]).split("\n")[0][:40]
            group = kind
            yield prefix + kind, "code", node.end_lineno or node.lineno


def _class_pieces(node: ast.ClassDef, prefix: str) -> Iterator[tuple[str, str, int]]:
    name = prefix + node.name
    head = node.lineno
    for part in node.body:
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            break
        head = part.end_lineno or part.lineno
    if head == node.lineno and node.body:
        first = node.body[0]
        head = min([first.lineno, *(d.lineno for d in getattr(first, "decorator_list", []))]) - 1
    yield name, "class", max(head, node.lineno)
    for part_name, kind, end in _pieces(node.body, name + "."):
        if kind != "code":
            yield part_name, kind, end
    yield name, "rest of class", node.end_lineno or node.lineno


def _with_names(chunk: Chunk, body: Sequence[ast.stmt]) -> Chunk:
    """A chunk of code with what its assignments bind."""
    if chunk.kind != "code":
        return chunk
    names = {
        target.id
        for node in body
        if isinstance(node, ast.Assign | ast.AnnAssign) and chunk.start <= node.lineno <= chunk.end
        for part in (node.targets if isinstance(node, ast.Assign) else [node.target])
        for target in ast.walk(part)
        if isinstance(target, ast.Name)
    }
    return dataclasses.replace(chunk, defines=frozenset(names))


def chunks(source: str) -> list[Chunk]:
    """Cuts a file in chunks that together hold every line once. Comments go with what follows."""
    total = unit.line_count(source)
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return [Chunk("file", "code", 1, total)] if total else []
    found: list[Chunk] = []
    last = 0
    for name, kind, end in _pieces(body, ""):
        if end <= last:
            continue
        if found and kind in ("rest of class", "code") and (found[-1].name == name or kind == "rest of class"):
            found[-1] = dataclasses.replace(found[-1], end=end)
        else:
            found.append(Chunk(name, kind, last + 1, end))
        last = end
    if last < total:
        if found:
            found[-1] = dataclasses.replace(found[-1], end=total)
        else:
            found.append(Chunk("file", "code", 1, total))
    return [_with_names(chunk, body) for chunk in found]


def _keys(chunk: Chunk) -> Iterator[str]:
    """Names under which a chunk of the original may be found in the port, most exact first."""
    yield chunk.name
    scope, _, last = chunk.name.rpartition(".")
    if last in _RENAMED:
        yield f"{scope}.{_RENAMED[last]}"
    if chunk.kind == "function" and not scope:
        for name in (last, _MAKES.sub("", last), re.sub(r"_model$", "", _MAKES.sub("", last))):
            yield "class:" + name.replace("_", "").lower()
    if chunk.kind == "function":
        yield "last:" + _RENAMED.get(last, last)


def align(left: Sequence[Chunk], right: Sequence[Chunk]) -> list[Row]:
    """Rows in the order of the original. What only the port has stands after what it follows there."""
    classes: dict[str, list[Chunk]] = {}
    index: dict[str, list[Chunk]] = {}
    for chunk in right:
        index.setdefault(chunk.name, []).append(chunk)
        top = chunk.name.split(".")[0]
        if chunk.kind == "class" or top in classes:
            classes.setdefault(top, []).append(chunk)
    taken: dict[Chunk, Chunk] = {}
    matches: dict[Chunk, list[Chunk]] = {}
    own_names = {c.name for c in left}

    def take(chunk: Chunk, group: Sequence[Chunk]) -> None:
        free = [c for c in group if c not in taken]
        if free and chunk not in matches:
            matches[chunk] = free
            taken.update((c, chunk) for c in free)

    for chunk in left:  # Exact names first, so that no guess takes what belongs to another.
        for key in _keys(chunk):
            if not key.startswith(("class:", "last:")):
                take(chunk, index.get(key, []))
    for chunk in left:  # The port may bind more in the same place.
        if chunk.defines:
            take(chunk, [c for c in right if c.defines & chunk.defines])
    for chunk in left:
        for key in _keys(chunk):
            if key.startswith("class:"):
                for name, members in classes.items():
                    if name.lower() == key.removeprefix("class:") and name not in own_names:
                        take(chunk, members)
            elif key.startswith("last:"):
                wanted = key.removeprefix("last:")
                alike = [c for c in right if c.name.rpartition(".")[2] == wanted and c.kind == "function"]
                if len(alike) == 1:
                    take(chunk, alike)

    rows = [Row([chunk], matches.get(chunk, [])) for chunk in left]
    position = {chunk: number for number, chunk in enumerate(left)}
    extra: dict[int, list[Row]] = {}
    after = -1
    for chunk in right:
        if chunk in taken:
            after = position[taken[chunk]]
        else:
            extra.setdefault(after, []).append(Row([], [chunk]))
    result = list(extra.get(-1, []))
    for number, row in enumerate(rows):
        result.append(row)
        result.extend(extra.get(number, []))
    return result
