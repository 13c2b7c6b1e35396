"""The reference: every symbol with its verdict, what becomes of it, declared differences, and what it was compared with."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from codemods.coverage.targets import target
from codemods.engine import rule as rules
from codemods.engine.api import table
from codemods.engine.handled import HANDLED
from codemods.engine.rule import Difference, Rule
from codemods.policy import verdicts
from codemods.policy.entries import ENTRIES, Host, Refused

assert verdicts  # imports rules, passes and policy

COMMAND = "./bazelw run //docs:reference"
_ALIASES = 4


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of a table, in Markdown. `differences` and `authority` have other headings in some tables."""

    symbol: str
    becomes: str
    differences: str = ""
    authority: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """Rows stand in the order of their symbols."""
        return self.symbol.split("`")[1], self.differences


def rule_rows() -> list[Row]:
    """Functions, classes whose instances are configuration, and constants."""
    rows = [_rule_row(symbol, entry) for symbol, entry in rules.RULES.items()]
    rows += [Row(_named(symbol), f"`{code}`") for symbol, code in rules.CONSTANTS.items()]
    return sorted(rows, key=lambda row: row.key)


def object_rows() -> list[Row]:
    """Layers, losses and metrics."""
    rows = []
    for symbol, entry in rules.OBJECTS.items():
        becomes = _refused(symbol) or target(entry.make, entry.call, helpers=entry.helpers)
        rows.append(Row(_named(symbol), becomes, _told(entry.differences), _compared(symbol, len(entry.samples))))
    return sorted(rows, key=lambda row: row.key)


def method_rows() -> list[Row]:
    """Methods and attributes of tensors, by name."""
    rows = []
    for name, entry in {**rules.METHODS, **rules.ATTRIBUTES}.items():
        shown = f"`.{name}()`" if entry.kind == "method" else f"`.{name}`"
        rows.append(Row(shown, target(entry.function), _told(entry.differences), _compared("tf.", len(entry.samples))))
    return sorted(rows, key=lambda row: row.key)


def pass_rows() -> list[Row]:
    """What passes handle."""
    rows = []
    for symbol, entries in HANDLED.items():
        for entry in entries:
            rows.append(Row(_named(symbol), entry.becomes, entry.only))
    return sorted(rows, key=lambda row: row.key)


def host_rows() -> list[Row]:
    """The host policy, by pattern."""
    rows = [Row(f"`{e.pattern}`", e.recipe) for e in ENTRIES.values() if isinstance(e, Host)]
    return sorted(rows, key=lambda row: row.key)


def refused_rows() -> list[Row]:
    """Refusals, by pattern."""
    rows = [Row(f"`{e.pattern}`", e.reason, e.recipe) for e in ENTRIES.values() if isinstance(e, Refused)]
    return sorted(rows, key=lambda row: row.key)


def _rule_row(symbol: str, entry: Rule) -> Row:
    authority = _compared(symbol, len(entry.samples))
    if entry.random:
        authority += "; moments, as the values are random"
    if entry.loose:
        authority += f"; {entry.loose}"
    return Row(
        _named(symbol),
        _refused(symbol) or target(entry.function, helpers=entry.helpers),
        _told(entry.differences),
        authority,
    )


def _refused(symbol: str) -> str:
    """Why a rule refuses every call of a symbol, if it does."""
    found = verdicts.verdict(symbol)
    return f"not ported: {found.becomes}" if found.kind == "refused" else ""


def _named(symbol: str) -> str:
    """The symbol and its other names."""
    others = [alias for alias in aliases().get(symbol, ()) if not alias.startswith(("tf.compat.", "tf.python."))]
    if not others:
        return f"`{symbol}`"
    more = "" if len(others) <= _ALIASES else ", ..."
    return f"`{symbol}`<br>also {', '.join(f'`{name}`' for name in others[:_ALIASES])}{more}"


def _told(differences: Sequence[Difference]) -> str:
    return "; ".join(f"{difference.when}: {difference.truth}" for difference in differences)


def _compared(symbol: str, samples: int) -> str:
    source = "Keras 2" if ".legacy." in symbol else "Keras" if symbol.startswith("tf.keras.") else "TensorFlow"
    return f"{source}, {samples} sample{'s' if samples != 1 else ''}"


_KNOWN: dict[str, list[str]] = {}


def aliases() -> dict[str, list[str]]:
    """Other names of each canonical symbol."""
    if not _KNOWN:
        for module, members in table().items():
            for name, canonical in members.items():
                if canonical:
                    _KNOWN.setdefault(canonical, []).append(f"{module}.{name}")
        for found in _KNOWN.values():
            found.sort(key=lambda name: (name.count("."), len(name), name))
    return _KNOWN
