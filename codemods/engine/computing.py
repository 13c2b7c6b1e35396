"""Calls in rule bodies that are executed when porting: functions of what is known."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Sequence
from typing import Any

import libcst as cst
import numpy as np

from codemods.engine import rule
from codemods.engine.defaults import is_target
from codemods.engine.dims import Dim, Shape
from codemods.engine.operators import Operators
from codemods.engine.values import Code, Items, Known, Outline, Source, Stop, Value


class Computing(Operators):
    """Computes calls where it can be done."""

    def plain(self, value: Value) -> Any:
        """A value for a function that is executed: with dims for code that stands for an integer."""
        match value:
            case Known():
                return value.value
            case Items():
                return value.kind(self.plain(item) for item in value.items)
            case Outline():
                shape = Shape(value, lambda i: self.plain(self.state.dim(value, i)))
                return shape if value.is_shape else types.SimpleNamespace(shape=shape)
        if value.type is int or isinstance(value.code, cst.Name):
            return Dim(value.code)
        raise Stop("a size that the rule computes with is not known when porting")

    def computable(self, function: Any, node: cst.Call) -> Value | None:
        """The result of a function of known values, or of what is known of a value."""
        args = [self.eval(arg.value) for arg in node.args if arg.keyword is None]
        keywords = {arg.keyword.value: self.eval(arg.value) for arg in node.args if arg.keyword is not None}
        if function is isinstance and len(args) == 2:
            return self.instance(args[0], args[1])
        parts = [self.parts(arg) if not isinstance(arg, Known) else None for arg in args]
        if function is len and parts[0] is not None and args:
            return Known(len(parts[0]), None, Source.GIVEN)
        if function is len and isinstance(args[0], Outline) and args[0].is_shape:
            return Known(self.state.dims(args[0]).items.__len__(), None, Source.GIVEN)
        values = [*args, *keywords.values()]
        if all(isinstance(value, Known) for value in values):
            if callable(function) and not isinstance(function, rule.Macro) and not is_target(function):
                known = {name: value.value for name, value in keywords.items()}  # type: ignore[union-attr]
                plain = [value.value for value in args]  # type: ignore[union-attr]
                found = self.computed(lambda: _plain(function(*plain, **known)), node, *values)
                if isinstance(found.value, np.ndarray):  # has no literal
                    return dataclasses.replace(found, code=self.state.code(self.printed(node, self.eval(node.func))))
                return found
            return None
        if keywords or not all(isinstance(arg, Known) or p is not None for arg, p in zip(args, parts, strict=True)):
            return None
        sequences = [self.parts(arg) if p is None else p for arg, p in zip(args, parts, strict=True)]
        return self.sequence(function, args, sequences)

    def sequence(self, function: Any, args: Sequence[Value], parts: Sequence[Sequence[Value] | None]) -> Value | None:
        """Python's functions of sequences, for those whose elements are not all known."""
        if not parts or any(part is None for part in parts):
            return None
        if function in (list, tuple) and len(parts) == 1:
            same = isinstance(args[0], Items) and args[0].kind is function
            return args[0] if same else self.folded(Items(tuple(parts[0] or ()), function))
        if function is reversed:
            return Items(tuple(reversed(parts[0] or ())), list)
        if function is enumerate and len(parts) == 1:
            return Items(tuple(Items((Known(i), item), tuple) for i, item in enumerate(parts[0] or ())), list)
        if function is zip:
            rows = zip(*parts, strict=False)
            return Items(tuple(self.folded(Items(tuple(row), tuple)) for row in rows), list)
        return None

    def instance(self, value: Value, kinds: Value) -> Value | None:
        if not isinstance(kinds, Known):
            kinds = self.folded(kinds) if isinstance(kinds, Items) else kinds
        if not isinstance(kinds, Known):
            return None
        wanted = kinds.value if isinstance(kinds.value, tuple) else (kinds.value,)
        if isinstance(value, Known):
            return Known(isinstance(value.value, wanted), None, value.source)
        found = value.kind if isinstance(value, Items) else value.type if isinstance(value, Code) else None
        if found is None or found is object:
            return None
        return Known(issubclass(found, wanted), None, Source.GIVEN)

    def printed(self, node: cst.Call, function: Value) -> Value:
        """The call as code."""
        raise NotImplementedError


def _plain(value: Any) -> Any:
    """Scalars of NumPy as Python's own, and iterators written out."""
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        return value.item()
    return list(value) if isinstance(value, (range, zip, enumerate, map, reversed)) else value
