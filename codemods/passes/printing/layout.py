"""Small questions of layout: blank lines, docstrings, bare parameters."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst


def bare(param: cst.Param) -> cst.Param:
    """A parameter without the layout of its old place."""
    return param.with_changes(comma=cst.MaybeSentinel.DEFAULT, whitespace_after_param=cst.SimpleWhitespace(""), star="")


def docstring_of(node: cst.CSTNode) -> cst.BaseStatement | None:
    if isinstance(node, cst.FunctionDef) and node.get_docstring() is not None:
        return node.body.body[0]  # type: ignore[return-value]
    return None


def tight(body: list[cst.BaseStatement]) -> list[cst.BaseStatement]:
    """No blank lines before the first statement."""
    if body and any(line.comment is None for line in getattr(body[0], "leading_lines", ())):
        lines = [line for line in body[0].leading_lines if line.comment is not None]  # type: ignore[attr-defined]
        return [body[0].with_changes(leading_lines=lines), *body[1:]]
    return body


def blank(body: Sequence[cst.BaseStatement]) -> list[cst.EmptyLine]:
    return [cst.EmptyLine(indent=False)] if body else []


def ensure_blank(lines: Sequence[cst.EmptyLine], body: Sequence[cst.BaseStatement]) -> Sequence[cst.EmptyLine]:
    if body and not any(line.comment is None for line in lines):
        return [cst.EmptyLine(indent=False), *lines]
    return lines
