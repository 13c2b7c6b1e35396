"""Shorter forms of what builders become: lists of layers made at once, results returned where they are computed."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst
from libcst import matchers as m

from codemods.passes.names import assigned_names, read_names

_EMPTY_LIST = m.SimpleStatementLine(
    [
        m.Assign(
            [m.AssignTarget(m.Attribute(m.Name("self"), m.Name()))],
            m.Call(m.Attribute(m.Name("nnx"), m.Name("List")), args=[]),
        )
    ]
)
_APPEND = m.SimpleStatementLine(
    [m.Expr(m.Call(m.Attribute(m.Attribute(m.Name("self"), m.Name()), m.Name("append")), args=[m.DoNotCare()]))]
)


def lists_at_once(body: Sequence[cst.BaseStatement]) -> list[cst.BaseStatement]:
    """`self.a = nnx.List()` and a loop that does nothing but append to it, as a list comprehension."""
    result: list[cst.BaseStatement] = []
    for statement in body:
        made = _comprehension(result[-1], statement) if result else None
        if made is None:
            result.append(statement)
        else:
            result[-1] = made
    return result


def _comprehension(before: cst.BaseStatement, loop: cst.BaseStatement) -> cst.SimpleStatementLine | None:
    if not m.matches(before, _EMPTY_LIST) or not isinstance(loop, cst.For) or loop.orelse is not None:
        return None
    if not isinstance(loop.body, cst.IndentedBlock) or len(loop.body.body) != 1 or loop.leading_lines:
        return None
    (append,) = loop.body.body
    if not m.matches(append, _APPEND) or append.leading_lines:  # type: ignore[attr-defined]
        return None
    call = append.body[0].value  # type: ignore[attr-defined]
    made = before.body[0]  # type: ignore[attr-defined]
    if not call.func.value.deep_equals(made.targets[0].target):
        return None
    element, target = call.args[0].value, loop.target
    if isinstance(target, cst.Name) and target.value not in read_names(element):
        target = cst.Name("_")
    comprehension = cst.ListComp(element, cst.CompFor(target, loop.iter))
    filled = made.value.with_changes(args=[cst.Arg(comprehension)])
    return before.with_changes(body=[made.with_changes(value=filled)])  # type: ignore[return-value]


def returned_at_once(body: Sequence[cst.BaseStatement]) -> list[cst.BaseStatement]:
    """`y = ...` and `return y` at the end, as `return ...`."""
    if len(body) < 2:
        return list(body)
    *rest, last, end = body
    value = m.extract(end, m.SimpleStatementLine([m.Return(m.SaveMatchedNode(m.Name(), "name"))]))
    assigned = m.SimpleStatementLine([m.Assign([m.AssignTarget(m.Name())], m.DoNotCare())])
    if value is None or not m.matches(last, assigned) or end.leading_lines:  # type: ignore[attr-defined]
        return list(body)
    assign = last.body[0]  # type: ignore[attr-defined]
    if assigned_names(last) != {value["name"].value}:  # type: ignore[union-attr]
        return list(body)
    return [*rest, last.with_changes(body=[cst.Return(assign.value)])]
