"""What names stand for after a loop, a join of branches or an assignment."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any

import libcst as cst

from codemods.passes.expressions.width_lists import Widths
from codemods.passes.frame import Frame
from codemods.passes.modules import ModuleSpec
from codemods.passes.names import assigned_names
from codemods.passes.values import UNKNOWN, Symbols, TensorType, Value, is_int, join, literal, text


class Binding:
    """Values of names: joined, taken apart, bound."""

    def join(self, a: Value, b: Value, frame: Frame) -> Value:
        symbols = frame.spec.symbols if frame.spec else self.plain_symbols
        return join(a, b, symbols)

    def elements(self, value: Value) -> list[Value] | None:
        """The elements of a sequence of known length."""
        if value.items is not None:
            return value.items
        if value.mapping is not None:
            return [Value(literal(key), known=key) for key in value.mapping]
        if isinstance(value.known, list | tuple | str | range):
            return [self.of_known(item) for item in value.known]
        return None

    def of_known(self, item: Any) -> Value:
        dim = item if isinstance(item, int) and not isinstance(item, bool) else None
        items = [self.of_known(part) for part in item] if isinstance(item, list | tuple) else None
        return Value(literal(item), known=item, dim=dim, items=items)

    def element_of(self, value: Value, frame: Frame) -> Value:
        """What a loop over `value` binds its target to."""
        if value.item is not None:
            return value.item
        elements = self.elements(value)
        if elements:
            joined = elements[0]
            for item in elements[1:]:
                joined = self.join(joined, item, frame)
            return any_of(joined)
        if value.tensor is not None and value.tensor.shape:
            return Value(value.code, tensor=TensorType(value.tensor.shape[1:], value.tensor.dtype))
        return Value(cst.Name("_"), staged=value.is_tensor)

    def bound_once(self, name: str, spec: ModuleSpec) -> bool:
        """Does a local name keep one value, so that it can stand for it anywhere later?"""
        if id(spec) not in self.bindings:
            counts: Counter[str] = Counter()

            class Count(cst.CSTVisitor):
                def visit_Assign(self, node: cst.Assign) -> None:
                    counts.update(assigned_names(node))

                def visit_AugAssign(self, node: cst.AugAssign) -> None:
                    counts.update(assigned_names(node))

                def visit_For(self, node: cst.For) -> None:
                    counts.update(2 * [*assigned_names(cst.Assign([cst.AssignTarget(node.target)], cst.Name("_")))])

            spec.node.visit(Count())
            self.bindings[id(spec)] = counts
        return self.bindings[id(spec)][name] == 1

    def bind_target(self, target: cst.BaseExpression, value: Value, frame: Frame) -> None:
        """Binds names (or a tuple of names) to a value's abstract parts."""
        if isinstance(target, cst.Name):
            dim = value.dim
            known = value.known
            if (
                dim is None
                and frame.spec is not None
                and not value.is_tensor
                and not value.has_layers
                and known is UNKNOWN
            ):
                dim = frame.spec.symbols.of_code(target.value)
            elif dim is not None and not isinstance(dim, int) and frame.spec is not None and not value.is_tensor:
                if self.bound_once(target.value, frame.spec):
                    frame.spec.symbols.prefer(dim, target.value)
            frame.env[target.value] = dataclasses.replace(value, code=target, dim=dim)
        elif isinstance(target, cst.Tuple | cst.List):
            items = self.elements(value)
            if items is None and value.tensor is not None and value.tensor.shape:
                rest = TensorType(value.tensor.shape[1:], value.tensor.dtype)
                items = [Value(value.code, tensor=rest) for _ in target.elements]
            for i, element in enumerate(target.elements):
                part = items[i] if items is not None and i < len(items) else None
                of_name = isinstance(value.code, cst.Name) and value.code.value != "_"
                if part is None and of_name and frame.spec is not None and not value.is_tensor:
                    code = cst.Subscript(value.code, [cst.SubscriptElement(cst.Index(literal(i)))])
                    part = Value(code, dim=frame.spec.symbols.of_code(text(code)))
                if part is None and isinstance(value.special, Widths) and value.item is not None:
                    part = self.of_width(value.item, f"{value.special.code}[{i}]", frame)  # type: ignore[attr-defined]
                if isinstance(element, cst.StarredElement):
                    part = Value(element.value, staged=value.is_tensor)
                self.bind_target(element.value, part or Value(element.value, staged=value.is_tensor), frame)


def any_of(value: Value) -> Value:
    """One element of a sequence, whichever: its type, not its value."""
    items = [any_of(item) for item in value.items] if value.items is not None else None
    dim = None if value.tensor is None else value.dim
    return dataclasses.replace(value, known=UNKNOWN, dim=dim, items=items, sure=is_int(value))


def symbols_of(frame: Frame, otherwise: Symbols) -> Symbols:
    return frame.spec.symbols if frame.spec is not None else otherwise
