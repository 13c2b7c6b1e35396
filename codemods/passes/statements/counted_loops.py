"""`for i in tf.range(n)` over sizes: a Python loop, whose variable indexes lists as well as arrays."""

from __future__ import annotations

from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine.walk import findall, walk
from codemods.passes.frame import Frame
from codemods.passes.names import assigned_names
from codemods.passes.placing.staging import Staged
from codemods.passes.values import UNKNOWN

_ORDER = ("start", "limit", "delta")
_ARITHMETIC = (cst.Add, cst.Subtract, cst.Multiply, cst.FloorDivide, cst.Modulo)
_OF_SHAPE = m.Subscript(
    m.Attribute(attr=m.Name("shape")), [m.SubscriptElement(m.Index(m.Integer() | m.UnaryOperation()))]
)


class CountedLoops:
    """Loops over `tf.range`. The loop of a graph has the same rounds as Python's where their number is a size."""

    def _exec_For(self, node: cst.For, frame: Frame) -> Staged:
        counted = self.counted(node, frame)
        return super()._exec_For(node if counted is None else node.with_changes(iter=counted), frame)  # type: ignore[misc]

    def counted(self, node: cst.For, frame: Frame) -> cst.Call | None:
        """`range(...)` in the place of `tf.range(...)`; None where it isn't that, or not of sizes."""
        call = node.iter
        if not isinstance(call, cst.Call) or self.unit.symbol(call.func) != "tf.range":
            return None
        positional = [arg.value for arg in call.args if arg.keyword is None and not arg.star]
        named = {arg.keyword.value: arg.value for arg in call.args if arg.keyword is not None}
        if len(positional) + len(named) != len(call.args) or not named.keys() <= {*_ORDER, "dtype"}:
            return None
        parts = [*positional, *[named[name] for name in _ORDER[len(positional) :] if name in named]]
        if (len(positional) == 1 or not positional) and named.keys() & set(_ORDER):
            return None  # `limit` by name: one argument means something else in Python
        if not parts or not all(self.is_size(part, frame) for part in parts):
            return None
        args = [cst.Arg(part) for part in parts]
        spaced = [arg.with_changes(comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))) for arg in args[:-1]]
        return cst.Call(cst.Name("range"), [*spaced, args[-1]])

    def is_size(self, node: cst.BaseExpression, frame: Frame, depth: int = 0) -> bool:
        """Is this an int in Python: a number, an element of a shape, a length, or made of these?"""
        value = self.eval(node, frame)
        if value.known is not UNKNOWN:
            return isinstance(value.known, int) and not isinstance(value.known, bool)
        if value.dim is not None and not value.is_tensor:
            return True
        if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, _ARITHMETIC):
            return self.is_size(node.left, frame, depth) and self.is_size(node.right, frame, depth)
        if m.matches(value.code, _OF_SHAPE | m.Call(m.Name("len"))):
            return True
        bound = self.only_binding(node.value, frame.function) if isinstance(node, cst.Name) and depth < 4 else None
        return bound is not None and self.is_size(bound, frame, depth + 1)

    def only_binding(self, name: str, function: str) -> cst.BaseExpression | None:
        """What the one statement of a function that binds a name binds it to."""
        owner, _, method = function.rpartition(".")
        around = self.unit.classes.get(owner) if owner else self.unit.module
        named = findall(around, m.FunctionDef(m.Name(method))) if around is not None else []
        if len(named) != 1 or any(param.name.value == name for param in findall(named[0].params, m.Param())):
            return None  # what callers give may be a tensor
        found: list[Any] = []
        for part in walk(named[0].body):
            if isinstance(part, cst.Assign | cst.AugAssign | cst.AnnAssign | cst.NamedExpr | cst.For | cst.With):
                target = (
                    part.target if isinstance(part, cst.For | cst.NamedExpr | cst.AugAssign | cst.AnnAssign) else None
                )
                names = assigned_names(part if target is None else cst.AssignTarget(target))
                found += [part] if name in names else []
        only = found[0] if len(found) == 1 else None
        simple = (
            isinstance(only, cst.Assign) and len(only.targets) == 1 and isinstance(only.targets[0].target, cst.Name)
        )
        return only.value if simple else None
