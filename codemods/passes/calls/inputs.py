"""Inputs of a module: their tensors, and the constructor parameters that tell their sizes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from codemods.passes.expressions.width_lists import Widths
from codemods.passes.modules import IN_FEATURES
from codemods.passes.values import TensorType, Value, same_dim

Argument = tuple[str | None, Value]


def axis_names(rank: int, index: int) -> list[str]:
    """Constructor parameters for the sizes of an input between its batch and its last axis."""
    names = {3: ["length"], 4: ["height", "width"], 5: ["depth", "height", "width"]}
    suffix = "" if index == 0 else str(index + 1)
    return [f"in_{name}{suffix}" for name in names.get(rank, [f"size{i}" for i in range(1, rank - 1)])]


def leaves_of(value: Value, label: str) -> Iterator[tuple[str, TensorType]]:
    """The tensors in a value, labelled as `generalise` labels them."""
    if value.tensor is not None:
        yield label, value.tensor
        return
    for i, item in enumerate(value.items or ()):
        yield from leaves_of(item, f"{label}_{i}")
    for key, item in (value.mapping or {}).items():
        yield from leaves_of(item, str(key))


def dims_of_inputs(inputs: Sequence[Argument]) -> list[tuple[str, Any]]:
    """(constructor parameter, last dim) of every tensor input, in order."""
    widths: list[Any] = []

    def walk(value: Value) -> None:
        if value.tensor is not None:
            widths.append(value.tensor.last)
        if isinstance(value.special, Widths):
            widths.append(value.special)
        for item in value.items or ():
            walk(item)
        for item in (value.mapping or {}).values():
            walk(item)

    for _, value in inputs:
        walk(value)
    names: list[tuple[str, Any]] = []
    for width in widths:
        same = next((name for name, dim in names if dim is not None and same_dim(dim, width)), None)
        count = len({name for name, _ in names})
        names.append((same or (IN_FEATURES if count == 0 else f"{IN_FEATURES}{count + 1}"), width))
    return names
