"""Names that mean the same everywhere in a file, so that what is read from them stands for a size in any constructor."""

from __future__ import annotations

import functools
import sys
from collections import Counter
from collections.abc import Mapping

import libcst as cst

from codemods.engine.walk import root_name, walk
from codemods.passes.names import assigned_names

_TARGETS = (cst.AssignTarget, cst.AugAssign, cst.AnnAssign, cst.For, cst.CompFor, cst.NamedExpr)
#: Modules whose attributes are no configuration, such as `np.pi`.
_LIBRARIES = frozenset({"numpy", "scipy", "jax", "tensorflow", "keras", *sys.stdlib_module_names})


def file_wide(module: cst.Module) -> frozenset[str]:
    """Names that the file binds once, outside functions, to a module of its own kind, a class or an object.

    `sizes` of `from models import sizes`, `Config` of `class Config:`, `args` of `args = parser.parse_args()`.
    """
    bound: Counter[str] = Counter()
    for statement in module.body:
        for part in [statement] if isinstance(statement, cst.ClassDef) else _outside_functions(statement):
            bound.update(_bound(part))
    return frozenset(name for name, count in bound.items() if count == 1) - bound_within(module)


def bound_within(module: cst.Module) -> set[str]:
    """Names that a function or a comprehension of the file binds for itself."""
    inner = [part for part in walk(module) if isinstance(part, cst.FunctionDef | cst.Lambda | cst.CompFor)]
    found: set[str] = set()
    for part in (part for node in inner for part in walk(node)):
        if isinstance(part, cst.Param):
            found.add(part.name.value)
        elif isinstance(part, cst.AsName):
            found |= _names(part.name)
        elif isinstance(part, _TARGETS):
            found |= _names(part.target)
    return found


@functools.lru_cache(256)
def class_constants(node: cst.ClassDef, module: cst.Module) -> Mapping[str, cst.BaseExpression]:
    """What a class binds once in its body, `DIM = 16` or `DIM: int = 16`, and nothing in the file sets later."""
    found: Counter[str] = Counter()
    values: dict[str, cst.BaseExpression] = {}
    for statement in node.body.body:
        for small in statement.body if isinstance(statement, cst.SimpleStatementLine) else ():
            targets = [t.target for t in small.targets] if isinstance(small, cst.Assign) else []
            targets += [small.target] if isinstance(small, cst.AnnAssign) else []
            found.update(name for target in targets for name in _names(target))
            if len(targets) == 1 and isinstance(targets[0], cst.Name) and small.value is not None:
                values[targets[0].value] = small.value
    later = {
        part.target.attr.value
        for part in walk(module)
        if isinstance(part, _TARGETS) and isinstance(part.target, cst.Attribute)
    }
    return {name: value for name, value in values.items() if found[name] == 1 and name not in later}


def _outside_functions(statement: cst.CSTNode) -> list[cst.CSTNode]:
    if isinstance(statement, cst.FunctionDef | cst.ClassDef | cst.Lambda):
        return []
    return [statement, *[part for child in statement.children for part in _outside_functions(child)]]


def _bound(part: cst.CSTNode) -> list[str]:
    if isinstance(part, cst.ClassDef):
        return [part.name.value]
    if isinstance(part, cst.Import | cst.ImportFrom):
        return _imported(part)
    return sorted(_names(part.target)) if isinstance(part, _TARGETS) else []


def _imported(node: cst.Import | cst.ImportFrom) -> list[str]:
    if isinstance(node.names, cst.ImportStar):
        return []
    if isinstance(node, cst.ImportFrom) and not node.relative and root_name(node.module) in _LIBRARIES:
        return []
    found = []
    for alias in node.names:
        if isinstance(node, cst.Import) and root_name(alias.name) in _LIBRARIES:
            continue
        name = alias.asname.name if alias.asname is not None else alias.name
        found.append(root_name(name))
    return found


def _names(target: cst.CSTNode) -> set[str]:
    """Names that a target binds; in `a.b = c` none."""
    return assigned_names(cst.AssignTarget(target))  # type: ignore[arg-type]
