"""Entries of the policy, and which of them a symbol falls under."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from codemods.engine.api import canonical


@dataclasses.dataclass(frozen=True)
class Host:
    """Symbols of code that runs on the host, around the model: input pipelines, files, summaries.

    Such code stays as it is; TensorFlow is imported in the function that needs it, when it runs.

    Attributes:
      pattern: a canonical symbol, or `tf.io.*` for all below.
      gives: what a call gives, which tells how its result reaches ported code: `dataset` (iterated
        as NumPy arrays), `tensor` and `tree` (read as NumPy arrays), `layer` (an object whose calls give tensors),
        `value` (used as it is), `constant` (it is no call).
      recipe: what to write where TensorFlow is not wanted there either.
      sample: code with `SYMBOL` in it whose port keeps it; empty: see the sample of the pattern.
    """

    pattern: str
    gives: str
    recipe: str
    sample: str = ""


@dataclasses.dataclass(frozen=True)
class Refused:
    """Symbols that are not ported: why, and what the user can do."""

    pattern: str
    reason: str
    recipe: str

    @property
    def text(self) -> str:
        """One sentence for a residual."""
        return f"{self.reason}: {self.recipe}"


Entry = Host | Refused

ENTRIES: dict[str, Entry] = {}


def _enter(entry: Entry) -> None:
    if entry.pattern in ENTRIES:
        raise ValueError(f"two entries for {entry.pattern}")
    ENTRIES[entry.pattern] = entry


def below(prefix: str, names: str) -> list[str]:
    """Symbols of one module, from a line of their names."""
    return [f"{prefix}.{name}" for name in names.split()]


def host(*patterns: str, recipe: str, gives: str = "value", sample: str = "") -> None:
    """Enters symbols that stay as host code; see `Host`."""
    for pattern in _names(patterns):
        _enter(Host(pattern, gives, recipe, sample))


def refused(*patterns: str, reason: str, recipe: str) -> None:
    """Enters symbols that stay TensorFlow and are listed; see `Refused`."""
    for pattern in _names(patterns):
        _enter(Refused(pattern, reason, recipe))


def _names(patterns: Iterable[str]) -> list[str]:
    """Canonical names; several aliases of one thing are one entry."""
    return list(dict.fromkeys(p if p.endswith(".*") else canonical(p) for p in patterns))
