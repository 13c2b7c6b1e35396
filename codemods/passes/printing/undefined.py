"""Names that code reads and nothing binds: such code fails only when it runs, so the porter looks for them."""

from __future__ import annotations

import ast
import builtins
import symtable
from collections.abc import Iterator

#: Bound in every module by the import system.
_IMPLICIT = frozenset(
    {"__name__", "__file__", "__doc__", "__spec__", "__package__", "__loader__", "__path__", "__builtins__",
     "__module__", "__qualname__", "__class__"}
)  # fmt: skip
#: Names that the compiler gives to scopes without one.
_ANONYMOUS = frozenset({"lambda", "listcomp", "setcomp", "dictcomp", "genexpr"})
MODULE = "<module>"


def undefined_names(source: str) -> dict[str, set[str]]:
    """Names without a binding, by the definition at module level (or `<module>`) that reads them.

    A star import may bind anything, so a module that has one is taken to have no such names.

    Raises:
      SyntaxError: the source can't be compiled.
    """
    top = symtable.symtable(source, "<port>", "exec")
    if _has_star_import(source):
        return {}
    bound = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported() or s.is_namespace()}
    for table in _descendants(top):
        bound |= {s.get_name() for s in table.get_symbols() if s.is_declared_global() and s.is_assigned()}
    known = bound | set(dir(builtins)) | _IMPLICIT
    found: dict[str, set[str]] = {}
    for symbol in top.get_symbols():
        if symbol.is_referenced() and symbol.get_name() not in known:
            found.setdefault(MODULE, set()).add(symbol.get_name())
    for child in top.get_children():
        for table in [child, *_descendants(child)]:
            missing = {
                s.get_name() for s in table.get_symbols()
                if s.is_referenced() and s.is_global() and s.get_name() not in known
            }  # fmt: skip
            owner = MODULE if child.get_name() in _ANONYMOUS else child.get_name()
            if missing:
                found.setdefault(owner, set()).update(missing)
    return found


def defined_names(source: str) -> set[str]:
    """Names that a module binds itself, its imports aside."""
    top = symtable.symtable(source, "<port>", "exec")
    return {s.get_name() for s in top.get_symbols() if (s.is_assigned() or s.is_namespace()) and not s.is_imported()}


def _descendants(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for child in table.get_children():
        yield child
        yield from _descendants(child)


def _has_star_import(source: str) -> bool:
    if "*" not in source:
        return False
    return any(
        isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names)
        for node in ast.walk(ast.parse(source))
    )
