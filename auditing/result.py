"""The whole audit as one value, and as JSON and CSV."""

from __future__ import annotations

import collections
import csv
import dataclasses
import io
import json
from collections.abc import Sequence
from typing import Any

from auditing.burn_down import Point
from auditing.effort import Effort, effort
from auditing.findings import Finding, findings
from auditing.graph import Standing, order
from auditing.targets import Repository, Target


@dataclasses.dataclass(frozen=True)
class Row:
    """Everything about one target."""

    target: Target
    standing: Standing
    effort: Effort


@dataclasses.dataclass(frozen=True)
class Audit:
    """Rows by label, and what concerns several targets."""

    name: str
    rows: dict[str, Row]
    cycles: tuple[tuple[str, ...], ...]
    findings: tuple[Finding, ...]
    history: tuple[Point, ...]

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """Targets by class, `direct` and `transitive`."""
        return {
            which: dict(sorted(collections.Counter(getattr(r.standing, which) for r in self.rows.values()).items()))
            for which in ("direct", "transitive")
        }

    @property
    def waves(self) -> list[list[str]]:
        """Labels of each wave, those that block most first."""
        found: dict[int, list[str]] = {}
        for label, row in self.rows.items():
            if row.standing.wave:
                found.setdefault(row.standing.wave, []).append(label)
        return [sorted(found[w], key=lambda name: (-self.rows[name].standing.blocks, name)) for w in sorted(found)]


def audit(name: str, repository: Repository, history: Sequence[Point] = ()) -> Audit:
    """Answers all questions about a repository."""
    ordered = order(repository)
    rows = {
        label: Row(target, ordered.standings[label], effort(repository.facts_of(target)))
        for label, target in sorted(repository.targets.items())
    }
    return Audit(name, rows, ordered.cycles, tuple(findings(repository)), tuple(history))


def as_json(result: Audit) -> str:
    """All of it, keys sorted."""
    data: dict[str, Any] = {
        "version": 1,
        "name": result.name,
        "counts": result.counts,
        "waves": result.waves,
        "cycles": result.cycles,
        "findings": [dataclasses.asdict(f) for f in result.findings],
        "history": [dataclasses.asdict(p) for p in result.history],
        "targets": {
            label: {
                "kind": row.target.kind, "files": row.target.files, "deps": row.target.deps,
                **dataclasses.asdict(row.standing), "lines": row.effort.lines, "uses": row.effort.uses,
                "covered": row.effort.covered, "effort": row.effort.level, "blocking": row.effort.blocking,
            }
            for label, row in result.rows.items()
        },
    }  # fmt: skip
    return json.dumps(data, indent=1, sort_keys=True) + "\n"


def as_csv(result: Audit) -> str:
    """One line per target."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        ["label", "kind", "direct", "transitive", "wave", "blocks", "alone", "lines", "uses", "covered", "effort"]
    )
    for label, row in result.rows.items():
        s, e = row.standing, row.effort
        writer.writerow(
            [label, row.target.kind, s.direct, s.transitive, s.wave, s.blocks, s.alone, e.lines, e.uses, e.covered, e.level]
        )  # fmt: skip
    return out.getvalue()
