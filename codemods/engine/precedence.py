"""Parentheses where the tree needs them.

LibCST prints what it is given: an attribute of a sum comes out as `a + b.T`. Code that puts
expressions into others builds the tree that it means, and `parenthesised` then adds what is missing.
"""

from __future__ import annotations

from typing import Any, TypeVar

import libcst as cst

from codemods.engine.walk import walk

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


#: The least strength of what stands in a field, for nodes where that does not depend on an operator.
_LEAST: dict[type[cst.CSTNode], dict[str, int]] = {
    cst.Attribute: {"value": _ATOM},
    cst.Subscript: {"value": _ATOM},
    cst.Call: {"func": _ATOM},
    cst.Await: {"expression": _ATOM},
    cst.Comparison: {"left": _BITOR},
    cst.ComparisonTarget: {"comparator": _BITOR},
    cst.IfExp: {"body": _OR, "test": _OR, "orelse": _LAMBDA},
    cst.Lambda: {"body": _LAMBDA},
    cst.Arg: {"value": _LAMBDA},
    cst.Element: {"value": _LAMBDA},
    cst.StarredElement: {"value": _BITOR},
    cst.DictElement: {"key": _LAMBDA, "value": _LAMBDA},
    cst.StarredDictElement: {"value": _BITOR},
    cst.CompFor: {"iter": _OR},
    cst.CompIf: {"test": _OR},
    cst.ListComp: {"elt": _LAMBDA},
    cst.SetComp: {"elt": _LAMBDA},
    cst.GeneratorExp: {"elt": _LAMBDA},
    cst.DictComp: {"key": _LAMBDA, "value": _LAMBDA},
    cst.Index: {"value": _LAMBDA},
    cst.Slice: {"lower": _TERNARY, "upper": _TERNARY, "step": _TERNARY},
    cst.FormattedStringExpression: {"expression": _OR},
    cst.Param: {"default": _LAMBDA},
}


def _least(parent: cst.CSTNode) -> dict[str, int]:
    match parent:
        case cst.BinaryOperation(operator=cst.Power()):
            return {"left": _AWAIT, "right": _UNARY}
        case cst.BinaryOperation():
            level = _BINARY[type(parent.operator)]
            return {"left": level, "right": level + 1}
        case cst.UnaryOperation():
            return {"expression": _NOT if isinstance(parent.operator, cst.Not) else _UNARY}
        case cst.BooleanOperation():
            level = _OR if isinstance(parent.operator, cst.Or) else _AND
            return {"left": level, "right": level}
    return _LEAST.get(type(parent), {})


def fit(node: cst.BaseExpression, parent: cst.CSTNode, field: str) -> cst.BaseExpression:
    """The expression as it has to be written as `parent.field`."""
    least = _least(parent).get(field, _WALRUS)
    if strength(node) < least or least == _ATOM and isinstance(parent, cst.Attribute) and not is_atom(node):
        return wrapped(node)
    return node


class _Parenthesiser(cst.CSTTransformer):
    """Looks at each node's parts once these are done."""

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> cst.CSTNode:  # type: ignore[override]
        changes: dict[str, Any] = {}
        for field in _least(updated_node):
            part = getattr(updated_node, field)
            if isinstance(part, cst.BaseExpression) and not _sole_generator(updated_node, part):
                fitting = fit(part, updated_node, field)
                if fitting is not part:
                    changes[field] = fitting
        if isinstance(updated_node, cst.Call) and len(updated_node.args) > 1:
            args = [arg.with_changes(value=fit(arg.value, arg, "value")) for arg in updated_node.args]
            changes["args"] = args
        return updated_node.with_changes(**changes) if changes else updated_node


def _fits(node: cst.CSTNode) -> bool:
    """Would `_Parenthesiser` leave the node's own parts alone?"""
    for field in _least(node):
        part = getattr(node, field)
        if (
            isinstance(part, cst.BaseExpression)
            and not _sole_generator(node, part)
            and fit(part, node, field) is not part
        ):
            return False
    if type(node) is cst.Call and len(node.args) > 1:
        return all(fit(arg.value, arg, "value") is arg.value for arg in node.args)
    return True


def _sole_generator(parent: cst.CSTNode, part: cst.BaseExpression) -> bool:
    # `f(x for x in xs)` shares the call's parentheses; the call puts them on if there are more arguments.
    return isinstance(parent, cst.Arg) and isinstance(part, cst.GeneratorExp)


def parenthesised(node: Node) -> Node:
    """The same tree, with the parentheses that its printed form needs to be read back as this tree."""
    if all(_fits(part) for part in walk(node)):
        return node
    result = node.visit(_Parenthesiser())
    assert isinstance(result, cst.CSTNode)
    return result
