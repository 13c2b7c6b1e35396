"""Shapes of inputs that are given as configuration."""

from __future__ import annotations

from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine.walk import findall
from codemods.passes.frame import Frame
from codemods.passes.modules import ModuleSpec
from codemods.passes.values import UNKNOWN, Value, text


class InputShapes:
    """Sizes of a shape: constants, parameters, parts of either."""

    def shape_dims(self, value: Value, frame: Frame) -> list[Any] | None:
        """Dims of a shape given as configuration; None in it is open."""
        assert frame.spec is not None
        elements = self.elements(value)
        if elements is not None:
            dims: list[Any] = []
            for element in elements:
                if element.known is not UNKNOWN and element.known is not None:
                    dims.append(element.known)
                elif element.dim is not None:
                    dims.append(element.dim)
                else:
                    dims.append(frame.spec.symbols.unknown("d"))
            return dims
        if isinstance(value.known, int):
            return [value.known]
        if isinstance(value.code, cst.BinaryOperation) and isinstance(value.code.operator, cst.Add):
            halves = [self.shape_dims(self.of_part(part, frame), frame) for part in (value.code.left, value.code.right)]
            return [*halves[0], *halves[1]] if halves[0] is not None and halves[1] is not None else None
        ranked = isinstance(value.special, tuple) and value.special[0] == "ranked"
        rank = value.special[1] if ranked else self.rank_of_parameter(value, frame)
        if rank is None:
            return None
        code = text(value.code)
        return [frame.spec.symbols.of_code(f"{code}[{i if i < rank - 1 else -1}]") for i in range(rank)]

    def of_part(self, code: cst.BaseExpression, frame: Frame) -> Value:
        """Part of a shape that is put together from tuples."""
        if isinstance(code, cst.Name) and code.value in frame.env:
            return frame.env[code.value]
        if isinstance(code, cst.Tuple | cst.List):
            return Value(code, items=[self.of_part(element.value, frame) for element in code.elements])
        if isinstance(code, cst.Integer):
            return self.of_known(code.evaluated_value)
        return Value(code)

    def rank_of_parameter(self, value: Value, frame: Frame) -> int | None:
        if not isinstance(value.code, cst.Name) or not isinstance(frame.spec, ModuleSpec):
            return None
        if isinstance(frame.spec.node, cst.FunctionDef):
            for param in [*frame.spec.node.params.params, *frame.spec.node.params.kwonly_params]:
                if param.name.value == value.code.value:
                    known = self.default_value(param).items if param.default is not None else None
                    return len(known) if known is not None else self.given_rank(frame.spec, value.code.value)
        return None

    def given_rank(self, spec: ModuleSpec, name: str) -> int | None:
        """The length of the tuples that calls in the file, and the entry, give for a parameter."""
        lengths = self.given_lengths(spec.source, name, frozenset())
        return lengths.pop() if len(lengths) == 1 else None

    def given_lengths(self, function: str, name: str, seen: frozenset[tuple[str, str]]) -> set[int]:
        """Lengths of all tuples given for a parameter, also through parameters of the functions that call."""
        node = self.unit.functions[function]
        names = [p.name.value for p in node.params.params]
        owners: list[tuple[str, Any]] = [("", s) for s in self.unit.module.body if not isinstance(s, cst.FunctionDef)]
        owners += [("", self.entry_node)] if self.entry_node is not None else []
        found: set[int] = set()
        for owner, tree in [*owners, *self.unit.functions.items()]:
            for call in findall(tree, m.Call(func=m.Name(function.rsplit(".", 1)[-1]))):
                for i, arg in enumerate(call.args):  # type: ignore[attr-defined]
                    target = arg.keyword.value if arg.keyword else names[i] if i < len(names) else None
                    if target == name:
                        found |= self.tuple_lengths(arg.value, owner, seen | {(function, name)})
        return found

    def tuple_lengths(self, node: cst.BaseExpression, owner: str, seen: frozenset[tuple[str, str]]) -> set[int]:
        """Lengths that an argument may have: of a tuple, a constant of the file, or a parameter of the caller."""
        if isinstance(node, cst.Tuple | cst.List):
            return {len(node.elements)}
        if not isinstance(node, cst.Name):
            return set()
        constant = self.unit.globals.get(node.value)
        if constant is not None:
            return {len(constant.items)} if constant.items is not None else set()
        caller = self.unit.functions.get(owner)
        params = [*caller.params.params, *caller.params.kwonly_params] if caller is not None else []
        param = next((p for p in params if p.name.value == node.value), None)
        if param is None or (owner, node.value) in seen:
            return set()
        default = self.default_value(param).items if param.default is not None else None
        return ({len(default)} if default is not None else set()) | self.given_lengths(owner, node.value, seen)
