"""What the definitions of a module read of it."""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterator, Mapping


def names_read(code: str) -> Mapping[str, set[str]]:
    """Names of the module that each class and function at module level reads, by the name of the definition."""
    tables = {table.get_name(): table for table in symtable.symtable(code, "<source>", "exec").get_children()}
    return {
        node.name: set(_reads(tables[node.name])) | set(_heads(node))
        for node in ast.parse(code).body
        if isinstance(node, ast.ClassDef | ast.FunctionDef)
    }


def _reads(table: symtable.SymbolTable) -> Iterator[str]:
    """Names of the module that a scope and those in it read."""
    yield from (s.get_name() for s in table.get_symbols() if s.is_referenced() and s.is_global())
    for inner in table.get_children():
        yield from _reads(inner)


def _heads(node: ast.ClassDef | ast.FunctionDef) -> Iterator[str]:
    """Names in what the module evaluates of a definition: bases, decorators, defaults."""
    parts: list[ast.AST] = list(node.decorator_list)
    if isinstance(node, ast.ClassDef):
        parts += [*node.bases, *node.keywords]
    else:
        parts += [d for d in (*node.args.defaults, *node.args.kw_defaults) if d is not None]
    yield from (name.id for part in parts for name in ast.walk(part) if isinstance(name, ast.Name))
