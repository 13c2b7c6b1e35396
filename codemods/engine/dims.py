"""Dims as rule bodies and `computed` functions see them when porting: integers, or code of integers."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

import libcst as cst

from codemods.engine.values import Outline, Stop, literal

_print = cst.Module([]).code_for_node


class Dim:
    """An integer known as code only. Arithmetic makes more code; to ask for its value stops the rule."""

    def __init__(self, code: cst.BaseExpression):
        self.code = code

    def __repr__(self) -> str:
        return _print(self.code)

    def __hash__(self) -> int:
        return hash(repr(self))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Dim) and repr(self) == repr(other):
            return True
        raise Stop("the rule has to know a dimension of the input, which the source does not tell")

    def __bool__(self) -> bool:
        return self == 0

    def __index__(self) -> int:
        self == 0  # noqa: B015
        raise AssertionError

    def __neg__(self) -> Dim:
        return Dim(cst.UnaryOperation(cst.Minus(), self.code))


def _operation(name: str, node: Callable[[], cst.BaseBinaryOp]) -> None:
    plain: Callable[[Any, Any], Any] = getattr(operator, name)

    def combine(left: Any, right: Any) -> Any:
        for value, other in ((left, right), (right, left)):
            if not isinstance(value, Dim) and value == {"add": 0, "mul": 1}.get(name):
                return other
        left, right = (v.code if isinstance(v, Dim) else literal(v) for v in (left, right))
        return Dim(cst.BinaryOperation(left, node(), right)) if left and right else NotImplemented

    setattr(Dim, f"__{plain.__name__}__", lambda self, other: combine(self, other))
    setattr(Dim, f"__r{plain.__name__}__", lambda self, other: combine(other, self))


_operation("add", cst.Add)
_operation("sub", cst.Subtract)
_operation("mul", cst.Multiply)
_operation("mod", cst.Modulo)
_operation("floordiv", cst.FloorDivide)


def _compared(self: Dim, other: Any) -> bool:
    return self == other


for _name in ("lt", "le", "gt", "ge"):
    setattr(Dim, f"__{_name}__", _compared)


class Shape:
    """The shape of a stand-in, for functions that are executed."""

    def __init__(self, outline: Outline, dim: Callable[[int], Any]):
        self._outline, self._dim = outline, dim

    def __len__(self) -> int:
        if self._outline.ndim is None:
            raise Stop(f"the number of dimensions of `{self._outline.name}` is not known")
        return self._outline.ndim

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return tuple(self)[index]
        if self._outline.ndim is not None and not -len(self) <= index < len(self):
            raise IndexError(index)
        return self._dim(index)

    def __iter__(self) -> Iterator[Any]:
        return (self._dim(i) for i in range(len(self)))
