"""Operators, subscripts and displays in rule bodies: computed over what is known, else printed with their parts."""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Callable
from typing import Any

import libcst as cst

from codemods.engine.expressions import Expressions, bare, source_of
from codemods.engine.values import Code, Items, Known, Outline, Stop, Value

_BINARY: dict[type[cst.CSTNode], Callable[[Any, Any], Any]] = {
    cst.Add: operator.add,
    cst.Subtract: operator.sub,
    cst.Multiply: operator.mul,
    cst.Divide: operator.truediv,
    cst.FloorDivide: operator.floordiv,
    cst.Modulo: operator.mod,
    cst.Power: operator.pow,
    cst.LeftShift: operator.lshift,
    cst.RightShift: operator.rshift,
    cst.BitOr: operator.or_,
    cst.BitAnd: operator.and_,
    cst.BitXor: operator.xor,
}
_UNARY: dict[type[cst.CSTNode], Callable[[Any], Any]] = {
    cst.Not: operator.not_,
    cst.Minus: operator.neg,
    cst.Plus: operator.pos,
    cst.BitInvert: operator.invert,
}
_COMPARE: dict[type[cst.CSTNode], Callable[[Any, Any], Any]] = {
    cst.Equal: operator.eq,
    cst.NotEqual: operator.ne,
    cst.LessThan: operator.lt,
    cst.LessThanEqual: operator.le,
    cst.GreaterThan: operator.gt,
    cst.GreaterThanEqual: operator.ge,
    cst.Is: operator.is_,
    cst.IsNot: operator.is_not,
    cst.In: lambda a, b: a in b,
    cst.NotIn: lambda a, b: a not in b,
}

_print = cst.Module([]).code_for_node


class Operators(Expressions):
    """Evaluates expressions that are made of others, calls aside."""

    def eval_BinaryOperation(self, node: cst.BinaryOperation) -> Value:
        left, right = self.eval(node.left), self.eval(node.right)
        compute = _BINARY.get(type(node.operator))
        if isinstance(left, Known) and isinstance(right, Known) and compute is not None:
            return self.computed(lambda: compute(left.value, right.value), node, left, right)
        if isinstance(node.operator, cst.Add) and (isinstance(left, Items) or isinstance(right, Items)):
            first, second = self.parts(left), self.parts(right)
            if first is not None and second is not None:
                kind = left.kind if isinstance(left, Items) else right.kind  # type: ignore[union-attr]
                return Items((*first, *second), kind)
        if isinstance(node.operator, cst.Multiply) and isinstance(left, Known) and type(left.value) is int:
            if left.value == 1 and isinstance(right, Code) and right.type is int:
                return right
        if isinstance(node.operator, cst.Multiply) and isinstance(left, Items) and isinstance(right, Known):
            return Items(left.items * right.value, left.kind)
        return Code(bare(node).with_changes(left=self.state.code(left), right=self.state.code(right)))

    def eval_UnaryOperation(self, node: cst.UnaryOperation) -> Value:
        value = self.eval(node.expression)
        if isinstance(value, Known):
            return self.computed(lambda: _UNARY[type(node.operator)](value.value), node, value)
        if isinstance(node.operator, cst.Not) and isinstance(value, Items):
            return Known(not value.items)
        return Code(bare(node).with_changes(expression=self.state.code(value)))

    def eval_BooleanOperation(self, node: cst.BooleanOperation) -> Value:
        left, stops = self.eval(node.left), isinstance(node.operator, cst.Or)
        if isinstance(left, Items):
            left = left if bool(left.items) is stops else self.eval(node.right)
            return left
        if isinstance(left, Known):
            if bool(left.value) is stops:
                return left
            right = self.eval(node.right)
            if isinstance(right, Known):
                return dataclasses.replace(right, source=max(left.source, right.source))
            return right
        return Code(bare(node).with_changes(left=self.state.code(left), right=self.code(node.right)))

    def eval_IfExp(self, node: cst.IfExp) -> Value:
        test = self.eval(node.test)
        if isinstance(test, (Known, Items)):
            taken = test.value if isinstance(test, Known) else test.items
            found = self.eval(node.body if taken else node.orelse)
            if isinstance(test, Known) and isinstance(found, Known):
                return dataclasses.replace(found, source=max(found.source, test.source))
            return found
        parts = {"test": self.state.code(test), "body": self.code(node.body), "orelse": self.code(node.orelse)}
        return Code(bare(node).with_changes(**parts))

    def eval_Comparison(self, node: cst.Comparison) -> Value:
        values = [self.eval(node.left), *(self.eval(target.comparator) for target in node.comparisons)]
        result = True
        for left, target, right in zip(values, node.comparisons, values[1:], strict=False):
            verdict = self.compared(left, target.operator, right)
            if verdict is None:
                break
            result = result and verdict
            if not result:
                return Known(False, None, source_of(*values))
        else:
            return Known(result, None, source_of(*values))
        codes = [self.state.code(value) for value in values]
        targets = [t.with_changes(comparator=c) for t, c in zip(node.comparisons, codes[1:], strict=True)]
        return Code(bare(node).with_changes(left=codes[0], comparisons=targets), bool)

    def same_size(self, left: Code, right: Code) -> bool:
        """Are two sizes written with the same code?"""
        if left.type is not int or right.type is not int:
            return False
        one, other = (self.filled(value.code) for value in (left, right))
        return one.deep_equals(other)

    def filled(self, code: cst.BaseExpression) -> cst.BaseExpression:
        """The argument's code, for a hole."""
        hole = self.state.holes.get(code.value) if isinstance(code, cst.Name) else None
        return code if hole is None else hole.code

    def compared(self, left: Value, op: cst.BaseCompOp, right: Value) -> bool | None:
        """The outcome of a comparison, None where it is not known."""
        identity, equality = isinstance(op, (cst.Is, cst.IsNot)), isinstance(op, (cst.Equal, cst.NotEqual))
        if isinstance(left, Known) and isinstance(right, Known):
            try:
                return bool(_COMPARE[type(op)](left.value, right.value))
            except TypeError as error:
                raise Stop(str(error)) from error
        if equality and isinstance(left, Code) and isinstance(right, Code) and self.same_size(left, right):
            return isinstance(op, cst.Equal)
        for one, other in ((left, right), (right, left)):
            if isinstance(other, Known) and other.value is None and (identity or equality):
                present = isinstance(one, (Items, Outline)) or isinstance(one, Code) and _present(one)
                return isinstance(op, (cst.IsNot, cst.NotEqual)) if present else None
        if isinstance(op, (cst.In, cst.NotIn)) and isinstance(right, Items) and isinstance(left, Known):
            held = any(isinstance(item, Known) and item.value == left.value for item in right.items)
            return isinstance(op, cst.In) if held else None
        if equality:
            first, second = self.parts(left), self.parts(right)
            if first is not None and second is not None and len(first) != len(second):
                return isinstance(op, cst.NotEqual)
        return None

    def eval_Subscript(self, node: cst.Subscript) -> Value:
        base = self.eval(node.value)
        if len(node.slice) == 1 and isinstance(node.slice[0].slice, cst.Index):
            index = self.eval(node.slice[0].slice.value)
            found = self.item(base, index)
            if found is not None:
                return found
            element = node.slice[0].with_changes(slice=node.slice[0].slice.with_changes(value=self.state.code(index)))
            return Code(bare(node).with_changes(value=self.state.code(base), slice=[element]))
        bounds = [bound for element in node.slice for bound in self.bounds(element.slice)]
        known = [bound.value for bound in bounds if isinstance(bound, Known)]
        if len(node.slice) == 1 and len(known) == len(bounds):
            cut = slice(*known)
            if isinstance(base, Known) and not _array(base.value):
                whole = base.value
                return self.computed(lambda: whole[cut], node, base)
            if isinstance(base, Outline) and base.is_shape:
                base = self.state.dims(base)
            if isinstance(base, Items):
                return Items(base.items[cut], base.kind)
        elements = [element.with_changes(slice=self.sliced(element.slice)) for element in node.slice]
        return Code(bare(node).with_changes(value=self.state.code(base), slice=elements))

    def item(self, base: Value, index: Value) -> Value | None:
        if not isinstance(index, Known):
            return None
        if isinstance(base, Outline) and base.is_shape and isinstance(index.value, int):
            return self.state.dim(base, index.value)
        parts = base.items if isinstance(base, Items) else None
        try:
            if parts is not None:
                return parts[index.value]
            if isinstance(base, Known) and not _array(base.value):
                return Known(base.value[index.value], None, source_of(base, index))
        except (IndexError, KeyError, TypeError) as error:
            raise Stop(f"{type(error).__name__}: {error}") from error
        return None

    def bounds(self, part: cst.BaseSlice) -> list[Value]:
        if isinstance(part, cst.Index):
            return [Code(part.value)]
        assert isinstance(part, cst.Slice)
        bounds = (part.lower, part.upper, part.step)
        return [self.eval(bound) if bound is not None else Known(None) for bound in bounds]

    def sliced(self, part: cst.BaseSlice) -> cst.BaseSlice:
        if isinstance(part, cst.Index):
            return part.with_changes(value=self.code(part.value))
        assert isinstance(part, cst.Slice)
        bounds = {name: getattr(part, name) for name in ("lower", "upper", "step")}
        return part.with_changes(**{name: bound and self.code(bound) for name, bound in bounds.items()})

    # Displays

    def eval_List(self, node: cst.List) -> Value:
        return self.display(node, list)

    def eval_Tuple(self, node: cst.Tuple) -> Value:
        return self.display(node, tuple)

    def display(self, node: cst.List | cst.Tuple, kind: type) -> Value:
        items: list[Value] = []
        for element in node.elements:
            value = self.eval(element.value)
            if isinstance(element, cst.Element):
                items.append(value)
                continue
            parts = self.parts(value)
            if parts is None:
                elements = [e.with_changes(value=self.code(e.value)) for e in node.elements]
                return Code(node.with_changes(elements=elements), kind)
            items += parts
        return self.folded(Items(tuple(items), kind))

    def folded(self, value: Items) -> Value:
        """A display of known values that print as literals is a known value."""
        if all(isinstance(item, Known) and item.code is None for item in value.items):
            known = value.kind(item.value for item in value.items)  # type: ignore[union-attr]
            return Known(known, None, source_of(*value.items))
        if all(isinstance(item, Known) for item in value.items):
            known = value.kind(item.value for item in value.items)  # type: ignore[union-attr]
            return Known(known, self.state.code(value), source_of(*value.items))
        return value

    def eval_Dict(self, node: cst.Dict) -> Value:
        keys = [self.eval(element.key) for element in node.elements if isinstance(element, cst.DictElement)]
        values = [self.eval(element.value) for element in node.elements]
        if len(keys) == len(values) and all(isinstance(value, Known) for value in (*keys, *values)):
            return Known({key.value: value.value for key, value in zip(keys, values, strict=True)})  # type: ignore[union-attr]
        elements = []
        for element, value in zip(node.elements, values, strict=True):
            changes = {"value": self.state.code(value)}
            if isinstance(element, cst.DictElement):
                changes["key"] = self.code(element.key)
            elements.append(element.with_changes(**changes))
        return Code(node.with_changes(elements=elements), dict)

    def eval_FormattedString(self, node: cst.FormattedString) -> Value:
        parts, known = [], True
        for part in node.parts:
            if isinstance(part, cst.FormattedStringExpression):
                value = self.eval(part.expression)
                known = known and isinstance(value, Known)
                part = part.with_changes(expression=self.state.code(value))
            parts.append(part)
        result = node.with_changes(parts=parts)
        return Known(eval(_print(result), {})) if known else Code(result, str)


def _present(value: Code) -> bool:
    known = value.type is not None or value.ndim is not None or value.dtype is not None
    return known or isinstance(value.code, (cst.List, cst.Tuple, cst.Dict, cst.BinaryOperation, cst.Comparison))


def _array(value: Any) -> bool:
    return hasattr(value, "__array__")
