"""Names and attributes in rule bodies."""

from __future__ import annotations

import builtins
import collections
import dataclasses
import functools
import inspect
import math
import operator
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import libcst as cst
import numpy as np

from codemods.engine import outcome, rule
from codemods.engine.defaults import path_of
from codemods.engine.state import State
from codemods.engine.values import (
    DYNAMIC,
    Arg,
    Code,
    Items,
    Known,
    Outline,
    Source,
    Stop,
    Value,
    evaluated,
    is_chain,
    literal,
)

#: Modules whose functions may be called when porting.
_COMPUTED = {"math": math, "np": np, "operator": operator}

_print = cst.Module([]).code_for_node


class Expressions:
    """Evaluates names and attributes of one body. What else there is comes from the classes that extend this."""

    def __init__(self, state: State, function: Callable[..., Any], env: dict[str, Value]):
        self.state, self.env = state, env
        self.globals = _free_names(function)

    def named(self, name: str, value: Value) -> Value:
        """A local variable: code that is more than a name is a hole, so that it is computed once."""
        if isinstance(value, Code) and not is_chain(value.code):
            return dataclasses.replace(value, code=self.state.hole(name, value.code, local=True))
        return value

    def unpacked(self, value: Value, count: int) -> Sequence[Value]:
        parts = self.parts(value)
        if parts is None and isinstance(value, Code):
            base = self.named("parts", value)
            assert isinstance(base, Code)
            return [Code(_subscript(base.code, cst.Integer(str(i)))) for i in range(count)]
        if parts is None or len(parts) != count:
            raise Stop(f"not {count} parts to unpack")
        return parts

    def eval(self, node: cst.BaseExpression) -> Value:
        handler = _handler(type(self), type(node))  # type: ignore[arg-type]
        if handler is not None:
            return handler(self, node)
        value = evaluated(node)
        if value is not DYNAMIC:
            return Known(value, bare(node))
        raise Stop(f"`{_print(node)}` can't be evaluated in a rule's body")

    def code(self, node: cst.BaseExpression) -> cst.BaseExpression:
        return self.state.code(self.eval(node))

    def eval_Name(self, node: cst.Name) -> Value:
        name = node.value
        if name in self.env:
            return self.env[name]
        if name in ("None", "True", "False"):
            return Known({"None": None, "True": True, "False": False}[name])
        found = self.globals.get(name, DYNAMIC)
        if name in rule.IMPORTS and (found is DYNAMIC or isinstance(found, types.ModuleType)):
            return Known(_COMPUTED[name], node) if name in _COMPUTED else Code(node)
        if name in self.state.helpers:
            self.state.helpers_used.add(name)
            return Code(node)
        path = path_of(found)
        if path is not None:
            return Code(cst.parse_expression(path))
        if found is not DYNAMIC:
            return Known(found)
        for table in (rule.MACROS, rule.INLINED):
            if name in table:
                return Known(table[name])
        if hasattr(builtins, name):
            return Known(getattr(builtins, name), node)
        if name == "rngs":  # whoever places the result says where keys come from
            return Code(node)
        raise Stop(f"the argument `{name}` is needed")

    def eval_Attribute(self, node: cst.Attribute) -> Value:
        base, name = self.eval(node.value), node.attr.value
        if isinstance(base, Outline):
            return self.outline(base, name)
        if isinstance(base, Known) and isinstance(base.value, rule.Wrapped):
            if name == "symbol":
                return Known(base.value.symbol)
            if name in base.value.arguments:
                return self.extern(name, base.value.arguments[name])
        if isinstance(base, Known) and (base.code is None or not _random(base.code)):
            if not hasattr(base.value, name):
                raise Stop(f"a value of type {type(base.value).__name__} has no `{name}`")
            shown = base.code if base.code is not None else literal(base.value)
            code = node.with_changes(value=shown) if shown is not None else None
            return Known(getattr(base.value, name), code, base.source)
        code = node.with_changes(value=self.state.code(base))
        if isinstance(base, Code) and name == "ndim" and base.ndim is not None:
            return Known(base.ndim, code, Source.GIVEN)
        if isinstance(base, Code) and name == "dtype" and base.dtype is not None:
            return Known(base.dtype, code, Source.GIVEN)
        return Code(code)

    def extern(self, name: str, value: Any) -> Value:
        if isinstance(value, Arg):
            return self.state.argument(name, value)
        return value if isinstance(value, (Known, Code, Items, Outline)) else Known(value, None, Source.GIVEN)

    def outline(self, base: Outline, name: str) -> Value:
        if name == "shape" and not base.is_shape:
            return dataclasses.replace(base, is_shape=True)
        if name == "ndim" and base.ndim is not None:
            return Known(base.ndim, None, Source.GIVEN)
        raise Stop(f"of `{base.name}` only the shape is known where this is made, not `{name}`")

    def parts(self, value: Value) -> Sequence[Value] | None:
        """The elements of what has a known length."""
        match value:
            case Items():
                return value.items
            case Outline(is_shape=True):
                return self.state.dims(value).items
            case Known():
                try:
                    return [Known(item, None, value.source) for item in value.value]
                except TypeError:
                    return None
        return None

    # Helpers

    def computed(self, compute: Callable[[], Any], node: cst.BaseExpression, *values: Value) -> Known:
        """The result of computing with known values."""
        try:
            return Known(compute(), None, source_of(*values))
        except Stop:
            raise
        except (rule.Refused, outcome.Refusal) as error:
            raise Stop(error.args[0]) from error
        except Exception as error:
            raise Stop(f"`{_print(node)}` fails: {error}") from error


@functools.cache
def _handler(evaluator: type[Expressions], kind: type[cst.CSTNode]) -> Callable[[Any, Any], Value] | None:
    return getattr(evaluator, f"eval_{kind.__name__}", None)


@functools.cache
def _free_names(function: Callable[..., Any]) -> Mapping[str, Any]:
    """What the names that a body does not bind itself stand for."""
    plain = inspect.unwrap(function)
    closure = inspect.getclosurevars(plain).nonlocals if getattr(plain, "__closure__", None) else {}
    return collections.ChainMap(dict(closure), plain.__globals__) if closure else plain.__globals__


def bare(node: Any) -> Any:
    """Without the parentheses that it has in the body: those that its new place needs are added."""
    return node.with_changes(lpar=[], rpar=[]) if node.lpar else node


def source_of(*values: Value) -> Source:
    """What a result of these values depends on."""
    return max((v.source if isinstance(v, Known) else Source.GIVEN for v in values), default=Source.BODY)


def _random(code: cst.BaseExpression) -> bool:
    return _print(code).startswith("np.random")


def _subscript(base: cst.BaseExpression, index: cst.BaseExpression) -> cst.Subscript:
    return cst.Subscript(base, [cst.SubscriptElement(cst.Index(index))])
