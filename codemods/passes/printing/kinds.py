"""Attributes that a constructor sets to a number first and to an array in the end.

NNX tells by the first value whether an attribute is static or data, and refuses the other kind after that. So what comes
before the last value is a variable of the constructor.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine.walk import findall, identifiers

_ARRAYS = frozenset({"jax", "jnp", "lax"})


def of_one_kind(body: Sequence[cst.BaseStatement], parameters: cst.Parameters) -> list[cst.BaseStatement]:
    """The body of a constructor in which such attributes are set once."""
    result = list(body)
    for name in dict.fromkeys(name for statement in body if (name := _set(statement)) is not None):
        places = [i for i, statement in enumerate(result) if _set(statement) == name]
        targets = [
            t for s in result for t in findall(s, m.AssignTarget(_attribute(name)) | m.AugAssign(_attribute(name)))
        ]
        if len(places) < 2 or len(targets) != len(places):
            continue
        if _ARRAYS & identifiers(_value(result[places[-1]])) and not _ARRAYS & identifiers(_value(result[places[0]])):
            result = _with_variable(result, name, places, parameters)
    return result


def _with_variable(
    body: list[cst.BaseStatement], name: str, places: list[int], parameters: cst.Parameters
) -> list[cst.BaseStatement]:
    taken = set().union(*[identifiers(statement) for statement in body]) | {
        p.name.value for p in findall(parameters, m.Param())
    }
    first, last = places[0], places[-1]
    given = m.matches(_value(body[first]), m.Name(name))  # `self.x = x`, and later `self.x = jnp.asarray(self.x)`
    own = {name} if _only_attributes(body, name) else set()
    names = [name, f"{name}_", *(f"{name}_{i}" for i in range(2, len(taken) + 3))]
    variable = name if given else next(each for each in names if each not in taken - own)
    new = [_replaced(statement, name, variable) for statement in body[first:last]]
    ending: Any = body[last]
    assign = ending.body[0]
    value = _replaced(assign.value, name, variable)
    new.append(ending.with_changes(body=[assign.with_changes(value=value)]))
    if given:
        dropped: Any = new.pop(0)
        new[0] = new[0].with_changes(leading_lines=[*dropped.leading_lines, *new[0].leading_lines])
    return [*body[:first], *new, *body[last + 1 :]]


def _only_attributes(body: Sequence[cst.BaseStatement], name: str) -> bool:
    """Does the name stand nowhere but in `self.NAME`?"""
    marked = [m.replace(statement, _attribute(name), cst.Name("_")) for statement in body]
    return all(name not in identifiers(statement) for statement in marked)  # type: ignore[arg-type]


def _attribute(name: str) -> m.Attribute:
    return m.Attribute(m.Name("self"), m.Name(name))


def _replaced(node: Any, name: str, variable: str) -> Any:
    return m.replace(node, _attribute(name), cst.Name(variable))


def _set(statement: cst.BaseStatement) -> str | None:
    """`x` of `self.x = ...`."""
    if not m.matches(statement, m.SimpleStatementLine([m.Assign([m.AssignTarget(m.Attribute(m.Name("self")))])])):
        return None
    return statement.body[0].targets[0].target.attr.value  # type: ignore[union-attr, index]


def _value(statement: Any) -> cst.BaseExpression:
    return statement.body[0].value
