"""Statements of a function, told apart into what the constructor does and what the call does."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

import libcst as cst

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


def nodes(items: Iterable[Item]) -> list[cst.BaseStatement]:
    return [item.node for item in items]


def block(body: Sequence[cst.BaseStatement]) -> cst.IndentedBlock:
    """An indented block; `pass` where there is nothing."""
    return cst.IndentedBlock(list(body) or [cst.SimpleStatementLine([cst.Pass()])])
