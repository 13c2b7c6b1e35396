"""Audits a Bazel workspace: what uses TensorFlow, what reaches it, what to migrate next.

    bazel run //:audit -- //some/... [--out DIR]

The BUILD files need to know nothing of this tool. Exit codes: 0, and 2 for bad input.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import shlex
import shutil
import sys
from collections.abc import Sequence

from auditing.burn_down import burn_down
from auditing.collect import cache_path, collect
from auditing.query import QueryError, targets
from auditing.result import Audit, audit
from auditing.targets import Repository
from auditing.written import write

#: How many broken packages are named before they are counted.
_SHOWN = 10


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="audit", description=__doc__.splitlines()[0], allow_abbrev=False)
    top.add_argument("patterns", nargs="*", default=[], help="target patterns, //... by default; -//x/... leaves out")
    top.add_argument("--out", help="folder for audit.json, .csv, .dot, .svg and .html; nothing is written without it")
    top.add_argument("--bazel", help="the bazel command; by default ./bazelw, bazel or bazelisk")
    top.add_argument("--no_history", action="store_true", help="leave out the burn-down from git")
    top.add_argument("--workspace", help=argparse.SUPPRESS)
    return top


def main(argv: Sequence[str]) -> int:
    """Runs the audit; returns the exit code."""
    own, patterns = [a for a in argv if not a.startswith("-//")], [a for a in argv if a.startswith("-//")]
    args = parser().parse_args(own)
    workspace = pathlib.Path(args.workspace or os.environ.get("BUILD_WORKSPACE_DIRECTORY") or os.getcwd())
    try:
        bazel = command(args.bazel, workspace)
        found = targets(bazel, workspace, [*args.patterns, *patterns])
    except QueryError as error:
        print(error, file=sys.stderr)
        return 2
    for place in found.broken[:_SHOWN]:
        print(f"{place.file}:{place.line}: {place.consequence}", file=sys.stderr)
    if len(found.broken) > _SHOWN:
        print(f"and {len(found.broken) - _SHOWN} more packages that Bazel can't read", file=sys.stderr)
    if not found:
        print(f"{' '.join(args.patterns) or '//...'}: no Python targets there", file=sys.stderr)
        return 2
    files = [file for target in found.values() for file in target.files]
    facts = collect(workspace, files, cache_path(workspace))
    history = [] if args.no_history else burn_down(workspace)
    result = audit(" ".join(args.patterns) or "//...", Repository(found, facts, found.broken), history)
    print(summary(result))
    if args.out:
        out = pathlib.Path(os.environ.get("BUILD_WORKING_DIRECTORY", os.getcwd())) / args.out
        for path in write(result, out):
            print(f"wrote {path}")
    return 0


def command(given: str | None, workspace: pathlib.Path) -> list[str]:
    """The Bazel to ask."""
    if given:
        return shlex.split(given)
    own = workspace / "bazelw"
    if own.is_file() and os.access(own, os.X_OK):
        return [str(own)]
    for name in ("bazel", "bazelisk"):
        found = shutil.which(name)
        if found:
            return [found]
    raise QueryError("no bazel on PATH; give one with --bazel")


def summary(result: Audit) -> str:
    """What people want to know first."""
    direct, transitive = result.counts["direct"], result.counts["transitive"]
    lines = [f"{len(result.rows)} Python targets"]
    for name in ("tensorflow", "mixed", "host-only", "jax", "free"):
        lines.append(
            f"  {name:<11} {direct.get(name, 0):>6} by their own sources, {transitive.get(name, 0):>6} with all they reach"
        )
    for number, labels in enumerate(result.waves, 1):
        shown = ", ".join(labels[:3]) + (", ..." if len(labels) > 3 else "")
        lines.append(f"wave {number}: {len(labels)} targets: {shown}")
    for cycle in result.cycles:
        lines.append(f"cycle: {' <-> '.join(cycle)}")
    kinds: dict[str, int] = {}
    for finding in result.findings:
        kinds[finding.kind] = kinds.get(finding.kind, 0) + 1
    lines += [f"{count} findings: {kind}" for kind, count in sorted(kinds.items())]
    lines += [f"  {finding}" for finding in result.findings[:10]]
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
