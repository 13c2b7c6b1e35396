"""Pieces of syntax that passes put into new code."""

from __future__ import annotations

import libcst as cst

EQUAL = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))


PASS = cst.SimpleStatementLine([cst.Pass()])


def assign_name(name: str, code: str) -> cst.BaseStatement:
    return cst.parse_statement(f"{name} = {code}")


def decorator_callee(node: cst.BaseExpression) -> cst.BaseExpression:
    return node.func if isinstance(node, cst.Call) else node
