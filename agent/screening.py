"""What an answer's code may not hold, seen before anything of it is run."""

from __future__ import annotations

import ast
import dataclasses
import functools
import importlib
import re
import symtable
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType

from agent.editing import Piece
from agent.errors import EditError
from agent.forbidden import BUILTINS, CALLBACKS, MODULES, OUTSIDE
from agent.regions import Region, Source, source_of
from codemods.engine.rule import IMPORTS
from codemods.passes.printing.undefined import undefined_names

#: Names that a port imports where they are used.
_PROVIDED = frozenset(IMPORTS) - {"os"}
_ROOTS: Mapping[str, str] = {"jax": "jax", "jnp": "jax.numpy", "jsp": "jax.scipy", "lax": "jax.lax", "np": "numpy",
                             "nnx": "flax.nnx", "optax": "optax", "math": "math", "functools": "functools",
                             "operator": "operator"}  # fmt: skip
#: Methods by two underscores that classes and calls of them name.
_DUNDERS = frozenset({"__init__", "__call__", "__name__"})
_LOOKED_AT = (ast.Name, ast.Attribute, ast.Import, ast.ImportFrom, ast.Global)


def screen(text: str, region: Region, changed: Sequence[Piece]) -> None:
    """Looks at new code.

    Args:
      text: of the file, before any edit.
      region: the statement that is rewritten; what it names may be named again.
      changed: what is new in it.

    Raises:
      EditError: the definition does not parse, names are not defined, or the new code does what it may not.
    """
    first, last = region.definition
    parts, spans, at, length = [], [], first, 0
    for piece in changed:
        kept = text[at : piece.start]
        length += len(kept)
        parts += [kept, piece.text]
        spans.append((length, length + len(piece.text)))
        length += len(piece.text)
        at = piece.end
    before, after = text[first:last], "".join([*parts, text[at:last]])
    try:
        compile(after, "<port>", "exec", dont_inherit=True)
        source = Source(after)
    except (SyntaxError, ValueError) as error:
        line = f"line {error.lineno} of the definition: " if isinstance(error, SyntaxError) else ""
        raise EditError("parses", f"the code does not parse with the edit in it: {line}{error.args[0]}") from None
    module = _module(text)
    missing = _all(undefined_names(after)) - _all(undefined_names(before)) - module.names - _PROVIDED
    if missing and not module.star:
        raise EditError("names", f"`{min(missing)}` is not defined there")
    imported = {**module.imported, **_imported(source.tree)}
    for node in _new(source, spans):
        _look(node, text[region.start : region.end], imported)


@dataclasses.dataclass(frozen=True)
class _Module:
    """Names that a file binds: all, those of imports with their packages, and whether it has a star import."""

    names: frozenset[str]
    imported: Mapping[str, str]
    star: bool


@functools.lru_cache(64)
def _module(text: str) -> _Module:
    table = symtable.symtable(text, "<source>", "exec")
    bound = {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported() or s.is_namespace()}
    imported = _imported(source_of(text).tree)
    return _Module(frozenset(bound), imported, "*" in imported)


def _all(found: Mapping[str, set[str]]) -> set[str]:
    return set().union(*found.values(), set())


def _imported(tree: ast.Module) -> dict[str, str]:
    """Names that imports bind, with the package that each is of."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {(a.asname or a.name).split(".")[0]: a.name.split(".")[0] for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            package = "." if node.level else (node.module or "").split(".")[0]
            found |= {a.asname or a.name: package for a in node.names}
    return found


def _new(source: Source, spans: Sequence[tuple[int, int]]) -> Iterator[ast.AST]:
    """Names, chains, imports and definitions that the new text takes part in."""
    for node in ast.walk(source.tree):
        if isinstance(node, _LOOKED_AT):
            begin, end = source.bounds(node)
            if any(begin < stop and start < end for start, stop in spans):
                yield node


def _look(node: ast.AST, region: str, imported: Mapping[str, str]) -> None:
    if isinstance(node, ast.Import | ast.ImportFrom):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
        for name in names:
            if (
                name.split(".")[0] not in MODULES
                or OUTSIDE.search(name)
                or (isinstance(node, ast.ImportFrom) and node.level)
            ):
                raise EditError("screen", f"imports `{name or '.'}`; new code may import {', '.join(MODULES)}")
    elif isinstance(node, ast.Global):
        raise EditError("screen", "has a `global` statement")
    elif isinstance(node, ast.Attribute):
        _look_at_attribute(node, region, imported)
    elif isinstance(node, ast.Name):
        if node.id in BUILTINS or (node.id.startswith("__") and node.id.endswith("__")):
            raise EditError("screen", f"uses `{node.id}`, which model code has no use for")
        if imported.get(node.id, MODULES[0]) not in MODULES and not _stands_in(node.id, region):
            package = imported[node.id]
            raise EditError("screen", f"uses `{node.id}` of {package}; write it in JAX")


def _look_at_attribute(node: ast.Attribute, region: str, imported: Mapping[str, str]) -> None:
    chain = ast.unparse(node)
    root = chain.split(".")[0]
    if node.attr.startswith("__") and node.attr not in _DUNDERS or node.attr in CALLBACKS:
        raise EditError("screen", f"uses `{chain}`, which model code has no use for")
    if not re.fullmatch(r"\w+(\.\w+)*", chain):
        return
    if OUTSIDE.search(chain):
        raise EditError("screen", f"uses `{chain}`, which reaches out of the program")
    package = imported.get(root)
    if package is not None and package not in MODULES and not _stands_in(chain, region):
        raise EditError("screen", f"uses `{chain}`, which the statement did not; write it in JAX")
    if root in _ROOTS and package in (None, *MODULES) and not _exists(chain):
        raise EditError("names", f"there is no `{chain}`")


def _stands_in(chain: str, region: str) -> bool:
    return re.search(rf"(?<![\w.]){re.escape(chain)}(?!\w)", region) is not None


def _exists(chain: str) -> bool:
    """Is there such a thing in JAX? What is below an object of a class is not looked at."""
    root, *parts = chain.split(".")
    found = importlib.import_module(_ROOTS[root])
    for i, part in enumerate(parts):
        if not hasattr(found, part):
            return not isinstance(found, ModuleType) and i > 0 and not isinstance(found, type)
        found = getattr(found, part)
    return True
