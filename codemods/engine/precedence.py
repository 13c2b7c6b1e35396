"""Parentheses where the tree needs them.

LibCST prints what it is given: an attribute of a sum comes out as `a + b.T`. Code that puts
expressions into others builds the tree that it means, and `parenthesised` then adds what is missing.
"""

from __future__ import annotations

from typing import Any, TypeVar

import libcst as cst

from codemods.engine.walk import children, kept, mapped

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


_STRENGTH: dict[type[cst.BaseExpression], int] = {
    cst.NamedExpr: _WALRUS,
    cst.Yield: _WALRUS,
    cst.GeneratorExp: _WALRUS,
    cst.Tuple: _WALRUS,
    cst.Lambda: _LAMBDA,
    cst.IfExp: _TERNARY,
    cst.Comparison: _COMPARE,
    cst.Await: _AWAIT,
}


def strength(node: Any) -> int:
    """How tightly an expression holds together; an atom the most."""
    if node.lpar:
        return _ATOM
    kind = type(node)
    if kind is cst.BooleanOperation:
        return _OR if isinstance(node.operator, cst.Or) else _AND
    if kind is cst.UnaryOperation:
        return _NOT if isinstance(node.operator, cst.Not) else _UNARY
    if kind is cst.BinaryOperation:
        return _BINARY[type(node.operator)]
    return _STRENGTH.get(kind, _ATOM)


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


_NOTHING: dict[str, int] = {}


def _least(parent: Any) -> dict[str, int]:
    kind = type(parent)
    if kind is cst.BinaryOperation:
        level = _BINARY[type(parent.operator)]
        return {"left": _AWAIT, "right": _UNARY} if level == _POWER else {"left": level, "right": level + 1}
    if kind is cst.UnaryOperation:
        return {"expression": _NOT if isinstance(parent.operator, cst.Not) else _UNARY}
    if kind is cst.BooleanOperation:
        level = _OR if isinstance(parent.operator, cst.Or) else _AND
        return {"left": level, "right": level}
    return _LEAST.get(kind, _NOTHING)


def fit(node: cst.BaseExpression, parent: cst.CSTNode, field: str) -> cst.BaseExpression:
    """The expression as it has to be written as `parent.field`."""
    least = _least(parent).get(field, _WALRUS)
    if strength(node) < least or least == _ATOM and isinstance(parent, cst.Attribute) and not is_atom(node):
        return wrapped(node)
    return node


def _sole_generator(parent: cst.CSTNode, part: cst.BaseExpression) -> bool:
    # `f(x for x in xs)` shares the call's parentheses; the call puts them on if there are more arguments.
    return isinstance(parent, cst.Arg) and isinstance(part, cst.GeneratorExp)


def _mended(node: Any) -> Any:
    """The node with the parentheses that its own parts need."""
    least = _least(node)
    changes: dict[str, Any] = {}
    for field in least:
        part = getattr(node, field)
        if isinstance(part, cst.BaseExpression) and not _sole_generator(node, part):
            fitting = fit(part, node, field)
            if fitting is not part:
                changes[field] = fitting
    if type(node) is cst.Call and len(node.args) > 1:
        args = [_with_value(arg, fit(arg.value, arg, "value")) for arg in node.args]
        if any(new is not old for new, old in zip(args, node.args, strict=True)):
            changes["args"] = args
    return node.with_changes(**changes) if changes else node


def _with_value(arg: cst.Arg, value: cst.BaseExpression) -> cst.Arg:
    return arg if value is arg.value else arg.with_changes(value=value)


@kept
def _settled(node: cst.CSTNode) -> bool:
    """Does the tree print as what it is? Most do; what is made of trees that do has its own parts left to look at."""
    return _mended(node) is node and all(type(part) in _LEAVES or _settled(part) for part in children(node))


#: Nodes without parts that could need parentheses.
_LEAVES = frozenset({cst.Name, cst.Integer, cst.Float, cst.SimpleString, cst.Pass})


def parenthesised(node: Node) -> Node:
    """The same tree, with the parentheses that its printed form needs to be read back as this tree."""
    return node if type(node) in _LEAVES or _settled(node) else _mended(mapped(node, parenthesised))
