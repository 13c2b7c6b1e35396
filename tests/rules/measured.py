"""What was measured of the rules' mutants, by symbol, and kept: a rule that has not changed need not be measured again."""

from __future__ import annotations

import ast
import collections
import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from codemods.engine.rule import Rule
from parity.rule_oracle.unknowing import definition_of

#: Below the root of the repository.
FILE = "tests/rules/measured.json"


@dataclasses.dataclass(frozen=True)
class Measured:
    """The mutants of one rule.

    Attributes:
      digest: of the rule's body and samples.
      made, killed: how many, by kind of change; without those in `same`.
      same: how many change nothing that can be told, by the reason.
      survivors: the others that were not noticed.
    """

    digest: str
    made: Mapping[str, int]
    killed: Mapping[str, int]
    same: Mapping[str, int]
    survivors: tuple[str, ...]

    @property
    def total(self) -> int:
        return sum(self.made.values())


def digest_of(entry: Rule) -> str:
    """Changes with the body and the samples."""
    samples = [(_named(sample.args), _named(dict(sample.kwargs))) for sample in entry.samples]
    text = f"{ast.unparse(definition_of(entry.function))} {samples} {entry.random}"
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _named(value: Any) -> Any:
    """Functions by their names: their reprs have addresses."""
    if isinstance(value, dict):
        return {key: _named(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_named(item) for item in value]
    return getattr(value, "__name__", "") if callable(value) else repr(value)


def read(root: Path) -> dict[str, Measured]:
    path = root / FILE
    if not path.exists():
        return {}
    held = json.loads(path.read_text(encoding="utf-8"))["measured"]
    return {symbol: Measured(**{**entry, "survivors": tuple(entry["survivors"])}) for symbol, entry in held.items()}


def number(root: Path) -> int:
    """How many rules there were, measured or not, when this was written."""
    return int(json.loads((root / FILE).read_text(encoding="utf-8"))["rules"])


def write(root: Path, measured: Mapping[str, Measured], rules: int) -> None:
    """One line for each symbol, so that changes can be read."""
    lines = [
        f"{json.dumps(symbol)}: {json.dumps(dataclasses.asdict(entry), sort_keys=True)}"
        for symbol, entry in sorted(measured.items())
    ]
    text = f'{{"rules": {rules}, "measured": {{\n' + ",\n".join(lines) + "\n}}\n"
    (root / FILE).write_text(text, encoding="utf-8")


def summed(measured: Iterable[Mapping[str, int]]) -> collections.Counter[str]:
    """Counts of several rules."""
    return sum((collections.Counter(counts) for counts in measured), collections.Counter())


def rate(measured: Iterable[Measured]) -> float:
    """Which part of the mutants is noticed."""
    found = list(measured)
    return sum(sum(m.killed.values()) for m in found) / max(sum(m.total for m in found), 1)
