"""How many files used TensorFlow and JAX over the history of a git repository."""

from __future__ import annotations

import dataclasses
import pathlib
import subprocess

_TENSORFLOW = r"^[ \t]*(import|from)[ \t]+(tensorflow|keras|tf_keras)"
_JAX = r"^[ \t]*(import|from)[ \t]+(jax|flax)"


@dataclasses.dataclass(frozen=True)
class Point:
    """Counts of files at one commit; `date` is the commit's, as YYYY-MM-DD."""

    commit: str
    date: str
    tensorflow: int
    jax: int


def burn_down(root: pathlib.Path, points: int = 20) -> list[Point]:
    """Up to `points` commits spread evenly over the first-parent history, oldest first.

    Empty where `root` is in no git repository, or git is not there.
    """
    try:
        log = _git(root, "log", "--first-parent", "--format=%H %cs", "--", ".").split()
    except (OSError, subprocess.CalledProcessError):
        return []
    commits = list(zip(log[::2], log[1::2], strict=True))[::-1]
    if len(commits) > points:
        step = (len(commits) - 1) / (points - 1)
        commits = [commits[round(i * step)] for i in range(points)]
    return [Point(c[:12], date, _files(root, c, _TENSORFLOW), _files(root, c, _JAX)) for c, date in commits]


def _files(root: pathlib.Path, commit: str, pattern: str) -> int:
    found = subprocess.run(
        ["git", "grep", "-l", "-E", pattern, commit, "--", "*.py"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    return len(found.stdout.splitlines())


def _git(root: pathlib.Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True).stdout
