"""Types of what rules give: the rule's own body, run on shapes."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import libcst as cst

from codemods.engine import rule as rules
from codemods.passes import abstract
from codemods.passes.calls.assumed_shapes import assumed
from codemods.passes.frame import Frame
from codemods.passes.values import TensorType, Value, same_dim

#: The same as functions, and operators on elements: all sizes that meet are the same.
ON_ELEMENTS = frozenset(
    [f"tf.keras.layers.{n}" for n in ("add", "subtract", "multiply", "average", "maximum", "minimum")]
    + [
        f"tf.{m}.{n}"
        for m in ("math", "keras.ops")
        for n in ("add", "subtract", "multiply", "maximum", "minimum", "divide")
    ]
)


#: Functions that join tensors: all sizes but those on the axis are the same.
JOINS = frozenset(
    {"tf.concat", "tf.keras.layers.concatenate", "tf.keras.ops.concatenate", "tf.keras.backend.concatenate"}
)


_JOINED = ON_ELEMENTS | JOINS


class RuleResults:
    """Shape and dtype of a rewritten call's result."""

    def rule_value(
        self, entry: rules.Rule, arguments: Mapping[str, Value], code: cst.BaseExpression, frame: Frame,
        bound: inspect.BoundArguments,
    ) -> Value:  # fmt: skip
        if isinstance(code, cst.Attribute) and code.attr.value == "shape":
            for value in arguments.values():
                if value.tensor is not None:
                    return self.shape_value(code, value.tensor, frame)  # type: ignore[attr-defined]
        for value in arguments.values():
            if value.code is code and value.shape_of is None:
                return value
            if value.shape_of is not None and value.code is code:
                return value
        staged = any(isinstance(value, Value) and value.is_tensor for value in arguments.values())
        for listed in arguments.values():
            joined = self.joined_width(entry.symbols[0], listed, frame)  # type: ignore[attr-defined]
            if joined is not None and not _JOINED.isdisjoint(entry.symbols):
                return joined.with_code(code)
        value = self.shaped(entry, bound, code, frame)
        if not staged and not entry.random and frame.mode != "plain":
            # Made of configuration alone: it can be computed once, in the constructor.
            value = dataclasses.replace(value, special="constant_tensor")
        return value

    def shaped(self, entry: rules.Rule, bound: inspect.BoundArguments, code: cst.BaseExpression, frame: Frame) -> Value:
        """Type of a rule's result: its body run on shapes."""
        if entry.random:
            return self.random_value(bound, code)
        values = list(bound.arguments.values())
        attempts = [lambda value: value, self.unified(values, frame)]
        if not ON_ELEMENTS.isdisjoint(entry.symbols):
            attempts.append(self.unified(values, frame, every=True))
        elif not JOINS.isdisjoint(entry.symbols):
            axis = bound.arguments["axis"].known if "axis" in bound.arguments else -1
            attempts.append(self.unified(values, frame, every=True, apart=axis if isinstance(axis, int) else -1))
        for attempt in attempts:
            try:

                def concrete(value: Any, attempt: Any = attempt) -> Any:
                    if isinstance(value, tuple):
                        return [concrete(part) for part in value]
                    return abstract.concrete(attempt(value))

                kinds = entry.signature.parameters
                starred = [n for n in bound.arguments if kinds[n].kind is inspect.Parameter.VAR_POSITIONAL]
                if starred:
                    values = [concrete(v) for v in bound.args]
                    tree = abstract.evaluate(entry.function, values, {k: concrete(v) for k, v in bound.kwargs.items()})
                else:
                    given = {n: concrete(v) for n, v in bound.arguments.items() if n != "name"}
                    tree = abstract.evaluate(entry.function, [], given)
                return abstract.result_value(code, tree)
            except abstract.NoShape:
                continue
        if not ON_ELEMENTS.isdisjoint(entry.symbols):
            flat = [part for v in values if isinstance(v, Value) for part in (v.items or [v])]
            return Value(code, tensor=self.widest(flat))  # type: ignore[attr-defined]
        symbols = frame.spec.symbols if frame.spec else self.plain_symbols  # type: ignore[attr-defined]
        elements = self.elements  # type: ignore[attr-defined]
        return Value(code, tensor=assumed(entry.symbols, bound.arguments, elements, lambda: symbols.unknown("d")))

    def random_value(self, bound: inspect.BoundArguments, code: cst.BaseExpression) -> Value:
        shape = bound.arguments.get("shape")
        if not isinstance(shape, Value):
            return Value(code, tensor=TensorType())
        if shape.shape_of is not None:
            return Value(code, tensor=TensorType(shape.shape_of.shape, "float32"))
        dims = []
        for element in self.elements(shape) or ():
            dims.append(element.known if isinstance(element.known, int) else element.dim)
        if not dims or any(dim is None for dim in dims):
            return Value(code, tensor=TensorType())
        return Value(code, tensor=TensorType(tuple(dims), "float32"))

    def unified(self, values: Sequence[Any], frame: Frame, every: bool = False, apart: int | None = None) -> Any:
        """Tensors that meet in one operation have the same dims: one that can be expressed stands for one that can't.

        `every`: for an operation on elements, where the first size stands for all sizes that are not known to be
        the same; any other would be an error in the original. `apart`: the axis that is left as it is.
        """
        symbols = frame.spec.symbols if frame.spec else self.plain_symbols
        shapes: list[Any] = []

        def collect(value: Any) -> None:
            if isinstance(value, tuple):
                for part in value:
                    collect(part)
            elif isinstance(value, Value):
                if value.tensor is not None and value.tensor.shape is not None:
                    shapes.append(value.tensor.shape)
                for item in value.items or ():
                    collect(item)

        collect(tuple(values))
        width = max((len(shape) for shape in shapes), default=0)
        best: dict[int, Any] = {}

        def usable(dim: Any) -> bool:
            return symbols.code(dim) is not None and not symbols.is_local(dim) and not symbols.at_call(dim)

        inputs = {name for dim in frame.spec.dims.values() for name in symbols.names(dim)} if frame.spec else set()

        def rank(dim: Any) -> int:
            """What the constructor was told to make says more than what it was given."""
            if isinstance(dim, int):
                return 0
            if not usable(dim):
                return 3
            return 2 if symbols.names(dim) & inputs else 1

        for axis in range(-width, 0):
            dims = [s[axis] for s in shapes if len(s) >= -axis and not same_dim(s[axis], 1)]
            if dims:
                best[axis] = min(dims, key=rank)

        def replaced(value: Any) -> Any:
            if not isinstance(value, Value):
                return value
            tensor = value.tensor
            if tensor is not None and tensor.shape is not None:
                length = len(tensor.shape)
                kept = apart % length if apart is not None and length else None
                dims = tuple(
                    best.get(i - length, d) if i != kept and not same_dim(d, 1) and (every or not usable(d)) else d
                    for i, d in enumerate(tensor.shape)
                )
                tensor = TensorType(dims, tensor.dtype)
            items = [replaced(item) for item in value.items] if value.items is not None else None
            return dataclasses.replace(value, tensor=tensor, items=items)

        return replaced
