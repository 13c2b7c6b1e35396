"""Calls of Python's own functions, and of code that the port does not see."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import libcst as cst

from codemods.passes.frame import Frame
from codemods.passes.modules import ModuleSpec
from codemods.passes.values import UNKNOWN, Value, text


class UnseenCalls:
    """Calls whose callee is not the framework's and not in the file."""

    def plain_call(self, callee: Value, node: cst.Call, frame: Frame) -> Value:
        """A call of something the port knows nothing of: only its arguments are rewritten."""
        args, values = [], []
        for arg in node.args:
            value = self.read_variable(self.eval(arg.value, frame))  # type: ignore[attr-defined]
            self.escape(value)
            values.append(value)
            args.append(arg.with_changes(value=value.code))
        code = node.with_changes(func=callee.code, args=args)
        staged = callee.is_tensor or any(value.is_tensor for value in values)
        if callee.special == ELEMENTWISE and values:
            return Value(code, tensor=values[0].tensor, staged=staged)
        name = text(node.func)
        known: Any = UNKNOWN
        dim = None
        if name in ("int", "float") and len(values) == 1 and node.args[0].star == "":
            known, dim = values[0].known, values[0].dim if name == "int" and (values[0].sure or staged) else None
            if name == "int" and dim is None and known is UNKNOWN and not staged and frame.spec is not None:
                if values[0].dim is not None and values[0].shape_of is None and _is_size(values[0].dim, frame.spec):
                    return dataclasses.replace(values[0], known=UNKNOWN, sure=True)
                else:
                    dim = frame.spec.symbols.of_code(text(code))
                return Value(code, dim=dim, sure=True)
            if values[0].dim is not None and not values[0].is_tensor:
                code = values[0].code if name == "int" and isinstance(node.args[0].value, cst.Subscript) else code
        elif name == "len" and len(values) == 1:
            elements = self.elements(values[0])
            known = len(elements) if elements is not None and values[0].shape_of is not None else UNKNOWN
            dim = known if known is not UNKNOWN else None
            if dim is None and frame.spec is not None and not staged:
                dim = frame.spec.symbols.of_code(text(code))
            staged = staged and values[0].shape_of is None
        elif name in ("list", "tuple", "reversed", "sorted") and len(values) == 1:
            items = self.elements(values[0])
            if name == "tuple" and isinstance(values[0].code, cst.Tuple):
                return values[0]
            if items is not None and name != "sorted":
                items = list(reversed(items)) if name == "reversed" else items
                return Value(code, items=items, staged=staged)
            return Value(code, item=values[0].item, staged=staged)
        elif name in _PRODUCTS and len(values) == 1:
            items = self.elements(values[0])
            if items and all(item.dim is not None for item in items):
                dim, staged = math.prod(item.dim for item in items), staged and values[0].shape_of is None
                if not staged:
                    self.unit.imports.add("math")  # type: ignore[attr-defined]
                    code = code.with_changes(func=cst.parse_expression("math.prod"))
        elif name == "enumerate" and values:
            return Value(code, item=self._pair(values[0], frame), items=self._enumerated(values[0]), staged=staged)
        elif name == "zip" and values:
            parts = [self.element_of(value, frame) for value in values]
            return Value(code, item=Value(code, items=parts), staged=staged)
        elif name == "range":
            return Value(code, item=Value(code, sure=True), staged=staged)
        return Value(code, known=known, dim=dim, staged=staged)

    def _pair(self, value: Value, frame: Frame) -> Value:
        return Value(value.code, items=[Value(value.code, sure=True), self.element_of(value, frame)])

    def _enumerated(self, value: Value) -> list[Value] | None:
        items = self.elements(value)
        if items is None:
            return None
        return [Value(value.code, items=[self.of_known(i), item]) for i, item in enumerate(items)]

    def escape(self, value: Value) -> None:
        """A layer handed to code we do not see must be complete by itself."""
        if value.layer is not None:
            value.layer.alone = True
        for item in [*(value.items or ()), *([value.item] if value.item else ())]:
            self.escape(item)


#: Functions that multiply the sizes they are given.
_PRODUCTS = frozenset({"np.prod", "numpy.prod", "math.prod"})

#: `special` of a function that gives what has the shape of its argument.
ELEMENTWISE = "elementwise"


def _is_size(dim: Any, spec: ModuleSpec) -> bool:
    """Is this surely an int: an input's dimension, or made of these and ints?"""
    own = {name for size in spec.dims.values() for name in spec.symbols.names(size)}
    return isinstance(dim, int) or spec.symbols.names(dim) <= own
