"""Subscripts and slices."""

from __future__ import annotations

import operator
from typing import Any

import libcst as cst

from codemods.passes import abstract
from codemods.passes.expressions.width_lists import Widths
from codemods.passes.frame import Frame
from codemods.passes.values import UNKNOWN, TensorType, Value, text


class Subscripts:
    """Evaluation of `a[b]`."""

    def _eval_Subscript(self, node: cst.Subscript, frame: Frame) -> Value:
        base = self.eval(node.value, frame)
        elements, indices = [], []
        for element in node.slice:
            new, index = self._slice(element.slice, frame)
            elements.append(element.with_changes(slice=new))
            indices.append(index)
        code = node.with_changes(value=base.code, slice=elements)
        return self.index(base, code, indices, frame)

    def index(self, base: Value, code: cst.Subscript, indices: list[Any], frame: Frame) -> Value:
        first = indices[0] if len(indices) == 1 else UNKNOWN
        if base.items is not None and first is not UNKNOWN:
            try:
                found = base.items[first]
            except Exception:
                found = None
            if isinstance(found, Value):
                if base.shape_of is not None and frame.as_init:
                    return self.dim_value(code, found.dim, frame) if found.dim is not None else found
                return found.with_code(code)
            if isinstance(found, list):
                if base.shape_of is not None and frame.as_init:
                    return self.part_of_shape(code, found, frame)
                return Value(code, items=found)
        if base.mapping is not None and first is not UNKNOWN and first in base.mapping:
            return base.mapping[first].with_code(code)
        if isinstance(base.special, Widths) and frame.spec is not None:
            return self.index_widths(base, code, frame)
        if base.item is not None:
            return base.item.with_code(code)
        if base.tensor is not None:
            try:
                key = indices[0] if len(indices) == 1 else tuple(indices)
                if any(index is UNKNOWN for index in indices):
                    raise abstract.NoShape
                tree = abstract.evaluate(operator.getitem, [abstract.concrete(base), key], {})
                return abstract.result_value(code, tree)
            except abstract.NoShape:
                return Value(code, tensor=TensorType(None, base.tensor.dtype))
        if base.known is not UNKNOWN and first is not UNKNOWN:
            try:
                known = base.known[first]
                return Value(code, known=known, dim=known if isinstance(known, int) else None)
            except Exception:
                return Value(code)
        dim = None
        if frame.spec is not None and not base.is_tensor:
            dim = frame.spec.symbols.of_code(text(code))
        return Value(code, dim=dim, staged=base.is_tensor)

    def part_of_shape(self, code: cst.Subscript, dims: list[Value], frame: Frame) -> Value:
        """`input_shape[-1:]` where layers are made: a tuple of sizes, if each can be said there."""
        assert frame.spec is not None
        if any(value.dim is None or frame.spec.symbols.code(value.dim) is None for value in dims):
            return Value(code, items=dims)
        items = [self.dim_value(code, value.dim, frame) for value in dims]
        sizes = cst.Tuple([cst.Element(item.code) for item in items])
        return Value(sizes, items=items, shape_of=TensorType(tuple(value.dim for value in dims)))

    def _slice(self, node: cst.BaseSlice, frame: Frame) -> tuple[cst.BaseSlice, Any]:
        if isinstance(node, cst.Index):
            value = self.eval(node.value, frame)
            known: Any = value.known
            if known is UNKNOWN and value.dim is not None and value.items is None:
                known = value.dim
            return node.with_changes(value=value.code), known
        assert isinstance(node, cst.Slice)
        parts: dict[str, Any] = {}
        bounds: list[Any] = []
        for field in ("lower", "upper", "step"):
            part = getattr(node, field)
            if part is None:
                bounds.append(None)
                continue
            value = self.eval(part, frame)
            parts[field] = value.code
            bounds.append(
                value.known if value.known is not UNKNOWN else (value.dim if value.dim is not None else UNKNOWN)
            )
        known = UNKNOWN if any(bound is UNKNOWN for bound in bounds) else slice(*bounds)
        return node.with_changes(**parts), known
