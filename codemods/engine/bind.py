"""Binds the arguments of a call in the source to a rule's signature."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Collection, Mapping, Sequence

import libcst as cst

from codemods.engine.outcome import Residual


@dataclasses.dataclass(frozen=True)
class Bound:
    """The arguments given, by parameter.

    Attributes:
      arguments: in the order in which the call evaluates them. A parameter `*xs` has a tuple
        display, and `**kwargs` a dict display with string keys.
    """

    arguments: Mapping[str, cst.BaseExpression]

    @property
    def given(self) -> frozenset[str]:
        return frozenset(self.arguments)


def bind(
    signature: inspect.Signature,
    args: Sequence[cst.Arg],
    *,
    symbol: str = "",
    receiver: cst.BaseExpression | None = None,
    reserved: Collection[str] = (),
) -> Bound | Residual:
    """Binds call arguments as Python would.

    Args:
      signature: the rule's, that is, the source API's.
      args: of the call.
      symbol: the canonical name of what is called, for the residual.
      receiver: for methods and layer calls, the value of the first parameter.
      reserved: parameters that are the engine's, not the API's (`x`, `rngs` of an object's `make`).

    Returns:
      What goes where, or the residual that names the argument which goes nowhere.
    """
    parameters = [p for p in signature.parameters.values() if p.name not in reserved]
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    by_name = {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    rest = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), None)
    others = next((p.name for p in parameters if p.kind is p.VAR_KEYWORD), None)

    bound: dict[str, cst.BaseExpression] = {}
    extra: list[cst.BaseElement] = []
    keywords: list[cst.BaseDictElement] = []
    queue = [p.name for p in positional]
    if receiver is not None:
        bound[queue.pop(0)] = receiver
    for arg in _spread(args):
        if arg.star == "**":
            return Residual(symbol or "**", f"`{_source(arg)}` may hold any keyword; write the keywords out")
        if arg.keyword is not None:
            name = arg.keyword.value
            if name in by_name and name not in bound:
                bound[name] = arg.value
                queue = [q for q in queue if q != name]
            elif name in bound:
                return Residual(symbol, f"got several values for `{name}`")
            elif others is not None:
                bound.setdefault(others, cst.Dict([]))
                keywords.append(cst.DictElement(cst.SimpleString(repr(name)), arg.value))
            else:
                return Residual(symbol, f"no rule for the keyword `{name}`")
        elif queue and not arg.star and not extra:
            bound[queue.pop(0)] = arg.value
        elif rest is not None and (not queue or not arg.star):
            bound.setdefault(rest, cst.Tuple([]))  # holds its place in the order
            extra.append(cst.StarredElement(arg.value) if arg.star else cst.Element(arg.value))
        elif arg.star:
            return Residual(symbol or "*", f"`{_source(arg)}` may fill several parameters; write the arguments out")
        else:
            return Residual(symbol, f"takes {len(positional)} positional arguments at most")
    if rest is not None and extra:
        bound[rest] = cst.Tuple(extra)
    if others is not None and keywords:
        bound[others] = cst.Dict(keywords)
    for parameter in parameters:
        needed = parameter.default is parameter.empty and parameter.name not in (rest, others)
        if needed and parameter.name not in bound:
            return Residual(symbol, f"the argument `{parameter.name}` is missing")
    return Bound(bound)


def _spread(args: Sequence[cst.Arg]) -> list[cst.Arg]:
    """Writes out `*[a, b]` and `**{"k": v}`, whose parts can be seen."""
    result: list[cst.Arg] = []
    for arg in args:
        value = arg.value
        parts: list[cst.Arg] | None = None
        if arg.star == "*" and isinstance(value, (cst.List, cst.Tuple)):
            plain = all(isinstance(element, cst.Element) for element in value.elements)
            parts = [cst.Arg(element.value) for element in value.elements] if plain else None
        elif arg.star == "**":
            parts = _keywords(value)
        result += [arg] if parts is None else parts
    return result


def _keywords(value: cst.BaseExpression) -> list[cst.Arg] | None:
    if isinstance(value, cst.Call) and isinstance(value.func, cst.Name) and value.func.value == "dict":
        return list(value.args) if all(arg.keyword for arg in value.args) else None
    if not isinstance(value, cst.Dict):
        return None
    result = []
    for element in value.elements:
        if not isinstance(element, cst.DictElement) or not isinstance(element.key, cst.SimpleString):
            return None
        key = element.key.evaluated_value
        if not isinstance(key, str) or not key.isidentifier():
            return None
        result.append(cst.Arg(element.value, keyword=cst.Name(key)))
    return result


def _source(arg: cst.Arg) -> str:
    return arg.star + cst.Module([]).code_for_node(arg.value)
