"""Shapes of results that follow where it is taken for granted that the original runs.

A rule's body, run on symbolic sizes, fails where sizes would have to be equal or divisible and nothing says that they
are. As the original ran, they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from codemods.passes.values import UNKNOWN, Dim, Shape, TensorType, Value

#: Elements of a list or tuple, and a size that nothing is known of.
Elements = Callable[[Value], Sequence[Value] | None]
Unknown = Callable[[], Dim]


def assumed(symbols: Sequence[str], arguments: Mapping[str, Any], elements: Elements, unknown: Unknown) -> TensorType:
    """Type of what a function gives, without a shape where nothing follows."""
    for symbol in symbols:
        if symbol in _SHAPES:
            shape = _SHAPES[symbol](arguments, elements, unknown)
            first = next(iter(arguments.values())).tensor
            return TensorType(shape, first.dtype if shape is not None else None)
    return TensorType()


def _multiplied(arguments: Mapping[str, Any], elements: Elements, unknown: Unknown) -> Shape | None:
    a, b = _shape(arguments["a"]), _shape(arguments["b"])
    plain = not arguments.keys() - {"a", "b", "name"}
    return (*a[:-1], b[-1]) if plain and a and b is not None and len(b) == 2 else None


def _padded(arguments: Mapping[str, Any], elements: Elements, unknown: Unknown) -> Shape | None:
    """Axes that get no padding keep their size."""
    shape, pads = _shape(arguments["tensor"]), elements(arguments["paddings"])
    if shape is None or pads is None or len(pads) != len(shape):
        return None
    none = [[end.known for end in elements(pad) or ()] == [0, 0] for pad in pads]
    return tuple(dim if kept else unknown() for dim, kept in zip(shape, none, strict=True))


def _reshaped(arguments: Mapping[str, Any], elements: Elements, unknown: Unknown) -> Shape | None:
    """One size that is left to be found divides the others."""
    shape, wanted = _shape(arguments["tensor"]), elements(arguments["shape"])
    dims = [value.known if isinstance(value.known, int) else value.dim for value in wanted or ()]
    if shape is None or not dims or any(dim is None for dim in dims):
        return None
    if [dim for dim in dims if isinstance(dim, int)].count(-1) != 1:
        return tuple(dims)
    at = next(i for i, dim in enumerate(dims) if isinstance(dim, int) and dim == -1)
    rest = [dim for i, dim in enumerate(dims) if i != at]
    given = list(shape)
    for dim in list(rest):  # sizes that stay, as the batch does
        same = next((i for i, other in enumerate(given) if str(other) == str(dim)), None)
        if same is not None:
            del given[same]
            rest.remove(dim)
    dims[at] = math.prod(given) // math.prod(rest) if rest else math.prod(given)
    return tuple(dims)


def _to_space(arguments: Mapping[str, Any], elements: Elements, unknown: Unknown) -> Shape | None:
    shape, block = _shape(arguments["input"]), _size(arguments["block_size"])
    if shape is None or len(shape) != 4 or block is None:
        return None
    return (shape[0], shape[1] * block, shape[2] * block, shape[3] // (block * block))


def _to_depth(arguments: Mapping[str, Any], elements: Elements, unknown: Unknown) -> Shape | None:
    shape, block = _shape(arguments["input"]), _size(arguments["block_size"])
    if shape is None or len(shape) != 4 or block is None:
        return None
    return (shape[0], shape[1] // block, shape[2] // block, shape[3] * block * block)


def _shape(value: Value) -> Shape | None:
    return value.tensor.shape if value.tensor is not None else None


def _size(value: Value) -> Dim | None:
    return value.known if value.known is not UNKNOWN else value.dim


_SHAPES: Mapping[str, Callable[[Mapping[str, Any], Elements, Unknown], Shape | None]] = {
    "tf.matmul": _multiplied,
    "tf.nn.depth_to_space": _to_space,
    "tf.nn.space_to_depth": _to_depth,
    "tf.pad": _padded,
    "tf.reshape": _reshaped,
}
