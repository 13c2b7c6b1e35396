"""The statements that residuals stand in: what an answer may rewrite."""

from __future__ import annotations

import ast
import bisect
import dataclasses
import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from codemods.engine.edits import Lines


@dataclasses.dataclass(frozen=True, order=True)
class Region:
    """One statement.

    Attributes:
      start, end: offsets in the file's text.
      definition: offsets of the definition at module level that it stands in, or its own.
      function: the residuals' definition.
    """

    start: int
    end: int
    definition: tuple[int, int]
    function: str


class Source:
    """A file's text, and its statements by their offsets."""

    def __init__(self, text: str):
        self.text = text
        self.lines = Lines(text)
        self.tree = ast.parse(text)
        self._raw = [text[a:b] for a, b in zip(self.lines.starts, [*self.lines.starts[1:], len(text)], strict=True)]
        self._outer = [(self.bounds(node), node) for node in self.tree.body]

    def offset(self, line: int, byte_column: int) -> int:
        """The offset of a place of the syntax tree, whose columns count bytes of UTF-8."""
        raw = self._raw[line - 1]
        column = byte_column if raw.isascii() else len(raw.encode()[:byte_column].decode(errors="ignore"))
        return self.lines.starts[line - 1] + column

    def bounds(self, node: Any) -> tuple[int, int]:
        """Where a node begins and ends; a definition begins with its decorators."""
        first = min([node, *getattr(node, "decorator_list", [])], key=lambda n: (n.lineno, n.col_offset))
        start = self.offset(first.lineno, first.col_offset)
        if first is not node:
            start = self.text.rindex("@", 0, start)
        return start, self.offset(node.end_lineno, node.end_col_offset)

    def statement(self, start: int, end: int) -> list[ast.stmt]:
        """The statements around a piece of text, outermost first."""
        at = bisect.bisect_right(self._outer, start, key=lambda entry: entry[0][0]) - 1
        if at < 0 or not self._holds(self._outer[at][1], start, end):
            return []
        found = [self._outer[at][1]]
        while True:
            inside = _statements(ast.iter_child_nodes(found[-1]))
            inner = next((n for n in inside if self._holds(n, start, end)), None)
            if inner is None:
                return found
            found.append(inner)

    def _holds(self, node: ast.stmt, start: int, end: int) -> bool:
        first, last = self.bounds(node)
        return first <= start and end <= last

    def region(self, residual: Mapping[str, Any]) -> Region | None:
        """The statement of a residual; None where its place is not known."""
        if not residual["line"]:
            return None
        start = self.lines.offset(residual["line"], residual["column"])
        end = self.lines.offset(residual["end_line"] or residual["line"], residual["end_column"])
        around = self.statement(start, max(start, end))
        if not around:
            return None
        return Region(*self.bounds(around[-1]), self.bounds(around[0]), residual["function"])


@functools.lru_cache(64)
def source_of(text: str) -> Source:
    """A text, parsed; kept, since many answers are for one file."""
    return Source(text)


def _statements(nodes: Iterable[ast.AST]) -> Iterator[ast.stmt]:
    """Statements among nodes, and those below nodes that are none: handlers, cases."""
    for node in nodes:
        if isinstance(node, ast.stmt):
            yield node
        elif isinstance(node, ast.ExceptHandler | ast.match_case):
            yield from _statements(ast.iter_child_nodes(node))


def grouped(source: Source, residuals: Iterable[Mapping[str, Any]]) -> dict[Region, list[Mapping[str, Any]]]:
    """Residuals by the statements to rewrite, none of which lies in another."""
    placed = [(region, entry) for entry in residuals if (region := source.region(entry)) is not None]
    outer: list[Region] = []
    for region in sorted({region for region, _ in placed}, key=lambda r: (r.start, -r.end)):
        if not outer or region.start >= outer[-1].end:
            outer.append(region)
    found: dict[Region, list[Mapping[str, Any]]] = {}
    for region, entry in placed:
        holder = outer[bisect.bisect_right(outer, region.start, key=lambda o: o.start) - 1]
        found.setdefault(holder, []).append(entry)
    return dict(sorted(found.items()))
