"""Imports of the framework in the methods that hold host code, so that the module itself needs none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import libcst as cst

from codemods.passes.names import assigned_names, read_names


def with_late_imports(node: cst.CSTNode, lines: Sequence[str]) -> Any:
    """A definition, with each import at the top of the functions in it that read its name and do not bind it.

    Args:
      node: a class or function of the port.
      lines: import statements that bind one name each.
    """
    by_name = {next(iter(assigned_names(cst.parse_statement(line)))): line for line in lines}
    return node.visit(_LateImports(by_name))


class _LateImports(cst.CSTTransformer):
    def __init__(self, by_name: Mapping[str, str]):
        self.by_name = by_name
        self.depth = 0

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        self.depth += 1
        return True

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:
        self.depth -= 1
        if self.depth or not isinstance(updated_node.body, cst.IndentedBlock):
            return updated_node
        wanted = read_names(updated_node.body) - assigned_names(updated_node.body)
        statements = [cst.parse_statement(line) for name, line in sorted(self.by_name.items()) if name in wanted]
        body = list(updated_node.body.body)
        at = 1 if body and _is_docstring(body[0]) else 0
        new = [*body[:at], *statements, *body[at:]]
        return updated_node.with_changes(body=updated_node.body.with_changes(body=new))


def _is_docstring(node: cst.BaseStatement) -> bool:
    if not isinstance(node, cst.SimpleStatementLine) or not isinstance(node.body[0], cst.Expr):
        return False
    return isinstance(node.body[0].value, cst.SimpleString | cst.ConcatenatedString)
