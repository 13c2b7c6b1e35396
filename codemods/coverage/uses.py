"""Where a file uses symbols of the framework: one use is one maximal chain of names, annotations left out."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import libcst as cst

from codemods.engine.api import is_module
from codemods.engine.walk import children
from codemods.passes.unit import Unit

MODULE = "<module>"


@dataclasses.dataclass(frozen=True, order=True)
class Use:
    """One use.

    Attributes:
      line, column: where; lines count from 1, columns from 0.
      symbol: canonical.
      owner: the class or function at module level that holds it, or `<module>`.
    """

    line: int
    column: int
    symbol: str
    owner: str


def uses_of(unit: Unit) -> list[Use]:
    """All uses in a file, in its order. Modules of the framework and ambiguous names are no uses."""
    found = []
    for statement in unit.module.body:
        owner = statement.name.value if isinstance(statement, cst.ClassDef | cst.FunctionDef) else MODULE
        for node in _chains(statement):
            symbol = unit.symbol(node)
            if symbol is not None and not is_module(symbol):
                span = unit.span(node)
                found.append(Use(span.line, span.column, symbol, owner))
    return sorted(found)


def _chains(node: cst.CSTNode) -> Iterator[cst.BaseExpression]:
    """Names and attribute chains, of a chain the whole alone; those that are bound, not read, left out."""
    todo: list[cst.CSTNode] = [node]
    while todo:
        part = todo.pop()
        if isinstance(part, cst.Import | cst.ImportFrom | cst.Annotation):
            continue
        if isinstance(part, cst.Name):
            yield part
        elif isinstance(part, cst.Attribute):
            yield part
            inner: cst.BaseExpression = part.value
            while isinstance(inner, cst.Attribute):
                inner = inner.value
            if not isinstance(inner, cst.Name):
                todo.append(inner)
        elif isinstance(part, cst.Arg):
            todo.append(part.value)
        elif isinstance(part, cst.AssignTarget) and isinstance(part.target, cst.Name):
            continue
        else:
            skipped = {id(part.name)} if isinstance(part, cst.FunctionDef | cst.ClassDef | cst.Param) else set()
            todo += [child for child in reversed(children(part)) if id(child) not in skipped]
