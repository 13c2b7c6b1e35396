"""`self.conv = None` in the branches that make no `conv`; in long chains, only where the call asks whether there is one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine.walk import nodes_of
from codemods.passes.pieces import PASS

_NONE = m.SimpleStatementLine(
    body=[m.Assign(targets=[m.AssignTarget(m.Attribute(value=m.Name("self")))], value=m.Name("None"))]
)


def without_nones(init: Sequence[Any], call: Sequence[Any]) -> list[Any]:
    """A constructor without those attributes set to None that the call only calls, in an `if` of three and more branches."""
    called = {id(c.func) for s in call for c in nodes_of(s, cst.Call)}
    asked = {a.attr.value for s in [*call, *init] for a in nodes_of(s, cst.Attribute)
             if id(a) not in called and not _is_target(a, init)}  # fmt: skip
    return _without(init, asked)


def _is_target(node: cst.Attribute, init: Sequence[Any]) -> bool:
    return any(node is t.target for s in init for assign in nodes_of(s, cst.Assign) for t in assign.targets)


def _without(statements: Sequence[Any], asked: set[str], chain: bool = False) -> list[Any]:
    kept: list[Any] = []
    for statement in statements:
        if chain and m.matches(statement, _NONE) and statement.body[0].targets[0].target.attr.value not in asked:
            continue
        kept.append(_pruned(statement, asked, False) if isinstance(statement, cst.If) else statement)
    return kept


def _pruned(node: cst.If, asked: set[str], chain: bool) -> cst.If:
    if not isinstance(node.body, cst.IndentedBlock):
        return node
    orelse: Any = node.orelse
    chain = chain or isinstance(orelse, cst.If)
    if isinstance(orelse, cst.If):
        orelse = _pruned(orelse, asked, chain)
    elif isinstance(orelse, cst.Else) and isinstance(orelse.body, cst.IndentedBlock):
        body = _without(orelse.body.body, asked, chain)
        orelse = orelse.with_changes(body=orelse.body.with_changes(body=body)) if body else None
    then = _without(node.body.body, asked, chain)
    return node.with_changes(body=node.body.with_changes(body=then or [PASS]), orelse=orelse)
