"""What functions return on shapes, kept: the same operation on tensors of the same shapes comes up all the time.

Sizes are symbolic integers of one scope for every module, with fresh names. So that two questions that differ in names
alone are one, and answers hold from file to file, the question is put in names of its own: `v000`, `v001`, ... in the
alphabetical order of the names that they stand for, which is the order by which terms are sorted.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Callable, Sequence
from typing import Any

import jax
from jax import export


@dataclasses.dataclass(frozen=True)
class Sized:
    """A shape, with symbolic sizes as text, and a dtype's name."""

    shape: tuple[int | str, ...]
    dtype: str


_NAME = re.compile(r"[A-Za-z_]\w*")
_OPERATORS = frozenset({"mod", "floordiv", "max", "min"})
#: Questions about values of other types are asked each time.
_PLAIN = (int, float, complex, bool, str, bytes, type(None), type(...))


class Question:
    """`function` of a tree of arguments, its sizes in names of their own.

    Attributes:
      key: the question; equal ones have equal answers. None where there is something in it that can't be compared.
    """

    def __init__(self, function: Callable[..., Any], leaves: Sequence[Any], tree: Any):
        self._dims: dict[str, Any] = {}
        for leaf in leaves:
            self._collect(leaf)
        names = sorted({name for text in self._dims for name in _NAME.findall(text)} - _OPERATORS)
        self._canonical = {name: f"v{i:03d}" for i, name in enumerate(names)}
        self._names = {new: name for name, new in self._canonical.items()}
        self._scopes = {id(dim.scope): dim.scope for dim in self._dims.values()}
        try:
            parts = tuple(self._part(leaf) for leaf in leaves)
            self.key = (function, tree, parts, bool(jax.config.jax_enable_x64)) if len(self._scopes) < 2 else None
            hash(self.key)
        except TypeError:
            self.key = None

    def _collect(self, leaf: Any) -> None:
        if isinstance(leaf, jax.ShapeDtypeStruct):
            for dim in leaf.shape:
                self._collect(dim)
        elif isinstance(leaf, slice):
            for bound in (leaf.start, leaf.stop, leaf.step):
                self._collect(bound)
        elif export.is_symbolic_dim(leaf):
            self._dims.setdefault(str(leaf), leaf)

    def _part(self, leaf: Any) -> Any:
        if isinstance(leaf, jax.ShapeDtypeStruct):
            return Sized(tuple(d if isinstance(d, int) else self._renamed(str(d)) for d in leaf.shape), str(leaf.dtype))
        if isinstance(leaf, slice):
            return "slice", *[self._part(bound) for bound in (leaf.start, leaf.stop, leaf.step)]
        if export.is_symbolic_dim(leaf):
            return "size", self._renamed(str(leaf))
        if not isinstance(leaf, _PLAIN):
            raise TypeError(leaf)
        return "value", type(leaf), leaf

    def _renamed(self, text: str) -> str:
        return _NAME.sub(lambda found: self._canonical.get(found.group(), found.group()), text)

    def dims(self, sizes: tuple[int | str, ...]) -> tuple[Any, ...]:
        """A shape of the answer, in the names of the question's arguments."""
        return tuple(size if isinstance(size, int) else self._dim(size) for size in sizes)

    def _dim(self, size: str) -> Any:
        text = _NAME.sub(lambda found: self._names.get(found.group(), found.group()), size)
        if text not in self._dims:
            (scope,) = self._scopes.values()
            (self._dims[text],) = export.symbolic_shape(text, scope=scope)
        return self._dims[text]


def run(function: Callable[..., Any], leaves: Sequence[Any], tree: Any) -> Any:
    """What the function returns on shapes: a tree of `ShapeDtypeStruct`. Raises what the function does."""
    places = [index for index, leaf in enumerate(leaves) if isinstance(leaf, jax.ShapeDtypeStruct)]

    def filled(*tensors: Any) -> Any:
        values = list(leaves)
        for place, tensor in zip(places, tensors, strict=True):
            values[place] = tensor
        args, kwargs = jax.tree.unflatten(tree, values)
        return function(*args, **kwargs)

    return jax.eval_shape(filled, *[leaves[place] for place in places])


@functools.lru_cache(1 << 12)
def answer(key: Any) -> Any:
    """The answer to a question: a tree of `Sized`; None where the function fails on these shapes."""
    function, tree, parts, _ = key
    sizes = sorted({size for part in parts for size in _sizes(part)})
    symbolic = dict(zip(sizes, export.symbolic_shape(",".join(sizes)), strict=True)) if sizes else {}
    try:
        result = run(function, [_leaf(part, symbolic) for part in parts], tree)
    except Exception:  # a rule may raise anything on symbolic dims: then the shape is not known
        return None
    return jax.tree.map(
        lambda leaf: Sized(tuple(int(d) if isinstance(d, int) else str(d) for d in leaf.shape), str(leaf.dtype)), result
    )


def _sizes(part: Any) -> list[str]:
    if isinstance(part, Sized):
        return [size for size in part.shape if isinstance(size, str)]
    if part[0] == "slice":
        return [size for bound in part[1:] for size in _sizes(bound)]
    return [part[1]] if part[0] == "size" else []


def _leaf(part: Any, symbolic: dict[str, Any]) -> Any:
    if isinstance(part, Sized):
        return jax.ShapeDtypeStruct(tuple(symbolic.get(d, d) for d in part.shape), part.dtype)
    if part[0] == "slice":
        return slice(*[_leaf(bound, symbolic) for bound in part[1:]])
    return symbolic[part[1]] if part[0] == "size" else part[2]
