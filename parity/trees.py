"""Nested values as trees of shapes and dtypes, and as flat dicts of arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np


def is_array(value: Any) -> bool:
    """Has a shape and a dtype: an array or tensor of any framework, symbolic ones too."""
    return hasattr(value, "shape") and hasattr(value, "dtype") and not isinstance(value, type)


def dtype_name(dtype: Any) -> str:
    """`float32` for a dtype of any framework."""
    return str(getattr(dtype, "name", dtype)).removeprefix("<dtype: '").removesuffix("'>")


def shape_list(shape: Any) -> list[int | None] | None:
    """A shape as JSON; None where even the rank is unknown."""
    try:
        return [None if size is None else int(size) for size in shape]
    except (TypeError, ValueError):
        return None


def describe(value: Any) -> Any:
    """The TREE of a value; scalars and strings stay what they are, other objects become None."""
    if is_array(value):
        return {"shape": shape_list(value.shape), "dtype": dtype_name(value.dtype)}
    if isinstance(value, Mapping):
        return {str(key): describe(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [describe(item) for item in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else None


def has_array(value: Any) -> bool:
    """Is there an array anywhere in the value?"""
    return next(flatten(value), None) is not None


def flatten(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yields `(path, array)` of each array leaf; the parts of a path are joined by dots.

    A lone array has the empty path. Dicts are taken in the order of their keys.
    """
    if is_array(value):
        yield prefix, value
        return
    items: Any = ()
    if isinstance(value, Mapping):
        items = sorted(value.items(), key=lambda item: str(item[0]))
    elif isinstance(value, (list, tuple)):
        items = enumerate(value)
    for key, item in items:
        yield from flatten(item, f"{prefix}.{key}" if prefix else str(key))


def numbers(value: Any) -> Iterator[tuple[str, np.ndarray]]:
    """Like `flatten`, with plain numbers as arrays too, and everything as NumPy arrays; other things are left out."""

    def as_arrays(item: Any) -> Any:
        if isinstance(item, Mapping):
            return {str(key): as_arrays(below) for key, below in item.items()}
        if isinstance(item, (list, tuple)):
            return [as_arrays(below) for below in item]
        return np.asarray(item) if is_array(item) or isinstance(item, (bool, int, float)) else item

    yield from ((path, array) for path, array in flatten(as_arrays(value)) if array.dtype.kind in "fiub")


def map_arrays(function: Callable[[str, Any], Any], value: Any, prefix: str = "") -> Any:
    """The same structure with `function(path, array)` in place of each array leaf."""
    if is_array(value):
        return function(prefix, value)

    def below(key: Any, item: Any) -> Any:
        return map_arrays(function, item, f"{prefix}.{key}" if prefix else str(key))

    if isinstance(value, Mapping):
        return {key: below(key, item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        items = [below(index, item) for index, item in enumerate(value)]
        if hasattr(value, "_fields"):
            return type(value)(*items)
        return type(value)(items) if isinstance(value, (list, tuple)) and type(value) in (list, tuple) else items
    return value


def skeleton(value: Any) -> Any:
    """The structure as JSON, with `{"leaf": path}` for arrays; `restore` is the way back."""

    def mark(item: Any, prefix: str) -> Any:
        if is_array(item):
            return {"leaf": prefix}
        if isinstance(item, Mapping):
            return {"dict": {str(k): mark(v, f"{prefix}.{k}" if prefix else str(k)) for k, v in item.items()}}
        if isinstance(item, (list, tuple)):
            kind = "list" if isinstance(item, list) else "tuple"
            return {kind: [mark(v, f"{prefix}.{k}" if prefix else str(k)) for k, v in enumerate(item)]}
        if item is None or isinstance(item, (bool, int, float, str)):
            return {"value": item}
        raise TypeError(f"an input of type {type(item).__name__} can't be recorded")

    return mark(value, "")


def restore(marked: Any, leaf: Callable[[str], Any]) -> Any:
    """Rebuilds what `skeleton` described, with `leaf(path)` for its arrays."""
    ((kind, content),) = marked.items()
    if kind == "leaf":
        return leaf(content)
    if kind == "dict":
        return {key: restore(item, leaf) for key, item in content.items()}
    if kind in ("list", "tuple"):
        items = [restore(item, leaf) for item in content]
        return items if kind == "list" else tuple(items)
    return content
