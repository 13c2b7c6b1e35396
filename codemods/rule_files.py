"""Users' own rules: files of the form of `codemods/mappings`, which are added to ours for one run."""

from __future__ import annotations

import dataclasses
import importlib.util
import pathlib
import sys
import traceback
from collections.abc import Iterable, Sequence
from typing import Any

from codemods import mappings
from codemods.engine import rule as rules
from codemods.engine.rule import Rule

assert mappings  # registers ours, so that a second rule for a symbol is told

_CERTIFIED = {"call": rules.RULES, "method": rules.METHODS, "attribute": rules.ATTRIBUTES}
_HELPERS: Sequence[dict[str, Any]] = (rules.INLINED, rules.COMPUTED)
_OTHERS: Sequence[tuple[str, dict[str, Any]]] = (
    ("a rule of a class", rules.OBJECTS),
    ("a constant", rules.CONSTANTS),
    ("a macro", rules.MACROS),
)


class RuleFileError(Exception):
    """A rule file can't be used; the text is a sentence with file and line."""

    def __init__(self, reason: str, file: str, line: int = 1) -> None:
        super().__init__(f"{file}:{line}: {reason}")


@dataclasses.dataclass(frozen=True)
class Added:
    """One rule of a user's, under one of its names."""

    file: str
    symbol: str
    rule: Rule


def add(paths: Iterable[str]) -> list[Added]:
    """Adds the rules in some files to ours.

    Args:
      paths: Python files. Each may hold functions decorated with `rule`, `method`, `attribute`, `inline` and `computed`.

    Raises:
      RuleFileError: a file can't be imported, holds no rule, one that there is already, or one that can't be certified.
        None of its rules was added.
    """
    return [added for path in paths for added in _add(path)]


def remove(added: Iterable[Added]) -> None:
    """Takes rules out again."""
    for entry in added:
        _CERTIFIED[entry.rule.kind].pop(entry.symbol, None)


def _add(path: str) -> list[Added]:
    tables: list[dict[str, Any]] = [*_CERTIFIED.values(), *_HELPERS, *(table for _, table in _OTHERS)]
    before = [dict(table) for table in tables]
    try:
        _import(path)
        for what, table in _OTHERS:
            if new := [name for name in table if name not in before[tables.index(table)]]:
                raise RuleFileError(
                    f"holds {what}, {new[0]}; rules of functions, methods and attributes can be certified, others not yet",
                    path,
                )
        found = [
            Added(path, symbol, entry)
            for table, old in zip(_CERTIFIED.values(), before, strict=False)
            for symbol, entry in table.items()
            if symbol not in old
        ]
        if not found:
            raise RuleFileError("holds no rule: no function decorated with `rule`, `method` or `attribute`", path)
    except RuleFileError:
        for table, old in zip(tables, before, strict=True):
            for name in [name for name in table if name not in old]:
                del table[name]
        raise
    return found


def _import(path: str) -> None:
    name = f"_rules_{pathlib.Path(path).stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where `inspect` finds the source of what is in it
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # of whatever kind a user's file raises
        lines = [entry.lineno for entry in traceback.extract_tb(error.__traceback__) if entry.filename == path]
        line = (lines or [getattr(error, "lineno", None)])[-1] or 1
        raise RuleFileError(f"raised when imported: {type(error).__name__}: {error}", path, line) from error
