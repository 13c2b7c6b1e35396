"""Literals and containers."""

from __future__ import annotations

from typing import Any

import libcst as cst

from codemods.passes.frame import Frame
from codemods.passes.values import UNKNOWN, Value


class Literals:
    """Evaluation of numbers, strings, lists, tuples and dicts."""

    def _eval_Integer(self, node: cst.Integer, frame: Frame) -> Value:
        return Value(node, known=node.evaluated_value, dim=node.evaluated_value)

    def _eval_Float(self, node: cst.Float, frame: Frame) -> Value:
        return Value(node, known=node.evaluated_value)

    def _eval_SimpleString(self, node: cst.SimpleString, frame: Frame) -> Value:
        return Value(node, known=node.evaluated_value)

    def _eval_Ellipsis(self, node: cst.Ellipsis, frame: Frame) -> Value:
        return Value(node, known=...)

    def _sequence(self, node: Any, frame: Frame, make: type) -> Value:
        items, elements = [], []
        starred = False
        for element in node.elements:
            value = self.eval(element.value, frame)
            starred = starred or isinstance(element, cst.StarredElement)
            items.append(value)
            elements.append(element.with_changes(value=value.code))
        code = node.with_changes(elements=elements)
        if frame.as_init and items and not starred and all(item.tensor is not None for item in items):
            return self.width_list(Value(code, items=items), frame)
        if starred:
            return Value(code, staged=any(item.is_tensor for item in items))
        known: Any = UNKNOWN
        if all(item.known is not UNKNOWN for item in items):
            known = make(item.known for item in items)
        return Value(code, known=known, items=items)

    def _eval_List(self, node: cst.List, frame: Frame) -> Value:
        return self._sequence(node, frame, list)

    def _eval_Tuple(self, node: cst.Tuple, frame: Frame) -> Value:
        return self._sequence(node, frame, tuple)

    def _eval_Dict(self, node: cst.Dict, frame: Frame) -> Value:
        mapping: dict[Any, Value] | None = {}
        elements: list[cst.BaseDictElement] = []
        staged = False
        for element in node.elements:
            value = self.eval(element.value, frame)
            staged = staged or value.is_tensor
            if isinstance(element, cst.DictElement):
                key = self.eval(element.key, frame)
                if mapping is not None and key.known is not UNKNOWN:
                    mapping[key.known] = value
                else:
                    mapping = None
                elements.append(element.with_changes(key=key.code, value=value.code))
            else:
                mapping = None
                elements.append(element.with_changes(value=value.code))
        return Value(node.with_changes(elements=elements), mapping=mapping, staged=staged and mapping is None)
