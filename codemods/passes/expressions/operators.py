"""Operators: on tensors, on configuration, on sizes."""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Sequence
from typing import Any

import libcst as cst

from codemods.passes import abstract
from codemods.passes.frame import Frame
from codemods.passes.values import UNKNOWN, NamedInt, TensorType, Value, text

#: Operators that give an int for ints.
WHOLE_NUMBERS = (operator.add, operator.sub, operator.mul, operator.floordiv, operator.mod, operator.pow, operator.neg)


class Operators:
    """Evaluation of arithmetic, comparisons, `and`, `or`, `not` and conditional expressions."""

    def _eval_BinaryOperation(self, node: cst.BinaryOperation, frame: Frame) -> Value:
        left, right = self.eval(node.left, frame), self.eval(node.right, frame)
        code = node.with_changes(left=left.code, right=right.code)
        return self.combine(code, abstract.BINARY.get(type(node.operator)), [left, right], frame)

    def _eval_UnaryOperation(self, node: cst.UnaryOperation, frame: Frame) -> Value:
        inner = self.eval(node.expression, frame)
        code = node.with_changes(expression=inner.code)
        functions: dict[type, Any] = {cst.Minus: operator.neg, cst.Not: operator.not_, cst.BitInvert: operator.invert}
        return self.combine(code, functions.get(type(node.operator), operator.pos), [inner], frame)

    def _eval_Comparison(self, node: cst.Comparison, frame: Frame) -> Value:
        values = [self.eval(node.left, frame)]
        comparisons = []
        for target in node.comparisons:
            values.append(self.eval(target.comparator, frame))
            comparisons.append(target.with_changes(comparator=values[-1].code))
        code = node.with_changes(left=values[0].code, comparisons=comparisons)
        function = None
        if len(comparisons) == 1:
            kind = type(node.comparisons[0].operator)
            function = abstract.COMPARE.get(kind)
            if kind in (cst.Is, cst.IsNot):
                return self.identity_test(code, kind is cst.Is, values)
        return self.combine(code, function, values, frame)

    def identity_test(self, code: cst.BaseExpression, positive: bool, values: Sequence[Value]) -> Value:
        a, b = (value.known for value in values)
        known: Any = UNKNOWN
        if a is not UNKNOWN and b is not UNKNOWN:
            known = (a is b) is positive
        elif b is None and (values[0].is_tensor or values[0].has_layers):
            known = not positive
        return Value(code, known=known)

    def _eval_BooleanOperation(self, node: cst.BooleanOperation, frame: Frame) -> Value:
        left, right = self.eval(node.left, frame), self.eval(node.right, frame)
        code = node.with_changes(left=left.code, right=right.code)
        known: Any = UNKNOWN
        if left.known is not UNKNOWN and right.known is not UNKNOWN:
            known = (left.known and right.known) if isinstance(node.operator, cst.And) else (left.known or right.known)
        elif any(side.known is isinstance(node.operator, cst.Or) for side in (left, right)):
            known = isinstance(node.operator, cst.Or)  # whatever the other side is
        return Value(code, known=known, staged=left.is_tensor or right.is_tensor)

    def _eval_IfExp(self, node: cst.IfExp, frame: Frame) -> Value:
        test = self.eval(node.test, frame)
        body, orelse = self.eval(node.body, frame), self.eval(node.orelse, frame)
        code = node.with_changes(test=test.code, body=body.code, orelse=orelse.code)
        joined = self.join(body, orelse, frame)
        no_size = any(side.known is not UNKNOWN and type(side.known) is not int for side in (body, orelse))
        if joined.dim is None and frame.spec is not None and not joined.is_tensor and not no_size:
            joined = dataclasses.replace(joined, dim=frame.spec.symbols.of_code(f"({text(code)})"))
        return dataclasses.replace(joined, code=code, staged=joined.staged or test.is_tensor)

    def combine(self, code: cst.BaseExpression, function: Any, values: Sequence[Value], frame: Frame) -> Value:
        """Result of an operator."""
        if any(value.tensor is not None for value in values):
            attempts = [lambda value: value, self.unified(values, frame)]
            if function is not operator.matmul:
                attempts.append(self.unified(values, frame, every=True))
            for attempt in attempts:
                try:
                    tree = abstract.evaluate(function, [abstract.concrete(attempt(value)) for value in values], {})
                    return abstract.result_value(code, tree)
                except (abstract.NoShape, TypeError):
                    continue
            return Value(code, tensor=self.widest(values))
        known: Any = UNKNOWN
        dim = None
        if function is not None and all(value.known is not UNKNOWN for value in values):
            try:
                known = function(*[value.known for value in values])
            except Exception:
                known = UNKNOWN
        if known is not UNKNOWN and isinstance(known, int) and not isinstance(known, bool):
            dim = NamedInt(known, text(code)) if _of_constants(values) else known
        elif function is not None and all(value.dim is not None for value in values):
            dim = self.dim_result(function, values, code, frame)
        staged = any(value.is_tensor for value in values)
        whole = function in WHOLE_NUMBERS and all(value.sure or isinstance(value.known, int) for value in values)
        return Value(code, known=known, dim=dim, staged=staged, sure=whole)

    def widest(self, values: Sequence[Value]) -> TensorType:
        """Where one operand's shape is not known, the other's is taken to be the result's; the trace and the
        parity test would show otherwise."""
        known = [value.tensor for value in values if value.tensor is not None and value.tensor.shape is not None]
        if len(known) == len([value for value in values if value.is_tensor]):
            return TensorType()
        return max(known, key=lambda tensor: len(tensor.shape or ()), default=TensorType())

    def dim_result(self, function: Any, values: Sequence[Value], code: cst.BaseExpression, frame: Frame) -> Any:
        try:
            dim = function(*[value.dim for value in values])
        except Exception:
            if function in WHOLE_NUMBERS and frame.spec is not None and not any(value.is_tensor for value in values):
                return frame.spec.symbols.of_code(text(code))
            return None
        if isinstance(dim, bool) or type(dim).__name__ == "bool":
            return None
        if frame.spec is not None and not any(value.is_tensor for value in values) and not isinstance(dim, int):
            try:
                frame.spec.symbols.prefer(dim, text(code))
            except Exception:
                return None
        return dim if isinstance(dim, int) or type(dim).__name__ == "_DimExpr" else None


def _of_constants(values: Sequence[Value]) -> bool:
    """Are these literals and constants of the file, at least one of them a constant?"""
    named = [isinstance(v.dim, NamedInt) and v.dim.code == text(v.code) for v in values]
    return any(named) and all(
        is_name or isinstance(v.code, cst.Integer) for v, is_name in zip(values, named, strict=True)
    )
