"""Checks a change before it goes in: ports up to date and verified, no new TensorFlow, no new residuals, layers.

    bazel run //:presubmit -- --policy migration_policy.json [--since REV] [--format text|json|sarif] [--update]

Each finding is one line: `file:line: rule: what is wrong; run: what mends it`. Exit codes: 0 nothing found, 1 findings,
2 bad input. `--update` lowers the ratchet to what there is now; it never raises it.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import pathlib
import subprocess
import sys
from collections.abc import Sequence

from auditing.collect import cache_path, collect
from auditing.main import command
from auditing.query import QueryError, targets
from auditing.targets import Repository
from presubmitting import builds, checks, policy, sarif
from presubmitting.checks import Finding


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="presubmit", description=__doc__.splitlines()[0], allow_abbrev=False)
    top.add_argument("--policy", default="migration_policy.json", help="the policy, below the root")
    top.add_argument("--since", metavar="REV", help="check only what changed since this git revision")
    top.add_argument("--format", choices=("text", "json", "sarif"), default="text")
    top.add_argument("--update", action="store_true", help="lower the ratchet to what there is now")
    top.add_argument("--no_build", action="store_true", help="leave out the checks that build and test units")
    top.add_argument("--bazel", help="the bazel command; by default ./bazelw, bazel or bazelisk")
    top.add_argument("--workspace", help=argparse.SUPPRESS)
    return top


def changed_files(workspace: pathlib.Path, since: str) -> list[str]:
    """Files below the root that differ from a revision, those not committed included.

    Raises:
      policy.PolicyError: git can't say.
    """
    found: set[str] = set()
    for arguments in (["diff", "--name-only", "--relative", since], ["ls-files", "--others", "--exclude-standard"]):
        ran = subprocess.run(["git", *arguments], cwd=workspace, capture_output=True, text=True, check=False)
        if ran.returncode:
            raise policy.PolicyError(f"--since {since}: {(ran.stderr.strip().splitlines() or ['git failed'])[0]}")
        found |= set(ran.stdout.splitlines())
    return sorted(found)


def findings(args: argparse.Namespace, workspace: pathlib.Path) -> list[Finding]:
    """All that is wrong; with `--update` the ratchet is written first."""
    rules = policy.read(workspace, args.policy)
    bazel = command(args.bazel, workspace)
    shown = "./bazelw" if bazel[0].endswith("bazelw") else "bazel"
    changed = changed_files(workspace, args.since) if args.since else None
    known = targets(bazel, workspace, ["//..."])
    facts = collect(workspace, [file for t in known.values() for file in t.files], cache_path(workspace))
    repository = Repository(known, facts, known.broken)
    if args.update:
        lower = checks.lowered(rules.ratchet, checks.counts(workspace, repository, rules))
        _write(workspace / rules.ratchet_file, lower.to_json())
        rules = dataclasses.replace(rules, ratchet=lower)
    update = f"{shown} run //:presubmit -- --policy {args.policy} --update"
    found = [*checks.ratchet(workspace, repository, rules, update), *checks.layering(repository)]
    # Not only where it changed: what can't be read can't be checked.
    found = [*checks.broken(repository, shown), *checks.touching(found, changed)]
    if not args.no_build:
        found += builds.verified(bazel, workspace, builds.units(bazel, workspace, changed), shown)
    return sorted(found)


def _write(path: pathlib.Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)


def main(argv: Sequence[str]) -> int:
    """Runs the checks; returns the exit code."""
    args = parser().parse_args(argv)
    workspace = pathlib.Path(args.workspace or os.environ.get("BUILD_WORKSPACE_DIRECTORY") or os.getcwd())
    try:
        found = findings(args, workspace)
    except (QueryError, policy.PolicyError) as error:
        print(error, file=sys.stderr)
        return 2
    if args.format == "json":
        print(json.dumps([dataclasses.asdict(f) for f in found], indent=1, sort_keys=True))
    elif args.format == "sarif":
        print(sarif.as_sarif(found))
    else:
        print("\n".join(map(str, found)) if found else "presubmit: nothing found")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
