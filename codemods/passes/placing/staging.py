"""Statements of a function, told apart into what the constructor does and what the call does."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

import libcst as cst
import libcst.matchers as m

from codemods.engine.walk import findall
from codemods.passes.names import assigned_names, read_names


@dataclasses.dataclass
class Item:
    """One statement of the call. `config`: it only computes configuration, and is kept only where
    a later statement reads one of its names."""

    node: cst.BaseStatement
    config: bool = False


@dataclasses.dataclass
class Staged:
    """What became of a block."""

    init: list[cst.BaseStatement] = dataclasses.field(default_factory=list)
    call: list[Item] = dataclasses.field(default_factory=list)

    def extend(self, other: Staged) -> None:
        self.init.extend(other.init)
        self.call.extend(other.call)


def prune(items: Sequence[Item], live: Iterable[str] = ()) -> list[Item]:
    """Drops configuration that nothing reads later."""
    wanted = set(live)
    kept: list[Item] = []
    for item in reversed(items):
        targets = assigned_names(item.node)
        if item.config and not targets & wanted:
            continue
        kept.append(item)
        if isinstance(item.node, cst.SimpleStatementLine):
            wanted -= targets
        wanted |= read_names(item.node)
    return kept[::-1]


def call_side(items: Sequence[Item]) -> list[cst.BaseStatement]:
    """What a call does: no configuration, but for the lists and dicts that it fills with tensors."""
    filled = set().union(*[_filled(item.node) for item in items if not item.config], set())
    kept = [item for item in items if not item.config or assigned_names(item.node) & filled and _is_fresh(item.node)]
    return nodes(prune([Item(item.node) for item in kept]))


_FILLING = m.Call(func=m.Attribute(value=m.Name(), attr=m.OneOf(m.Name("append"), m.Name("extend"), m.Name("insert"))))


def _filled(node: cst.CSTNode) -> set[str]:
    """Local containers that a statement changes."""
    calls = {call.func.value.value for call in findall(node, _FILLING)}  # type: ignore[attr-defined]
    items = m.AssignTarget(target=m.Subscript(value=m.Name()))
    return calls | {target.target.value.value for target in findall(node, items)}  # type: ignore[attr-defined]


def _is_fresh(node: cst.CSTNode) -> bool:
    """Does a statement make new containers?"""
    if not isinstance(node, cst.SimpleStatementLine) or not isinstance(node.body[0], cst.Assign):
        return False
    value = node.body[0].value
    parts = [element.value for element in value.elements] if isinstance(value, cst.Tuple) else [value]
    made = m.OneOf(m.List(), m.Dict(), m.Call(func=m.OneOf(m.Name("list"), m.Name("dict"))))
    return all(m.matches(part, made) for part in parts)


def nodes(items: Iterable[Item]) -> list[cst.BaseStatement]:
    return [item.node for item in items]


def block(body: Sequence[cst.BaseStatement]) -> cst.IndentedBlock:
    """An indented block; `pass` where there is nothing."""
    return cst.IndentedBlock(list(body) or [cst.SimpleStatementLine([cst.Pass()])])
