"""Imports and helpers of a ported file."""

from __future__ import annotations

import inspect
from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine import rule as rules
from codemods.engine.walk import names_in as _all_names
from codemods.engine.walk import root_name
from codemods.passes.values import text

#: Metadata of a weight that tells its penalty.
_PENALTY = m.DictElement(m.SimpleString('"penalty"')) | m.Arg(keyword=m.Name("penalty"))


class Header:
    """What stands above the definitions."""

    def _import_lines(self, body: list[Any], kept: list[Any]) -> list[str]:
        reads = set().union(*[_all_names(s) for s in body if not is_import(s)], set())
        helpers = self._helper_source()
        reads |= _all_names(cst.parse_module(helpers)) if helpers else set()
        reads |= set().union(*[_all_names(table) for table in self._tables], set())
        reads |= {name for line in self._partial_lines() for name in _all_names(cst.parse_module(line))}
        bound = {name for s in kept for name in bound_names(s)}
        return sorted({line for name, line in rules.IMPORTS.items() if name in reads and name not in bound})

    def _drop_unused_imports(self, body: list[Any], original: list[Any]) -> tuple[set[str], list[Any]]:
        """Imports that only TensorFlow code used go; those never used were the author's choice and stay."""
        before = set().union(*[_all_names(s) for s in original if not is_import(s)], set())
        after = set().union(*[_all_names(s) for s in body if not is_import(s)], set())
        result = []
        for statement in body:
            if is_import(statement):
                names = bound_names(statement)
                if names and names <= before and not names & after:
                    continue
            result.append(statement)
        return after, result

    def _helpers_read(self, body: list[Any]) -> list[str]:
        """Helpers that statements read, and those that helpers read."""
        helpers = self.unit.helpers
        found = set().union(*[_all_names(s) for s in body if not is_import(s)], set()) & helpers.keys()
        if "penalties" in helpers and any(m.findall(s, _PENALTY) for s in body):
            found.add("penalties")  # for a loss of the user's own
        todo = list(found)
        while todo:
            inner = _all_names(cst.parse_module(inspect.getsource(helpers[todo.pop()]))) & helpers.keys() - found
            found |= inner
            todo += inner
        return sorted(found)

    def _helper_source(self) -> str:
        helpers, used = self.unit.helpers, self._wanted
        return "\n\n\n".join(inspect.getsource(helpers[name]).rstrip().replace("  # fmt: skip", "") for name in used)

    def _helpers(self) -> list[Any]:
        source = self._helper_source()
        if not source:
            return []
        statements = list(cst.parse_module(source + "\n").body)
        return [s.with_changes(leading_lines=[cst.EmptyLine(indent=False)] * 2) for s in statements]  # type: ignore


def is_import(statement: Any) -> bool:
    return isinstance(statement, cst.SimpleStatementLine) and all(
        isinstance(s, cst.Import | cst.ImportFrom) for s in statement.body
    )


def bound_names(statement: Any) -> set[str]:
    names: set[str] = set()
    for small in statement.body:
        if isinstance(small.names, cst.ImportStar):
            continue
        for alias in small.names:
            if alias.asname is not None:
                names.add(alias.asname.name.value)
            else:
                node = alias.name
                while isinstance(node, cst.Attribute):
                    node = node.value
                names.add(node.value)
    return names


def after_docstring(body: list[Any]) -> int:
    first = body[0] if body else None
    is_doc = (
        isinstance(first, cst.SimpleStatementLine) and isinstance(first.body[0], cst.Expr)
        and isinstance(first.body[0].value, cst.SimpleString | cst.ConcatenatedString)
    )  # fmt: skip
    return 1 if is_doc else 0


#: Order of import lines, as a formatter would sort them.
_STANDARD = ("functools", "math", "operator")


def sorted_imports(statements: list[Any]) -> list[Any]:
    """`__future__`, the standard library, then the rest, each sorted, a blank line between."""
    import sys

    def root(statement: Any) -> str:
        small = statement.body[0]
        node = small.module if isinstance(small, cst.ImportFrom) else small.names[0].name
        return root_name(node) or "."

    def key(statement: Any) -> tuple[Any, ...]:
        small = statement.body[0]
        relative = isinstance(small, cst.ImportFrom) and bool(small.relative)
        name = "" if relative else root(statement)
        group = 0 if name == "__future__" else 1 if name in sys.stdlib_module_names else 3 if relative else 2
        module = text(small.module) if isinstance(small, cst.ImportFrom) and small.module is not None else (
            text(small.names[0].name) if isinstance(small, cst.Import) else "")  # fmt: skip
        return group, isinstance(small, cst.ImportFrom), module.lower()

    ordered = sorted(statements, key=key)
    result: list[Any] = []
    for i, statement in enumerate(ordered):
        comments = [line for line in statement.leading_lines if line.comment is not None]
        blank = i == 0 or key(statement)[0] != key(ordered[i - 1])[0]
        result.append(statement.with_changes(leading_lines=([cst.EmptyLine(indent=False)] if blank else []) + comments))
    return result
