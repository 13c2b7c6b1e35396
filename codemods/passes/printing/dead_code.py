"""Drops configuration that nothing reads any more, such as the names that layers were given."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine.walk import findall
from codemods.passes.names import assigned_names, read_names

#: Methods that change what they are called on.
_CHANGING = m.Call(func=m.Attribute(attr=m.OneOf(*[m.Name(n) for n in ("pop", "popitem", "setdefault", "update")])))
_NEXT = m.Call(func=m.Name("next"))
_GROWING = m.Call(func=m.Attribute(value=m.Name(), attr=m.OneOf(m.Name("append"), m.Name("extend"))))


def without_unread(
    statements: Sequence[cst.BaseStatement], read: Collection[str], among: Collection[str] | None = None
) -> list[Any]:
    """Statements whose only effect is to bind or fill local names are kept where something reads one of these.

    Args:
      statements: a function's body.
      read: names that are read outside of it.
      among: names that may be dropped; None for all.
    """
    needed = set(read)
    while True:
        kept, reads = _pruned(statements, needed, among)
        if reads <= needed:
            return kept
        needed |= reads


def _pruned(statements: Sequence[Any], needed: set[str], among: Collection[str] | None) -> tuple[list[Any], set[str]]:
    kept: list[Any] = []
    reads: set[str] = set()
    for statement in statements:
        if isinstance(statement, cst.SimpleStatementLine):
            targets = _only_binds(statement)
            droppable = targets is not None and (among is None or targets <= set(among))
            if droppable and targets is not None and not targets & needed:
                continue
            own = targets if droppable and targets is not None else set()
            reads |= read_names(statement) - (own if _updates(statement) else set())
            kept.append(statement)
        elif isinstance(statement, cst.If):
            new, inner = _pruned_if(statement, needed, among)
            reads |= inner
            kept += [new] if new is not None else []
        elif isinstance(statement, cst.FunctionDef):
            if statement.name.value in needed or among is not None and statement.name.value not in among:
                reads |= read_names(statement)
                kept.append(statement)
        elif isinstance(statement, cst.For) and isinstance(statement.body, cst.IndentedBlock):
            body, inner = _pruned(statement.body.body, needed, among)
            if body:
                target = assigned_names(cst.Assign([cst.AssignTarget(statement.target)], cst.Name("_")))
                reads |= read_names(statement.iter) | inner | (target & inner)
                kept.append(statement.with_changes(body=statement.body.with_changes(body=body)))
        else:
            reads |= read_names(statement)
            kept.append(statement)
    return kept, reads


def _pruned_if(node: cst.If, needed: set[str], among: Collection[str] | None) -> tuple[cst.If | None, set[str]]:
    if not isinstance(node.body, cst.IndentedBlock):
        return node, read_names(node)
    then, reads = _pruned(node.body.body, needed, among)
    orelse: Any = node.orelse
    if isinstance(orelse, cst.If):
        orelse, inner = _pruned_if(orelse, needed, among)
        reads |= inner
    elif isinstance(orelse, cst.Else) and isinstance(orelse.body, cst.IndentedBlock):
        body, inner = _pruned(orelse.body.body, needed, among)
        reads |= inner
        orelse = orelse.with_changes(body=orelse.body.with_changes(body=body)) if body else None
    if not then and orelse is None and node.body.body:
        return None, set()
    if not then:
        then = [cst.SimpleStatementLine([cst.Pass()])]
    return node.with_changes(body=node.body.with_changes(body=then), orelse=orelse), reads | read_names(node.test)


def _only_binds(line: cst.SimpleStatementLine) -> set[str] | None:
    """The local names that a statement binds or fills, if it does nothing else."""
    names: set[str] = set()
    for small in line.body:
        if isinstance(small, cst.Assign):
            targets: list[Any] = [target.target for target in small.targets]
        elif isinstance(small, cst.AugAssign | cst.AnnAssign):
            targets = [small.target]
        elif isinstance(small, cst.Pass):
            targets = []
        elif isinstance(small, cst.Expr) and m.matches(small.value, _GROWING):
            names.add(small.value.func.value.value)  # type: ignore[attr-defined]
            continue
        else:
            return None
        if findall(small, _CHANGING) or findall(small, _NEXT):
            return None
        for target in targets:
            parts = [e.value for e in target.elements] if isinstance(target, cst.Tuple | cst.List) else [target]
            if not all(isinstance(part, cst.Name) for part in parts):
                return None
            names |= {part.value for part in parts}  # type: ignore[attr-defined]
    return names


def _updates(line: cst.SimpleStatementLine) -> bool:
    """Does a statement read its own target only to change it?"""
    return all(
        isinstance(small, cst.AugAssign) or isinstance(small, cst.Expr) and m.matches(small.value, _GROWING)
        for small in line.body
    )
