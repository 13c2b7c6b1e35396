"""What a layer's `name=` says of it, also where part of it is computed: `prefix + "expand"`, `f"{name}_bn"`."""

from __future__ import annotations

import re

import libcst as cst
import libcst.matchers as m

from codemods.engine.walk import findall
from codemods.passes.frame import Frame
from codemods.passes.values import Value

#: Names of variables that say nothing of what is in them.
_GENERIC = re.compile(
    r"(_|[a-z]|out|outs|output|outputs|inp|inputs?|net|model|tmp|temp|res|result|tensor|value|hidden|data|img|image|current"
    r"|layers?|feats?|features?|final|prev|last|new|net|nn|[a-z]{2})_?\d*(_\d+)?"
)


def says_nothing(name: str) -> bool:
    """Is a variable's name a single letter, which says nothing of a layer that it stands for?"""
    return re.fullmatch(r"_*[a-z]_?\d*", name.lower()) is not None


def received(kind: str, value: Value, frame: Frame) -> str:
    """A name for what is kept, from the variable that receives its result where that is specific.

    `user = Embedding(...)(users)` gives `user_embed`; `branch1 = conv2d_bn(x, 64)` gives `branch1`.
    """
    target = frame.target
    if value.layer is not None and value.layer.name or not target or _GENERIC.fullmatch(target.lower()):
        return kind
    target = re.sub(r"_(out|output|outputs|tensor)$", "", target.strip("_"))
    if not re.fullmatch(r"[a-z][a-z0-9_]*", target) or _GENERIC.fullmatch(target):
        return kind
    if value.module is not None:
        return target if _calls(frame, value.module.spec.source) > 1 else kind
    if kind in target:
        return target
    return f"{target}_{kind}"


def _calls(frame: Frame, name: str) -> int:
    """How often a function's code calls another, by name."""
    node = frame.spec.node if frame.spec is not None else None
    return len(findall(node, m.Call(func=m.Name(name)))) if node is not None else 0


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
