"""The report of `tf_audit`: `report_step NAME JSON CSV DOT SVG HTML @TARGETS`.

`TARGETS` has one JSON object per line: label, kind, deps, roots and the paths of the facts of its sources.
"""

from __future__ import annotations

import json
import pathlib
import posixpath
import sys
from collections.abc import Iterable, Sequence

from auditing.facts import Facts
from auditing.query import short
from auditing.result import audit
from auditing.targets import Repository, Target
from auditing.written import WRITERS


def repository(lines: Iterable[str]) -> Repository:
    """The targets of some lines, with their facts."""
    targets: dict[str, Target] = {}
    facts: dict[str, Facts] = {}
    for line in lines:
        data = json.loads(line)
        own = [Facts.from_json(pathlib.Path(path).read_text(encoding="utf-8")) for path in data["facts"]]
        facts |= {f.file: f for f in own}
        label = short(data["label"])
        roots = tuple(root for root in map(posixpath.normpath, data["roots"]) if root != ".")
        deps = tuple(sorted({short(dep) for dep in data["deps"]}))
        targets[label] = Target(label, data["kind"], tuple(sorted(f.file for f in own)), deps, roots)
    python = {label for label, t in targets.items() if t.files or "py" in t.kind or t.kind == "alias"}
    return Repository({label: t for label, t in sorted(targets.items()) if label in python}, facts)


def main(argv: Sequence[str]) -> int:
    """Reads the facts, writes the five files."""
    name, *outputs, listed = argv
    lines = pathlib.Path(listed.removeprefix("@")).read_text(encoding="utf-8").splitlines()
    result = audit(name, repository(lines))
    for path in outputs:
        pathlib.Path(path).write_text(WRITERS[path.rpartition(".")[2]](result), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
