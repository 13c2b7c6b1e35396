"""Inlines rule bodies: the call of an API symbol to the code that replaces it."""

from __future__ import annotations

import functools
import inspect
import textwrap
from collections.abc import Callable, Collection, Mapping
from typing import Any

import libcst as cst

from codemods.engine import frame
from codemods.engine.defaults import dotted
from codemods.engine.outcome import Residual, Rewritten
from codemods.engine.placement import place
from codemods.engine.rule import IMPORTS, Rule, signature_of
from codemods.engine.state import State
from codemods.engine.values import DYNAMIC, Arg, Known, Source, Stop, Value, is_chain, names_in
from codemods.engine.walk import identifiers

__all__ = ["DYNAMIC", "Arg", "inline", "reference"]


def inline(
    function: Callable[..., Any],
    arguments: Mapping[str, Arg],
    *,
    given: Collection[str] | None = None,
    symbol: str = "",
    helpers: Collection[Any] = (),
    taken: Collection[str] = (),
    can_prelude: bool = True,
) -> Rewritten | Residual:
    """The code that a rule's body comes to, for a call.

    Args:
      function: the body.
      arguments: by parameter, in the order in which the source evaluates them. Parameters without
        one take their default; names that are no parameters are left aside. `rngs` stands for itself.
      given: the parameters that the source names; all of `arguments` if None.
      symbol: for the residual.
      helpers: classes and functions that the body may name.
      taken: names that the prelude must not bind.
      can_prelude: may statements come before the one that holds the result?

    Returns:
      The replacement (the name `None` for a body that returns None), or why there is none.
    """
    state = State(helpers)
    try:
        env = _environment(state, function, arguments, given)
        value = frame.run(state, function, env)
        code = state.code(value)
        imports = _imports(state, code)
        placed = place(state, code, taken, can_prelude)
    except Stop as stop:
        return Residual(symbol, stop.reason)
    return Rewritten(placed.code, placed.prelude, imports, _ledgers(state), helpers=_helpers(state))


def _helpers(state: State) -> frozenset[str]:
    """Helpers that the code names, and those that they name."""
    found, todo = set(), list(state.helpers_used)
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += _names_of(state.helpers[name]) & state.helpers.keys()
    return frozenset(found)


@functools.cache
def _names_of(helper: Any) -> frozenset[str]:
    """Names in the source of a class or function."""
    return frozenset(identifiers(cst.parse_module(textwrap.dedent(inspect.getsource(helper)))))


def _ledgers(state: State) -> dict[str, frozenset[str]]:
    """Keywords that stand for a difference of defaults, by the function that is called with them."""
    found: dict[str, frozenset[str]] = {}
    for call, keywords in state.ledgers.items():
        path = dotted(call.func)
        if path is not None:
            found[path] = found.get(path, keywords) & keywords
    return found


def _environment(
    state: State, function: Callable[..., Any], arguments: Mapping[str, Arg], given: Collection[str] | None
) -> dict[str, Value]:
    parameters = signature_of(function).parameters
    env: dict[str, Value] = {}
    for name, arg in arguments.items():
        if name in parameters:
            env[name] = state.argument(name, arg, Source.GIVEN if given is None or name in given else Source.DEFAULT)
    for name, parameter in parameters.items():
        if name in env:
            continue
        if parameter.default is not parameter.empty:
            env[name] = Known(parameter.default, frame.default_code(function, name), Source.DEFAULT)
        elif parameter.kind is parameter.VAR_POSITIONAL:
            env[name] = Known((), None, Source.DEFAULT)
        elif parameter.kind is parameter.VAR_KEYWORD:
            env[name] = Known({}, None, Source.DEFAULT)
    return env


def _imports(state: State, code: cst.BaseExpression) -> frozenset[str]:
    """Imported names in what the body gives, its locals included, the user's code not."""
    found: set[str] = set()
    todo = [code]
    while todo:
        names = names_in(todo.pop())
        found |= names & IMPORTS.keys()
        todo += [state.holes[name].code for name in names if name in state.holes and state.holes[name].local]
    return frozenset(found)


def reference(rule: Rule | Callable[..., Any], *, symbol: str = "") -> Rewritten | Residual:
    """The replacement of a symbol that is not called but handed on, as in `activation=tf.nn.relu`.

    It takes the parameters without a default, by position: `nnx.relu`, `functools.partial(f, axis=-1)`,
    or a lambda.
    """
    function = rule.function if isinstance(rule, Rule) else rule
    symbol = symbol or (rule.symbols[0] if isinstance(rule, Rule) else "")
    parameters = signature_of(function).parameters.values()
    needed = [p.name for p in parameters if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return Residual(symbol, "takes any number of arguments: write a lambda that calls it")
    found = inline(function, {name: Arg(cst.Name(name)) for name in needed}, symbol=symbol, can_prelude=False)
    if isinstance(found, Residual):
        return found
    code = found.code
    if isinstance(code, cst.Call):
        positional = [arg for arg in code.args if arg.keyword is None]
        rest = [arg for arg in code.args if arg.keyword is not None]
        same = [getattr(arg.value, "value", None) for arg in positional] == needed
        plain = not any(arg.star for arg in code.args) and is_chain(code.func)
        if same and plain and not any(names_in(arg.value) & set(needed) for arg in rest):
            if not rest:
                return Rewritten(code.func, (), found.imports, helpers=found.helpers)
            partial = cst.parse_expression("functools.partial(f)")
            assert isinstance(partial, cst.Call)
            code = partial.with_changes(args=[cst.Arg(code.func), *rest])
            return Rewritten(code, (), found.imports | {"functools"}, helpers=found.helpers)
    params = cst.Parameters([cst.Param(cst.Name(name)) for name in needed])
    return Rewritten(cst.Lambda(params, code), (), found.imports, helpers=found.helpers)
