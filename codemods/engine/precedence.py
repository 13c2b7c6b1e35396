"""Parentheses where the tree needs them.

LibCST prints what it is given: an attribute of a sum comes out as `a + b.T`. Code that puts
expressions into others builds the tree that it means, and `parenthesised` then adds what is missing.
"""

from __future__ import annotations

from typing import TypeVar

import libcst as cst

Node = TypeVar("Node", bound=cst.CSTNode)

_WALRUS, _LAMBDA, _TERNARY, _OR, _AND, _NOT, _COMPARE, _BITOR = range(8)
_BITXOR, _BITAND, _SHIFT, _SUM, _PRODUCT, _UNARY, _POWER, _AWAIT, _ATOM = range(8, 17)

_BINARY: dict[type[cst.BaseBinaryOp], int] = {
    cst.BitOr: _BITOR,
    cst.BitXor: _BITXOR,
    cst.BitAnd: _BITAND,
    cst.LeftShift: _SHIFT,
    cst.RightShift: _SHIFT,
    cst.Add: _SUM,
    cst.Subtract: _SUM,
    cst.Multiply: _PRODUCT,
    cst.MatrixMultiply: _PRODUCT,
    cst.Divide: _PRODUCT,
    cst.FloorDivide: _PRODUCT,
    cst.Modulo: _PRODUCT,
    cst.Power: _POWER,
}


def strength(node: cst.BaseExpression) -> int:
    """How tightly an expression holds together; an atom the most."""
    if node.lpar:
        return _ATOM
    match node:
        case cst.NamedExpr() | cst.Yield() | cst.GeneratorExp():
            return _WALRUS
        case cst.Tuple():
            return _WALRUS
        case cst.Lambda():
            return _LAMBDA
        case cst.IfExp():
            return _TERNARY
        case cst.BooleanOperation():
            return _OR if isinstance(node.operator, cst.Or) else _AND
        case cst.UnaryOperation():
            return _NOT if isinstance(node.operator, cst.Not) else _UNARY
        case cst.Comparison():
            return _COMPARE
        case cst.BinaryOperation():
            return _BINARY[type(node.operator)]
        case cst.Await():
            return _AWAIT
    return _ATOM


def is_atom(node: cst.BaseExpression) -> bool:
    """May the expression stand anywhere, an attribute taken from it, without parentheses?"""
    return strength(node) == _ATOM and (bool(node.lpar) or not isinstance(node, cst.Integer))


def wrapped(node: cst.BaseExpression) -> cst.BaseExpression:
    """The expression in parentheses."""
    return node.with_changes(lpar=[cst.LeftParen(), *node.lpar], rpar=[*node.rpar, cst.RightParen()])


def _fit(node: cst.BaseExpression, least: int) -> cst.BaseExpression:
    return node if strength(node) >= least else wrapped(node)


def _base(node: cst.BaseExpression) -> cst.BaseExpression:
    return node if is_atom(node) else wrapped(node)


class _Parenthesiser(cst.CSTTransformer):
    """Looks at each node's parts once these are done."""

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.Attribute:
        return updated_node.with_changes(value=_base(updated_node.value))

    def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> cst.Subscript:
        return updated_node.with_changes(value=_base(updated_node.value))

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:
        args, node = updated_node.args, updated_node.with_changes(func=_base(updated_node.func))
        if len(args) == 1 and isinstance(args[0].value, cst.GeneratorExp) and not args[0].keyword and not args[0].star:
            return node
        return node.with_changes(args=[arg.with_changes(value=_fit(arg.value, _LAMBDA)) for arg in args])

    def leave_Await(self, original_node: cst.Await, updated_node: cst.Await) -> cst.Await:
        return updated_node.with_changes(expression=_base(updated_node.expression))

    def leave_BinaryOperation(
        self, original_node: cst.BinaryOperation, updated_node: cst.BinaryOperation
    ) -> cst.BinaryOperation:
        level = _BINARY[type(updated_node.operator)]
        left, right = (_AWAIT, _UNARY) if level == _POWER else (level, level + 1)
        return updated_node.with_changes(left=_fit(updated_node.left, left), right=_fit(updated_node.right, right))

    def leave_UnaryOperation(
        self, original_node: cst.UnaryOperation, updated_node: cst.UnaryOperation
    ) -> cst.UnaryOperation:
        least = _NOT if isinstance(updated_node.operator, cst.Not) else _UNARY
        return updated_node.with_changes(expression=_fit(updated_node.expression, least))

    def leave_BooleanOperation(
        self, original_node: cst.BooleanOperation, updated_node: cst.BooleanOperation
    ) -> cst.BooleanOperation:
        level = _OR if isinstance(updated_node.operator, cst.Or) else _AND
        return updated_node.with_changes(left=_fit(updated_node.left, level), right=_fit(updated_node.right, level))

    def leave_Comparison(self, original_node: cst.Comparison, updated_node: cst.Comparison) -> cst.Comparison:
        targets = [t.with_changes(comparator=_fit(t.comparator, _BITOR)) for t in updated_node.comparisons]
        return updated_node.with_changes(left=_fit(updated_node.left, _BITOR), comparisons=targets)

    def leave_IfExp(self, original_node: cst.IfExp, updated_node: cst.IfExp) -> cst.IfExp:
        return updated_node.with_changes(
            body=_fit(updated_node.body, _OR),
            test=_fit(updated_node.test, _OR),
            orelse=_fit(updated_node.orelse, _LAMBDA),
        )

    def leave_Lambda(self, original_node: cst.Lambda, updated_node: cst.Lambda) -> cst.Lambda:
        return updated_node.with_changes(body=_fit(updated_node.body, _LAMBDA))

    def leave_Element(self, original_node: cst.Element, updated_node: cst.Element) -> cst.Element:
        return updated_node.with_changes(value=_fit(updated_node.value, _LAMBDA))

    def leave_StarredElement(
        self, original_node: cst.StarredElement, updated_node: cst.StarredElement
    ) -> cst.StarredElement:
        return updated_node.with_changes(value=_fit(updated_node.value, _BITOR))

    def leave_DictElement(self, original_node: cst.DictElement, updated_node: cst.DictElement) -> cst.DictElement:
        key, value = _fit(updated_node.key, _LAMBDA), _fit(updated_node.value, _LAMBDA)
        return updated_node.with_changes(key=key, value=value)

    def leave_CompFor(self, original_node: cst.CompFor, updated_node: cst.CompFor) -> cst.CompFor:
        return updated_node.with_changes(iter=_fit(updated_node.iter, _OR))

    def leave_CompIf(self, original_node: cst.CompIf, updated_node: cst.CompIf) -> cst.CompIf:
        return updated_node.with_changes(test=_fit(updated_node.test, _OR))

    def leave_ListComp(self, original_node: cst.ListComp, updated_node: cst.ListComp) -> cst.ListComp:
        return updated_node.with_changes(elt=_fit(updated_node.elt, _LAMBDA))

    def leave_GeneratorExp(self, original_node: cst.GeneratorExp, updated_node: cst.GeneratorExp) -> cst.GeneratorExp:
        return updated_node.with_changes(elt=_fit(updated_node.elt, _LAMBDA))

    def leave_Index(self, original_node: cst.Index, updated_node: cst.Index) -> cst.Index:
        return updated_node.with_changes(value=_fit(updated_node.value, _LAMBDA))

    def leave_Slice(self, original_node: cst.Slice, updated_node: cst.Slice) -> cst.Slice:
        parts = {name: getattr(updated_node, name) for name in ("lower", "upper", "step")}
        return updated_node.with_changes(**{name: part and _fit(part, _TERNARY) for name, part in parts.items()})

    def leave_FormattedStringExpression(
        self, original_node: cst.FormattedStringExpression, updated_node: cst.FormattedStringExpression
    ) -> cst.FormattedStringExpression:
        return updated_node.with_changes(expression=_fit(updated_node.expression, _OR))


def parenthesised(node: Node) -> Node:
    """The same tree, with the parentheses that its printed form needs to be read back as this tree."""
    result = node.visit(_Parenthesiser())
    assert isinstance(result, cst.CSTNode)
    return result  # type: ignore[return-value]
