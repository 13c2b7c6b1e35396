"""Cases of a rule: its author's samples, and what is made of them by kind.

Each kind changes one thing of a sample: the dtype, one size, the rank, what values are drawn, an axis, or one
argument. What TensorFlow rejects falls away when the cases run, so nothing here knows what an API takes.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from codemods.engine.rule import Array, Rule, Sample
from parity.rule_oracle import compare
from parity.rule_oracle.candidates import candidates, is_axis

#: Kinds in which values are drawn otherwise; gradients are not compared there, as they need not exist.
DRAWN = ("ties", "wide", "nan")
_FLOATS = ("float32", "bfloat16", "float16", "float64")


@dataclasses.dataclass(frozen=True)
class Case:
    """One call of a rule's API, with `Array`s for tensors.

    Attributes:
      kind: "sample", or how it was made of one: a dtype ("int32"), "empty", "one" (a size), "broadcast", "rank",
        "scalar", one of `DRAWN`, "axis", or the name of the argument that differs.
    """

    kind: str
    number: int
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]

    def __str__(self) -> str:
        parts = [*map(_shown, self.args), *(f"{name}={_shown(value)}" for name, value in self.kwargs.items())]
        return f"{self.kind} ({', '.join(parts)})"

    def drawn(self, symbol: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments with real arrays in them, the same in every process."""
        key = (symbol, self.number) if self.kind == "sample" else (symbol, self.kind, self.number)
        rng = compare.seed_of(*key)
        return _mapped(lambda value: _draw(value, self.kind, rng), (self.args, dict(self.kwargs)))


def cases(rule: Rule) -> list[Case]:
    """All cases of a rule; two that are the same call are one."""
    found = [Case("sample", i, s.args, s.kwargs) for i, s in enumerate(rule.samples)]
    seen = {(repr(case.args), repr(case.kwargs)) for case in found}
    with_arrays = [s for s in rule.samples if any(_arrays((s.args, s.kwargs)))]
    made: list[tuple[str, Sample]] = []
    for sample in with_arrays[:1]:
        if not any(map(callable, compare.leaves((sample.args, dict(sample.kwargs))))):  # it computes as it likes
            made += _dtypes(sample)
        made += [*_ranks(sample)]
        if not rule.random:  # of which the moments are compared
            made += [(kind, sample) for kind in (DRAWN if _has_floats(sample) else ("ties",))]
    for sample in with_arrays[:2]:
        made += _sizes(sample)
    for sample in with_arrays:
        made += _axes(rule, sample)
    for sample in rule.samples:
        made += _arguments(rule, sample)
    if not any(p.kind is p.VAR_POSITIONAL for p in rule.signature.parameters.values()):
        made += _left_out(rule)
    if not rule.random:
        made += [("ties", sample) for sample in with_arrays[1:]]  # where the result jumps depends on the arguments
    for kind, sample in made:
        key = (repr(sample.args), repr(sample.kwargs))
        if kind in DRAWN or key not in seen:
            seen.add(key)
            found.append(Case(kind, len(found), sample.args, sample.kwargs))
    return found


def _dtypes(sample: Sample) -> Iterator[tuple[str, Sample]]:
    """All float arrays (of a sample without: all of integers, or of bools) in another dtype."""
    held = {array.dtype for array in _arrays((sample.args, sample.kwargs))}
    group = next((g for g in (_FLOATS, ("int32",), ("bool",)) if held & set(g)), ())
    for dtype in ("float32", "bfloat16", "int32", "bool"):
        if dtype not in held:
            yield dtype, _changed(sample, lambda a: _cast(a, dtype) if a.dtype in group else a)


def _cast(array: Array, dtype: str) -> Array:
    low, high = array.low, array.high
    if dtype == "int32":
        low = float(np.ceil(low))
        high = max(np.ceil(high), low + 3)
    elif dtype == "bool":
        low, high = 0, 2
    return Array(array.shape, dtype, low, high)


def _sizes(sample: Sample) -> Iterator[tuple[str, Sample]]:
    """One size wherever it occurs becomes 1, or 0; one dimension of one of several arrays becomes 1."""
    arrays = list(_arrays((sample.args, sample.kwargs)))
    sizes = sorted({d for array in arrays for d in array.shape if d > 1})
    for kind, to in (("one", 1), ("empty", 0)):
        for size in sizes[:3]:
            yield kind, _changed(sample, lambda a: _reshaped(a, [to if d == size else d for d in a.shape]))
    if len(arrays) > 1:
        for position, array in enumerate(arrays[:3]):
            for axis in range(min(len(array.shape), 2)):
                shape = [1 if i == axis else d for i, d in enumerate(array.shape)]
                yield "broadcast", _changed_at(sample, position, lambda a: _reshaped(a, shape))


def _ranks(sample: Sample) -> Iterator[tuple[str, Sample]]:
    """A leading dimension more or less on every array, and on the first alone; scalars."""
    arrays = list(_arrays((sample.args, sample.kwargs)))
    yield "rank", _changed(sample, lambda a: _reshaped(a, (2, *a.shape)))
    is_vector = all(len(a.shape) <= 1 for a in arrays)
    yield "scalar" if is_vector else "rank", _changed(sample, lambda a: _reshaped(a, a.shape[1:]))
    if len(arrays) > 1:
        yield "rank", _changed_at(sample, 0, lambda a: _reshaped(a, (2, *a.shape)))
    yield "scalar", _changed(sample, lambda a: _reshaped(a, ()))


def _axes(rule: Rule, sample: Sample) -> Iterator[tuple[str, Sample]]:
    """Every axis from either end, and lists of them."""
    rank = max(len(a.shape) for a in _arrays((sample.args, sample.kwargs)))
    for name in filter(is_axis, rule.signature.parameters):
        several = [[0], [-1], (0, -1)] if rank > 1 else [[0]]
        for value in (*range(-rank, rank), *(several if _takes_several(rule, name) else [])):
            changed = _with(rule, sample, name, value)
            if changed is not None:
                yield "axis", changed


def _takes_several(rule: Rule, name: str) -> bool:
    """Does a sample give a list? Where an axis is one number TensorFlow often takes a list of one for it."""
    return any(isinstance(_bound(rule, sample).get(name), (list, tuple)) for sample in rule.samples)


def _arguments(rule: Rule, sample: Sample) -> Iterator[tuple[str, Sample]]:
    """Each argument that is no tensor with other values, and pairs of flags."""
    flags = []
    bound = _bound(rule, sample)
    for name, parameter in rule.signature.parameters.items():
        if name == "name" or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if is_axis(name) and any(_arrays((sample.args, sample.kwargs))):  # `_axes` has those
            continue
        if isinstance(parameter.default, bool):
            flags.append(name)
        value = bound.get(name, parameter.default)
        if any(_arrays(value)):
            continue
        for other in candidates(rule, name, value):
            changed = _with(rule, sample, name, other)
            if changed is not None:
                yield name, changed
    for i, first in enumerate(flags[:4]):
        for second in flags[i + 1 : 4]:
            both = _with(rule, sample, first, True)
            both = both and _with(rule, both, second, True)
            if both is not None:
                yield second, both


def _left_out(rule: Rule) -> Iterator[tuple[str, Sample]]:
    """An argument that all samples give, left out where it may be; those after it by name."""
    for name, parameter in rule.signature.parameters.items():
        if parameter.default is parameter.empty or parameter.kind is not parameter.POSITIONAL_OR_KEYWORD:
            continue
        if all(name in _bound(rule, sample) for sample in rule.samples):
            bound = _bound(rule, rule.samples[0])
            names = list(rule.signature.parameters)
            count = min(names.index(name), len(rule.samples[0].args))
            rest = [other for other in bound if other not in (*names[:count], name)]
            yield name, Sample(tuple(bound[n] for n in names[:count]), {n: bound[n] for n in rest})


def _bound(rule: Rule, sample: Sample) -> dict[str, Any]:
    return dict(rule.signature.bind(*sample.args, **sample.kwargs).arguments)


def _with(rule: Rule, sample: Sample, name: str, value: Any) -> Sample | None:
    """The sample with one argument replaced, where it stands."""
    positional = [
        p.name
        for p in rule.signature.parameters.values()
        if p.kind in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    ]
    if name in positional[: len(sample.args)]:
        index = positional.index(name)
        return Sample((*sample.args[:index], value, *sample.args[index + 1 :]), sample.kwargs)
    if rule.signature.parameters[name].kind is inspect.Parameter.POSITIONAL_ONLY:
        return None
    return Sample(sample.args, {**sample.kwargs, name: value})


def _mapped(function: Callable[[Any], Any], value: Any) -> Any:
    return compare.mapped(function, value)


def _arrays(value: Any) -> Iterator[Array]:
    if isinstance(value, Mapping):
        value = dict(value)
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], Mapping):
        value = (value[0], dict(value[1]))
    yield from (leaf for leaf in compare.leaves(value) if isinstance(leaf, Array))


def _changed(sample: Sample, change: Callable[[Array], Array]) -> Sample:
    args, kwargs = _mapped(lambda v: change(v) if isinstance(v, Array) else v, (sample.args, dict(sample.kwargs)))
    return Sample(args, kwargs)


def _changed_at(sample: Sample, position: int, change: Callable[[Array], Array]) -> Sample:
    """The same for one of the arrays, by its place among them."""
    count = iter(range(1000))
    return _changed(sample, lambda a: change(a) if next(count) == position else a)


def _reshaped(array: Array, shape: Any) -> Array:
    return dataclasses.replace(array, shape=tuple(shape))


def _has_floats(sample: Sample) -> bool:
    return any(a.dtype in _FLOATS for a in _arrays((sample.args, sample.kwargs)))


def _draw(value: Any, kind: str, rng: np.random.Generator) -> Any:
    """An array's values; those of `DRAWN` kinds are on a grid, far out, or not finite in places."""
    array = compare.drawn(value, rng)
    if kind not in DRAWN or not isinstance(array, np.ndarray) or not array.size:
        return array
    if array.dtype.kind == "i":
        return array if kind != "ties" else np.minimum(array, value.low + 1).astype(array.dtype)
    if array.dtype.kind != "f":
        return array
    if kind == "ties":
        return (np.round(array * 2) / 2).astype(array.dtype)
    if kind == "wide":
        return (array * np.where(rng.random(array.shape) < 0.5, 60, 1)).astype(array.dtype)
    places = rng.random(array.shape) < 0.4
    odd = rng.choice(np.array([np.nan, np.inf, -np.inf, -0.0], array.dtype), array.shape)
    return np.where(places, odd, array)


def _shown(value: Any) -> str:
    if isinstance(value, Array):
        return f"{value.dtype}{list(value.shape)}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_shown, value)) + "]"
    return getattr(value, "__name__", None) or repr(value)
