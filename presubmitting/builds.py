"""The checks that need Bazel: units whose port is out of date, or no longer agrees with its original."""

from __future__ import annotations

import json
import pathlib
import subprocess
import tempfile
from collections.abc import Sequence

from auditing.query import QueryError, path_of
from presubmitting.checks import Finding

_TESTS = {"_fresh_test": "stale-port", "_test": "parity"}


def units(bazel: Sequence[str], workspace: pathlib.Path, changed: Sequence[str] | None) -> list[str]:
    """Labels of units without the `.port`: all, or those that changed files reach.

    Raises:
      QueryError: Bazel failed.
    """
    wanted = "//..."
    if changed is not None:
        files = [file for file in changed if (workspace / file).exists()]
        if not files:
            return []
        wanted = f"rdeps(//..., set({' '.join(files)}))"
    query = f'kind("^port rule$", {wanted})'
    ran = subprocess.run(
        [*bazel, "query", "--keep_going", query], cwd=workspace, capture_output=True, text=True, check=False
    )
    if ran.returncode not in (0, 3):
        raise QueryError(f"bazel query failed ({ran.returncode}): {ran.stderr.strip().splitlines()[-1:]}")
    return sorted(line.removesuffix(".port") for line in ran.stdout.splitlines() if line.endswith(".port"))


def verified(bazel: Sequence[str], workspace: pathlib.Path, labels: Sequence[str], shown: str) -> list[Finding]:
    """Findings of the units' own tests. `shown` is how people call Bazel."""
    if not labels:
        return []
    tests = [label + suffix for label in labels for suffix in _TESTS]
    with tempfile.NamedTemporaryFile(suffix=".json") as events:
        command = [*bazel, "test", "--keep_going", f"--build_event_json_file={events.name}", *tests]
        subprocess.run(command, cwd=workspace, capture_output=True, check=False)
        results = [json.loads(line) for line in pathlib.Path(events.name).read_text(encoding="utf-8").splitlines()]
    passed = {
        result["id"]["testSummary"]["label"].lstrip("@")
        for result in results
        if "testSummary" in result.get("id", {}) and result.get("testSummary", {}).get("overallStatus") == "PASSED"
    }
    found = []
    for label in labels:
        for suffix, rule in _TESTS.items():
            if label + suffix not in passed:
                what = (
                    "the checked-in port is not what the build makes"
                    if rule == "stale-port"
                    else "the port does not agree with its original"
                )
                mend = f"{shown} run {label}" if rule == "stale-port" else f"{shown} test {label}{suffix}"
                found.append(Finding(path_of(label) + ".py", 1, rule, f"{what} ({label})", mend))
    return found
