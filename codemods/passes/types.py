"""Which constructor parameters are ints in every use that can be seen."""

from __future__ import annotations

import libcst as cst
import libcst.matchers as m

from codemods.engine.walk import findall
from codemods.passes.unit import Unit
from codemods.passes.values import text


def integer_parameters(unit: Unit, name: str, params: list[cst.Param]) -> tuple[frozenset[str], frozenset[str]]:
    """Parameters of a user class or function that are ints by default, in all calls and in the trace; those that aren't.

    A call that hands on another name says nothing; one that gives anything but an int rules it out.
    """
    votes: dict[str, list[bool]] = {p.name.value: [] for p in params}
    for param in params:
        if param.default is not None and text(param.default) != "None":
            votes[param.name.value].append(_is_int(param.default))
    for call in findall(unit.module, m.Call(func=m.Name(name))):
        assert isinstance(call, cst.Call)
        for i, arg in enumerate(call.args):
            target = arg.keyword.value if arg.keyword else (params[i].name.value if i < len(params) else None)
            if target in votes and isinstance(
                arg.value, cst.Integer | cst.Float | cst.Tuple | cst.List | cst.SimpleString
            ):
                votes[target].append(_is_int(arg.value))
    for entry in unit.trace.instances(name):
        for key, value in entry.get("args", {}).items():
            if key in votes:
                votes[key].append(isinstance(value, int) and not isinstance(value, bool))
    ints = frozenset(key for key, found in votes.items() if found and all(found))
    return ints, frozenset(key for key, found in votes.items() if not all(found))


def _is_int(node: cst.BaseExpression) -> bool:
    if isinstance(node, cst.Integer):
        return True
    return isinstance(node, cst.BinaryOperation) and _is_int(node.left) and _is_int(node.right)
