"""At which calls a declared difference can show.

A difference that names generated cases (`covers`) shows where a call may be such a case: inputs of that dtype, of a rank
that no sample has, with a dimension of that size, with that argument. One that does not, or that depends on values as
well, says it with `Difference.at`, one of the functions below or of the same kind; without either it shows everywhere.
What is not known of a call may be so.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

#: The value of an argument that is not known when porting.
UNKNOWN = object()

#: Kinds of cases that are dtypes, and the dtypes that each stands for.
DTYPES: Mapping[str, frozenset[str]] = {
    "float32": frozenset({"float16", "bfloat16", "float32", "float64"}),
    "bfloat16": frozenset({"float16", "bfloat16"}),
    "int32": frozenset({f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}),
    "bool": frozenset({"bool"}),
}
_WIDE = frozenset({"int64", "uint64", "float64", "complex128"})


@dataclasses.dataclass(frozen=True)
class Tensor:
    """An input: dtype and shape, None where not known. A size that is no int is at least 1."""

    dtype: str | None = None
    shape: tuple[Any, ...] | None = None


@dataclasses.dataclass(frozen=True)
class Site:
    """A call of an API, as far as it is known.

    Attributes:
      values: arguments by name, defaults included; `UNKNOWN` for those that are not known, such as tensors.
      given: names of the arguments that the call states.
      tensors: its inputs.
      ranks: the ranks of inputs in the samples that the rule was compared on, one tuple for each.
      defaults: the parameters' defaults.
      keras2: does the original run on Keras 2?
      inner: the constructor calls of layers among its arguments.
    """

    values: Mapping[str, Any]
    given: frozenset[str]
    tensors: Sequence[Tensor]
    ranks: frozenset[tuple[int, ...]] = frozenset()
    defaults: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    keras2: bool = False
    inner: Sequence[Site] = ()

    def states(self, name: str) -> bool:
        """Is the argument given, with a value that may be another than the default?"""
        if name not in self.given:
            return False
        value = self.values[name]
        return value is UNKNOWN or name not in self.defaults or value != self.defaults[name]

    def may_be(self, name: str, *values: Any) -> bool:
        """May the argument have one of these values?"""
        found = self.values.get(name)
        return found is UNKNOWN or found in values

    def has_dtype(self, dtypes: frozenset[str]) -> bool:
        """May an input be of one of these dtypes?"""
        return any(tensor.dtype is None or tensor.dtype in dtypes for tensor in self.tensors)


At = Callable[[Site], bool]


def touches(covers: Sequence[str], at: At | None, site: Site) -> bool:
    """Can a difference show at this call?"""
    if at is not None:
        return at(site)
    return not covers or any(_may_be_case(kind, site) for kind in covers)


def _may_be_case(kind: str, site: Site) -> bool:
    shapes = [tensor.shape for tensor in site.tensors]
    if kind in DTYPES:
        return site.has_dtype(DTYPES[kind])
    if kind == "nan":
        return of_floats(site)
    if kind in ("one", "empty"):
        size = 1 if kind == "one" else 0
        return any(shape is None or any(isinstance(d, int) and d == size for d in shape) for shape in shapes)
    if kind in ("rank", "scalar"):
        known = tuple(len(shape) for shape in shapes if shape is not None)
        if len(known) < len(shapes):
            return True
        return 0 in known if kind == "scalar" else known not in site.ranks
    if kind == "broadcast":
        return None in shapes or len({tuple(map(str, shape or ())) for shape in shapes}) > 1
    if kind == "axis":
        return any(site.states(name) for name in site.given if "axis" in name or "axes" in name)
    return site.states(kind) if kind in site.values else True


def always(site: Site) -> bool:
    """For a difference that depends on values alone, whatever cases show it."""
    return True


def stated(*names: str) -> At:
    """Where one of these arguments is given, with another value than its default."""
    return lambda site: any(site.states(name) for name in names)


def unless(name: str, value: Any) -> At:
    """Wherever an argument does not have this value."""
    return lambda site: site.values.get(name) != value


def without(name: str) -> At:
    """Where an argument is not given."""
    return lambda site: name not in site.given


def equal(name: str, *values: Any) -> At:
    """Where an argument has one of these values."""
    return lambda site: site.may_be(name, *values)


def from_numpy(site: Site) -> bool:
    """Where an array of 64 bits may be among the inputs, and no dtype is asked for."""
    return wide(site) if _asked(site) else any(value is UNKNOWN for value in site.values.values()) and wide(site)


def of_integers(site: Site) -> bool:
    """Where an input is of integers."""
    return site.has_dtype(DTYPES["int32"])


def of_floats(site: Site) -> bool:
    """Where an input is of floats."""
    return site.has_dtype(DTYPES["float32"])


def on_keras2(site: Site) -> bool:
    """Where the original runs on Keras 2."""
    return site.keras2


def of_rank(rank: int) -> At:
    """Where an input has this many dimensions."""
    return lambda site: any(tensor.shape is None or len(tensor.shape) == rank for tensor in site.tensors)


def both(one: At, other: At) -> At:
    """Where two things hold."""
    return lambda site: one(site) and other(site)


def either(one: At, other: At) -> At:
    """Where one of two things holds."""
    return lambda site: one(site) or other(site)


def wide(site: Site) -> bool:
    """Where a dtype of 64 bits is asked for, or, where none is, where an input has one."""
    asked = _asked(site)
    return any(dtype is None or dtype in _WIDE for dtype in asked) if asked else site.has_dtype(_WIDE)


def wide_unless_asked(site: Site) -> bool:
    """The same of a function whose results have 64 bits where no dtype is asked for."""
    return wide(site) if _asked(site) else True


def wide_of_integers(site: Site) -> bool:
    """The same of a function whose results have 64 bits for all integers."""
    return wide(site) or of_integers(site)


def to_integers(site: Site) -> bool:
    """Where a dtype of integers is asked for."""
    return any(dtype is None or dtype in DTYPES["int32"] for dtype in _asked(site))


def _asked(site: Site) -> list[str | None]:
    """The dtypes that are asked for; None for one that is not known."""
    asked = [value for name, value in site.values.items() if "dtype" in name or name.endswith("_type")]
    return [None if value is UNKNOWN else _dtype_name(value) for value in asked if value is not None]


def _dtype_name(value: Any) -> str:
    name = value if isinstance(value, str) else getattr(value, "__name__", None) or str(value)
    name = name.rsplit(".", 1)[-1]
    return {"float": "float64", "int": "int64"}.get(name, name)


def with_inner(at: At) -> At:
    """The same of the call, or of a layer among its arguments."""
    return lambda site: at(site) or any(with_inner(at)(inner) for inner in site.inner)
