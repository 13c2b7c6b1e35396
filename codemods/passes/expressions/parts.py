"""Nodes with their parts rewritten."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import libcst as cst


def map_children(node: Any, function: Any) -> Any:
    """A node with every child node (not the white space) replaced by `function`'s answer."""
    changes = {}
    for field in dataclasses.fields(node):
        value = getattr(node, field.name)
        if isinstance(value, cst.CSTNode) and not _layout(value):
            changes[field.name] = function(value)
        elif isinstance(value, list | tuple) and value and isinstance(value[0], cst.CSTNode) and not _layout(value[0]):
            changes[field.name] = [function(item) for item in value]
    return node.with_changes(**changes) if changes else node


@functools.cache
def _is_layout(kind: type) -> bool:
    return issubclass(
        kind,
        cst.BaseParenthesizableWhitespace | cst.TrailingWhitespace | cst.Comma | cst.LeftParen | cst.RightParen
        | cst.EmptyLine | cst.AssignEqual | cst.Dot | cst.Colon | cst.LeftSquareBracket | cst.RightSquareBracket
        | cst.LeftCurlyBrace | cst.RightCurlyBrace | cst.BaseUnaryOp | cst.BaseBinaryOp | cst.BaseCompOp | cst.BaseBooleanOp,
    )  # fmt: skip


def _layout(node: cst.CSTNode) -> bool:
    return _is_layout(type(node))


def keep_parens(code: cst.BaseExpression, original: cst.Name) -> cst.BaseExpression:
    if isinstance(code, cst.Name) and original.lpar and not code.lpar:
        return code.with_changes(lpar=original.lpar, rpar=original.rpar)
    return code
