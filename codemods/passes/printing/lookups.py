"""Configuration that a call reads: looked up once, kept where it is bound."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine.walk import findall
from codemods.passes.names import assigned_names
from codemods.passes.values import text


def hoist_lookups(body: list[Any], config: set[str]) -> tuple[list[Any], dict[str, str]]:
    """Functions that a call looks up by a name in its configuration are looked up once, in the constructor.

    Returns:
      The body, and for every attribute that it reads instead the constructor's code.
    """
    places: dict[str, list[str]] = {}
    for statement in body:
        for call in findall(statement, m.Call(func=m.Attribute(m.Name(), m.Name("get")))):
            table, name = call.func.value.value, text(call.args[0].value)  # type: ignore[attr-defined]
            if table.startswith("KERAS_") and name in config:
                places.setdefault(name, []).append(text(call))
    found: dict[str, str] = {}
    for name, codes in places.items():
        reads = sum(text(node) == name for s in body for node in findall(s, m.Name(name)))
        if len(set(codes)) > 1 or reads > 2 * len(codes):
            continue  # read for something else, too
        found[name] = codes[0]
    swap = _SwapCalls({code: f"self.{name}" for name, code in found.items()})
    return [statement.visit(swap) for statement in body] if found else body, found


def kept_where_bound(statements: Sequence[Any], name: str, keep: cst.BaseStatement) -> list[Any]:
    """Statements with one more after each that binds a name, for a name that only some branches bind."""
    result: list[Any] = []
    for statement in statements:
        if isinstance(getattr(statement, "body", None), cst.IndentedBlock):
            body = kept_where_bound(statement.body.body, name, keep)
            statement = statement.with_changes(body=statement.body.with_changes(body=body))
            orelse = getattr(statement, "orelse", None)
            if isinstance(orelse, cst.If):
                statement = statement.with_changes(orelse=kept_where_bound([orelse], name, keep)[0])
            elif isinstance(orelse, cst.Else) and isinstance(orelse.body, cst.IndentedBlock):
                body = kept_where_bound(orelse.body.body, name, keep)
                statement = statement.with_changes(orelse=orelse.with_changes(body=orelse.body.with_changes(body=body)))
            result.append(statement)
            continue
        result.append(statement)
        if isinstance(statement, cst.SimpleStatementLine) and name in assigned_names(statement):
            result.append(keep)
    return result


class _SwapCalls(cst.CSTTransformer):
    """Puts an attribute in the place of a call."""

    def __init__(self, new: dict[str, str]):
        self.new = new

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        found = self.new.get(text(original_node))
        return updated_node if found is None else cst.parse_expression(found)
