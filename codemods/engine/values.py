"""What the partial evaluator knows of an expression in a rule's body."""

from __future__ import annotations

import ast
import dataclasses
import enum
import math
from collections.abc import Callable, Sequence
from typing import Any

import libcst as cst

from codemods.engine.walk import kept, names_in

__all__ = ["names_in"]


class _Dynamic(enum.Enum):
    DYNAMIC = "DYNAMIC"


#: The value of an argument that is not known when porting.
DYNAMIC = _Dynamic.DYNAMIC


@dataclasses.dataclass(frozen=True)
class Arg:
    """An argument of a rule, as the caller of `template.inline` knows it.

    Attributes:
      code: its (already ported) code; None for what only stands for its shape (`x` in `make`).
      value: the Python value, where it is known. Literals in `code` are found without it.
      type: its type, where known; `jax.Array` for tensors.
      ndim, dtype: of a tensor, where known.
      dim: gives the code of `x.shape[i]`, None where it can't be expressed. Where this is set the
        expression `x.shape[i]` itself is never printed.
      items: the elements of a list or tuple display, where more is known of them than their code.
    """

    code: cst.BaseExpression | None
    value: Any = DYNAMIC
    type: type | None = None
    ndim: int | None = None
    dtype: str | None = None
    dim: Callable[[int], cst.BaseExpression | None] | None = None
    items: Sequence[Arg] | None = None


class Source(enum.IntEnum):
    """Where a known value comes from."""

    BODY = 0
    DEFAULT = 1
    GIVEN = 2


@dataclasses.dataclass(frozen=True)
class Known:
    """A value known when porting.

    Attributes:
      code: how to print it, where that is not its literal.
      source: what it depends on.
      users: is `code` the user's own, such as the name of a constant?
    """

    value: Any
    code: cst.BaseExpression | None = None
    source: Source = Source.BODY
    users: bool = False


@dataclasses.dataclass(frozen=True)
class Code:
    """An expression; the arguments in it are holes, names that `placement` fills."""

    code: cst.BaseExpression
    type: type | None = None
    ndim: int | None = None
    dtype: str | None = None


@dataclasses.dataclass(frozen=True)
class Items:
    """A list or tuple of known length. `code` is the display it was written as."""

    items: tuple[Value, ...]
    kind: type
    code: cst.List | cst.Tuple | None = None


@dataclasses.dataclass(frozen=True)
class Outline:
    """The stand-in for a tensor, or for its shape, of which the dims alone may be used."""

    name: str
    dim: Callable[[int], cst.BaseExpression | None]
    ndim: int | None
    is_shape: bool = False


Value = Known | Code | Items | Outline


class Stop(Exception):
    """Ends the evaluation: the call is a residual for this reason."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


def literal(value: Any) -> cst.BaseExpression | None:
    """Code for a value, None if it has no literal. Values may hold `dims.Dim`s, which bring theirs."""
    if isinstance(getattr(value, "code", None), cst.BaseExpression):
        return value.code
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        value = value.item()
    if value is None or value is ... or isinstance(value, (bool, int, str, bytes)):
        return cst.parse_expression(_quoted(value) if isinstance(value, str) else repr(value))
    if isinstance(value, float):
        text = repr(value).replace("e-0", "e-").replace("e+", "e")
        return cst.parse_expression(text if math.isfinite(value) else f'float("{text}")')
    if isinstance(value, (list, tuple)):
        parts = [literal(item) for item in value]
        if any(part is None for part in parts) or hasattr(value, "_fields"):
            return None
        return display(parts, type(value))  # type: ignore[arg-type]
    if isinstance(value, dict):
        pairs = [(literal(key), literal(item)) for key, item in value.items()]
        if any(key is None or item is None for key, item in pairs):
            return None
        return cst.Dict([cst.DictElement(key, item) for key, item in pairs])  # type: ignore[arg-type]
    if isinstance(value, slice):
        return None
    if isinstance(value, type) and value.__module__ == "builtins":
        return cst.Name(value.__name__)
    return None


def display(parts: Sequence[cst.BaseExpression], kind: type) -> cst.BaseExpression:
    """Code for a list or tuple of these parts."""
    elements = [cst.Element(part) for part in parts]
    if issubclass(kind, list):
        return cst.List(elements)
    if len(elements) == 1:
        elements = [elements[0].with_changes(comma=cst.Comma())]
    return cst.Tuple(elements, lpar=[cst.LeftParen()], rpar=[cst.RightParen()])


def evaluated(node: cst.BaseExpression) -> Any:
    """The value of a literal, DYNAMIC for other code."""
    if isinstance(node, cst.Name):
        return _CONSTANTS.get(node.value, DYNAMIC)
    return _literal_value(node)


_CONSTANTS = {"None": None, "True": True, "False": False}


@kept
def _literal_value(node: cst.BaseExpression) -> Any:
    if not isinstance(node, (cst.BaseNumber, cst.BaseString, cst.UnaryOperation, cst.List, cst.Tuple,
                             cst.Dict, cst.Set, cst.Ellipsis)):  # fmt: skip
        return DYNAMIC
    try:
        return ast.literal_eval(cst.Module([]).code_for_node(node).strip())
    except (ValueError, SyntaxError, TypeError, MemoryError):
        return DYNAMIC


def _quoted(value: str) -> str:
    text = repr(value)
    return f'"{text[1:-1]}"' if text[0] == "'" and '"' not in text else text


def is_chain(node: cst.BaseExpression) -> bool:
    """Is this a name, or attributes of one (`self.scale`)?"""
    while isinstance(node, cst.Attribute):
        node = node.value
    return isinstance(node, cst.Name)
