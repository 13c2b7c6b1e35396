"""All files of a tree, judged; what they come to together."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from codemods.coverage.judged import BLOCKED, OPEN, WHOLE, Definition, Judged, verdict_of
from codemods.coverage.uses import MODULE
from codemods.policy.verdicts import KINDS, Verdict


@dataclasses.dataclass(frozen=True)
class Symbol:
    """One symbol in a tree: its verdict, how often it is used, and where first."""

    verdict: Verdict
    uses: int
    file: str
    line: int


@dataclasses.dataclass(frozen=True)
class Blocker:
    """What blocks: a symbol or construct, with the reason it has most often.

    Attributes:
      definitions: classes and functions that it is in.
      held: these, and those that wait for them.
    """

    symbol: str
    reason: str
    definitions: int
    held: int
    file: str
    line: int


@dataclasses.dataclass(frozen=True)
class Report:
    """What a tree comes to.

    Attributes:
      files: those with TensorFlow in them.
      others: how many have none.
      errors: one sentence for each file that can't be read.
    """

    files: tuple[Judged, ...]
    others: int
    errors: tuple[str, ...]

    def definitions(self) -> list[Definition]:
        """Classes and functions that use the framework, or wait for some that do."""
        return [d for judged in self.files for d in judged.definitions if d.name != MODULE]

    def counts(self) -> dict[str, int]:
        """Classes and functions by status."""
        found = Counter(d.status for d in self.definitions())
        return {status: found[status] for status in (WHOLE, OPEN, BLOCKED)}

    def symbols(self) -> list[Symbol]:
        """By verdict, then by uses."""
        uses: Counter[str] = Counter()
        first: dict[str, tuple[str, int]] = {}
        for judged in self.files:
            for use in judged.uses:
                uses[use.symbol] += 1
                first.setdefault(use.symbol, (judged.file, use.line))
        found = [Symbol(verdict_of(name), count, *first[name]) for name, count in uses.items()]
        return sorted(found, key=lambda s: (KINDS.index(s.verdict.kind), -s.uses, s.verdict.symbol))

    def blockers(self) -> list[Blocker]:
        """What blocks most, first."""
        inside: Counter[str] = Counter()
        held: dict[str, set[tuple[str, str]]] = {}
        reasons: dict[str, Counter[str]] = {}
        first: dict[str, tuple[str, int]] = {}
        for judged in self.files:
            waiting = _waiting(judged.definitions)
            for definition in judged.definitions:
                if definition.status != BLOCKED:
                    continue
                blocks = [block for block in definition.blocks if not block.is_open]
                for symbol in dict.fromkeys(block.symbol for block in blocks):
                    inside[symbol] += 1
                    names = {definition.name, *waiting.get(definition.name, ())}
                    held.setdefault(symbol, set()).update((judged.file, name) for name in names)
                for block in blocks:
                    reasons.setdefault(block.symbol, Counter())[block.reason] += 1
                    first.setdefault(block.symbol, (judged.file, block.line))
        found = [
            Blocker(symbol, reasons[symbol].most_common(1)[0][0], inside[symbol], len(held[symbol]), *first[symbol])
            for symbol in inside
        ]
        return sorted(found, key=lambda b: (-b.held, -b.definitions, b.symbol))

    def to_json(self) -> dict[str, Any]:
        """For `--json`; equal trees give equal data."""
        counts = self.counts()
        symbols = self.symbols()
        return {
            "version": 1,
            "summary": {
                "files": len(self.files), "files_without_tensorflow": self.others, "files_not_read": len(self.errors),
                "definitions": sum(counts.values()), **counts, "share_whole": _share(counts[WHOLE], sum(counts.values())),
                "uses": sum(s.uses for s in symbols),
                "uses_by_verdict": {kind: sum(s.uses for s in symbols if s.verdict.kind == kind) for kind in KINDS},
            },
            "symbols": [
                {**dataclasses.asdict(s.verdict), "uses": s.uses, "file": s.file, "line": s.line} for s in symbols
            ],
            "blockers": [dataclasses.asdict(blocker) for blocker in self.blockers()],
            "files": [
                {"file": judged.file,
                 "definitions": [{**dataclasses.asdict(d), "uses": dict(d.uses)} for d in judged.definitions]}
                for judged in self.files
            ],
            "errors": list(self.errors),
        }  # fmt: skip


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _waiting(definitions: Iterable[Definition]) -> Mapping[str, set[str]]:
    """Who waits for a definition, directly or through others."""
    direct: dict[str, set[str]] = {}
    for definition in definitions:
        for other in definition.waits:
            direct.setdefault(other, set()).add(definition.name)
    found: dict[str, set[str]] = {}
    for name in direct:
        todo, seen = [name], {name}
        while todo:
            more = direct.get(todo.pop(), set()) - seen
            seen |= more
            todo += more
        found[name] = seen - {name}
    return found
