"""Arguments on their way into a rule's body, and values on their way out into code."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Collection
from typing import Any, Literal

import jax
import libcst as cst

from codemods.engine.defaults import dotted
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
    display,
    evaluated,
    literal,
    names_in,
)


@dataclasses.dataclass
class Hole:
    """A place for an argument (or, with `local`, for a variable of a body).

    Attributes:
      order: when the original evaluates it, among the arguments.
      name: what to call it, if it has to be bound to a name.
    """

    name: str
    code: cst.BaseExpression
    order: int = -1
    local: bool = False


class State:
    """One inlining: its holes so far, and what the result needs."""

    def __init__(self, helpers: Collection[Any]):
        self.holes: dict[str, Hole] = {}
        self.locals: list[str] = []
        self.user_names: set[str] = set()
        self.helpers = {helper.__name__: helper for helper in helpers}
        self.helpers_used: set[str] = set()
        self.ledgers: dict[cst.Call, frozenset[str]] = {}
        self._counter = itertools.count()

    # Arguments

    def hole(self, name: str, code: cst.BaseExpression, local: bool = False) -> cst.Name:
        count = next(self._counter)
        key = f"__{name}_{count}__"
        self.holes[key] = Hole(name, code, count, local)
        if local:
            self.locals.append(key)
        return cst.Name(key)

    def argument(self, name: str, arg: Arg, source: Source = Source.GIVEN) -> Value:
        """The value of an argument; code of it becomes a hole."""
        if arg.dim is not None:
            return Outline(name, arg.dim, arg.ndim)
        if arg.items is not None or isinstance(arg.code, (cst.List, cst.Tuple)) and _plain(arg.code):
            items = arg.items or [Arg(element.value) for element in arg.code.elements]  # type: ignore[union-attr]
            value = arg.value if arg.value is not DYNAMIC else evaluated(arg.code) if arg.code else DYNAMIC
            if value is DYNAMIC:
                kind = tuple if isinstance(arg.code, cst.Tuple) else list
                inner = tuple(self.argument(name, item, source) for item in items)
                shown = arg.code if isinstance(arg.code, (cst.List, cst.Tuple)) else None
                if shown is not None and len(shown.elements) == len(inner):
                    return Items(inner, kind, shown)
                return Items(inner, kind)
        value = arg.value if arg.value is not DYNAMIC else evaluated(arg.code) if arg.code is not None else DYNAMIC
        if arg.code is not None:
            self.user_names |= names_in(arg.code)
        if value is not DYNAMIC:
            return Known(value, arg.code, source, arg.code is not None and evaluated(arg.code) is DYNAMIC)
        if arg.code is None:
            raise Stop(f"`{name}` is not known")
        if isinstance(arg.code, cst.Dict) and all(isinstance(e, cst.DictElement) for e in arg.code.elements):
            elements = [e.with_changes(value=self.hole(name, e.value)) for e in arg.code.elements]
            return Code(arg.code.with_changes(elements=elements), dict)
        tensor = jax.Array if arg.ndim is not None or arg.dtype is not None else None
        return Code(self.hole(name, arg.code), arg.type or tensor or _type(arg.code), arg.ndim, arg.dtype)

    def starred(self, code: cst.BaseExpression) -> list[cst.Arg] | None:
        """The arguments that a display with starred elements spreads to."""
        hole = self.holes.get(code.value) if isinstance(code, cst.Name) else None
        if hole is None or not isinstance(hole.code, (cst.List, cst.Tuple)):
            return None
        args = []
        for element in hole.code.elements:
            star: Literal["", "*"] = "*" if isinstance(element, cst.StarredElement) else ""
            part = self.hole(hole.name, element.value)
            self.holes[part.value].order = hole.order
            args.append(cst.Arg(part, star=star))
        return args

    # Code

    def code(self, value: Value) -> cst.BaseExpression:
        """How to print a value."""
        match value:
            case Code():
                return value.code
            case Known():
                printed = value.code if value.code is not None else literal(value.value)
                if printed is None:
                    raise Stop(f"a value of type {type(value.value).__name__} can't be written as code")
                return printed
            case Items():
                parts = [self.code(item) for item in value.items]
                if value.code is None:
                    return display(parts, value.kind)
                elements = [e.with_changes(value=p) for e, p in zip(value.code.elements, parts, strict=True)]
                return value.code.with_changes(elements=elements)
        if value.is_shape and value.ndim is not None:
            return self.code(self.dims(value))
        raise Stop(f"of `{value.name}` only the dims of its shape are known where this is made")

    def dim(self, base: Outline, index: int) -> Value:
        code = base.dim(index)
        if code is None:
            where = {-1: "last dimension"}.get(index, f"dimension {index}")
            raise Stop(f"the input's {where} can't be expressed where this is made")
        value = evaluated(code)
        if value is not DYNAMIC:
            return Known(value, code, Source.GIVEN)
        self.user_names |= names_in(code)
        return Code(self.hole(base.name, code), int)

    def dims(self, base: Outline) -> Items:
        if base.ndim is None:
            raise Stop(f"the number of dimensions of `{base.name}` is not known")
        return Items(tuple(self.dim(base, i) for i in range(base.ndim)), tuple)


def _plain(node: cst.List | cst.Tuple) -> bool:
    return all(isinstance(element, cst.Element) for element in node.elements)


def _type(node: cst.BaseExpression) -> type | None:
    """The type of what the code makes; `object` for what can't be None but may be many things."""
    match node:
        case cst.List() | cst.ListComp():
            return list
        case cst.Tuple():
            return tuple
        case cst.Dict() | cst.DictComp():
            return dict
        case cst.FormattedString() | cst.ConcatenatedString():
            return str
        case cst.BinaryOperation() | cst.UnaryOperation() | cst.Comparison() | cst.Lambda():
            return object
        case cst.Call():
            return object if dotted(node.func) else None
    return None
