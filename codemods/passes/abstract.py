"""Shapes and dtypes of results, by running the replacement itself on shapes alone."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import libcst as cst

from codemods.passes.abstract_cache import Question, answer, run
from codemods.passes.values import UNKNOWN, NamedInt, Shape, TensorType, Value

# A function that fails on some shapes is an answer like others; JAX would spend more time on what its traceback shows.
jax.config.update("jax_traceback_filtering", "off")

BINARY: Mapping[type, Callable[[Any, Any], Any]] = {
    cst.Add: operator.add,
    cst.Subtract: operator.sub,
    cst.Multiply: operator.mul,
    cst.Divide: operator.truediv,
    cst.FloorDivide: operator.floordiv,
    cst.Modulo: operator.mod,
    cst.Power: operator.pow,
    cst.MatrixMultiply: operator.matmul,
    cst.BitAnd: operator.and_,
    cst.BitOr: operator.or_,
    cst.BitXor: operator.xor,
}
COMPARE: Mapping[type, Callable[[Any, Any], Any]] = {
    cst.Equal: operator.eq,
    cst.NotEqual: operator.ne,
    cst.LessThan: operator.lt,
    cst.LessThanEqual: operator.le,
    cst.GreaterThan: operator.gt,
    cst.GreaterThanEqual: operator.ge,
}


class NoShape(Exception):
    """Something that the result's shape depends on is not known."""


def concrete(value: Value) -> Any:
    """The Python object for abstract evaluation: a shape struct, a dim, a constant, or a tree of these."""
    if value.tensor is not None:
        if value.tensor.shape is None:
            raise NoShape
        return jax.ShapeDtypeStruct(value.tensor.shape, value.tensor.dtype or "float32")
    if isinstance(value.dim, NamedInt):
        return value.dim
    if value.known is not UNKNOWN:
        return value.known
    if value.items is not None:
        return [concrete(item) for item in value.items]
    if value.dim is not None:
        return value.dim
    if value.mapping is not None:
        return {key: concrete(item) for key, item in value.mapping.items()}
    raise NoShape


def evaluate(function: Callable[..., Any], arguments: Sequence[Any], keywords: Mapping[str, Any]) -> Any:
    """What `function` returns on shapes: a tree of TensorType, or NoShape."""
    leaves, tree = jax.tree.flatten(
        (list(arguments), dict(keywords)), is_leaf=lambda leaf: leaf is None or isinstance(leaf, jax.ShapeDtypeStruct)
    )
    question = Question(function, leaves, tree)
    if question.key is not None:
        found = answer(question.key)
        if found is None:
            raise NoShape
        return jax.tree.map(lambda leaf: TensorType(_named(question.dims(leaf.shape), leaves), leaf.dtype), found)
    try:
        result = run(function, leaves, tree)
    except Exception as error:  # a rule may raise anything on symbolic dims: then the shape is not known
        raise NoShape from error
    return jax.tree.map(lambda leaf: TensorType(_named(tuple(leaf.shape), leaves), str(leaf.dtype)), result)


def _named(shape: Shape, leaves: Sequence[Any]) -> Shape:
    """A result's shape; its last size by the constant that stands for the same size in what it is computed from."""
    if not shape or not isinstance(shape[-1], int):
        return shape
    sizes = [leaf.shape[-1] if isinstance(leaf, jax.ShapeDtypeStruct) and leaf.shape else leaf for leaf in leaves]
    equal = {size.code: size for size in sizes if isinstance(size, NamedInt) and size == shape[-1]}
    plain = any(isinstance(size, int) and not isinstance(size, NamedInt) and size == shape[-1] for size in sizes)
    return (*shape[:-1], next(iter(equal.values()))) if len(equal) == 1 and not plain else shape


def result_value(code: cst.BaseExpression, tree: Any) -> Value:
    """A Value for a tree of TensorType."""
    if isinstance(tree, TensorType):
        return Value(code, tensor=tree)
    if isinstance(tree, list | tuple):
        items = [
            result_value(cst.Subscript(code, [cst.SubscriptElement(cst.Index(cst.Integer(str(i))))]), item)
            for i, item in enumerate(tree)
        ]
        return Value(code, items=items)
    return Value(code, tensor=TensorType())
