"""What a layer's `name=` says of it, also where part of it is computed: `prefix + "expand"`, `f"{name}_bn"`."""

from __future__ import annotations

import re

import libcst as cst

from codemods.passes.frame import Frame


def layer_name(node: cst.BaseExpression, frame: Frame) -> str | None:
    """The name given to a layer, without the parts that only the run tells; None where no word is left.

    Numbers that lead go to the end (`_1_conv`: `conv_1`), so that it can be an attribute.
    """
    joined = "_".join(part for part in (piece.strip("_-/. ") for piece in _pieces(node, frame)) if part)
    leading = re.match(r"\d+", joined)
    if leading is not None:
        joined = f"{joined[leading.end() :].strip('_-/. ')}_{leading.group()}"
    return joined if re.search(r"[A-Za-z]", joined) else None


def _pieces(node: cst.BaseExpression, frame: Frame) -> list[str]:
    """The literal parts of a string expression, in order."""
    if isinstance(node, cst.SimpleString | cst.ConcatenatedString):
        value = node.evaluated_value
        return [value] if isinstance(value, str) else []
    if isinstance(node, cst.FormattedString):
        return [part.value for part in node.parts if isinstance(part, cst.FormattedStringText)]
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Add):
        return [*_pieces(node.left, frame), *_pieces(node.right, frame)]
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Modulo):
        return [part for text in _pieces(node.left, frame) for part in re.split(r"%[-+0-9.]*[a-zA-Z]", text)]
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.func.attr.value == "format":
        return [part for text in _pieces(node.func.value, frame) for part in re.split(r"\{[^}]*\}", text)]
    if isinstance(node, cst.Name) and node.value in frame.env and isinstance(frame.env[node.value].known, str):
        return [frame.env[node.value].known]
    return []
