"""What blocks the definitions of a file, by its symbols and the keywords of their calls alone.

A tenth of the time of the passes, and less true: it does not see what code does with a symbol.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from fnmatch import fnmatch

import libcst as cst

from codemods.coverage.uses import MODULE
from codemods.engine import rule as rules
from codemods.engine.api import is_module
from codemods.engine.bind import bind
from codemods.engine.outcome import Residual
from codemods.engine.walk import children
from codemods.passes.calls.layer_constructors import constructor_signature
from codemods.passes.models.classes import KERAS_ONLY
from codemods.passes.names import read_names
from codemods.passes.unit import Unit
from codemods.policy.lookup import reason
from codemods.policy.verdicts import verdict

Found = tuple[str, int, int, str, str]


def blocked_by_symbols(unit: Unit) -> Iterator[Found]:
    """(definition, line, column, symbol, reason) of every use that has no place in a port."""
    for statement in unit.module.body:
        owner = statement.name.value if isinstance(statement, cst.ClassDef | cst.FunctionDef) else MODULE
        for node in _looked_at(statement):
            call = node if isinstance(node, cst.Call) else None
            name = call.func if call is not None else node
            if not isinstance(name, cst.Name | cst.Attribute):
                continue
            symbol = unit.symbol(name)
            if symbol is None or is_module(symbol):
                continue
            why = _unfit(symbol, call) if call is not None else _refused(symbol)
            if why:
                span = unit.span(node)
                yield owner, span.line, span.column, symbol, why


def waits(unit: Unit) -> dict[str, list[str]]:
    """The definitions of the file that each definition names."""
    every: dict[str, cst.CSTNode] = {**unit.classes, **unit.functions}
    return {name: sorted((read_names(node) & every.keys()) - {name}) for name, node in every.items()}


def _looked_at(statement: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Nodes of code that a port keeps: no annotations, imports, or methods that only Keras calls."""
    todo = [statement]
    while todo:
        node = todo.pop()
        if isinstance(node, cst.Annotation | cst.Import | cst.ImportFrom):
            continue
        if isinstance(node, cst.FunctionDef) and node.name.value in KERAS_ONLY - {"build"}:
            continue
        yield node
        if isinstance(node, cst.Attribute):
            inner: cst.BaseExpression = node.value
            while isinstance(inner, cst.Attribute):
                inner = inner.value
            todo += [] if isinstance(inner, cst.Name) else [inner]
        elif isinstance(node, cst.Arg):
            todo.append(node.value)
        else:
            todo += reversed(children(node))


def _refused(symbol: str) -> str:
    found = verdict(symbol)
    if found.kind == "refused":
        return f"{found.becomes}: {found.recipe}" if found.recipe else found.becomes
    return reason(symbol) if found.kind == "unknown" and not verdict(symbol.rpartition(".")[0]).ported else ""


def _unfit(symbol: str, call: cst.Call) -> str:
    """Why a call does not fit the signature of its rule."""
    if symbol in rules.RULES:
        found = bind(rules.RULES[symbol].signature, call.args, symbol=symbol)
    elif symbol in rules.OBJECTS:
        entry = rules.OBJECTS[symbol]
        args = [arg for arg in call.args if not (entry.kind == "layer" and _is_settled(arg))]
        found = bind(constructor_signature(entry), [a for a in args if _keyword(a) != "name"], symbol=symbol)
    else:
        return ""
    return found.reason if isinstance(found, Residual) else ""


def _keyword(arg: cst.Arg) -> str:
    return arg.keyword.value if arg.keyword is not None else ""


def _is_settled(arg: cst.Arg) -> bool:
    """Is this one of the arguments that every layer takes, with a value that is accepted?"""
    name = _keyword(arg)
    common = next((c for pattern, c in rules.COMMON_LAYER_ARGUMENTS.items() if name and fnmatch(name, pattern)), None)
    if common is None:
        return False
    if common.accepted is None:
        return True
    try:
        return ast.literal_eval(cst.Module([]).code_for_node(arg.value)) in common.accepted
    except (ValueError, SyntaxError, TypeError):
        return True  # what it is, is not known here
