"""Checks: one comparison each, with its error and its tolerance."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

LEVELS = ("none", "shapes", "forward", "gradients", "step", "trajectory")


@dataclasses.dataclass(frozen=True)
class Check:
    """One line of the certificate.

    Attributes:
      level: the level that it belongs to.
      name: what was compared.
      passed: whether it holds.
      max_abs: largest absolute error; None for checks without numbers.
      max_rel: the same, relative to the largest magnitude of the reference.
      tolerance: the largest absolute error allowed.
      detail: what is wrong, and where it is worst.
    """

    level: str
    name: str
    passed: bool
    max_abs: float | None = None
    max_rel: float | None = None
    tolerance: float | None = None
    detail: str = ""

    def as_json(self) -> dict[str, Any]:
        """The check as in certificate.json."""
        return dataclasses.asdict(self)


def holds(level: str, name: str, passed: bool, detail: str = "") -> Check:
    """A check without numbers."""
    return Check(level, name, bool(passed), detail="" if passed else detail)


@dataclasses.dataclass(frozen=True)
class Pair:
    """What a port gave, next to what it should have given.

    Attributes:
      label: names the array in messages.
      value: of the port.
      reference: of the original.
      tolerance: largest absolute error allowed.
    """

    label: str
    value: Any
    reference: Any
    tolerance: float


def compare(level: str, name: str, pairs: Iterable[Pair], missing: Iterable[str] = ()) -> Check:
    """One check over several arrays; the one that uses up most of its tolerance is reported.

    Args:
      level: the level that the check belongs to.
      name: what is compared.
      pairs: the arrays.
      missing: labels of arrays that the port doesn't have, or has too many.
    """
    worst: tuple[float, Pair | None, float, float] = (-1.0, None, 0.0, 0.0)
    problems = [f"{label} is on one side only" for label in missing]
    for pair in pairs:
        value, reference = np.asarray(pair.value), np.asarray(pair.reference)
        if value.shape != reference.shape:
            problems.append(f"{pair.label} has shape {list(value.shape)}, the original {list(reference.shape)}")
            continue
        found = np.abs(value.astype(np.float64) - reference.astype(np.float64))
        error = float(np.max(found, initial=0.0))
        if not np.isfinite(error):
            problems.append(f"{pair.label} is not finite")
            continue
        size = float(np.max(np.abs(reference.astype(np.float64)), initial=0.0))
        share = error / pair.tolerance if pair.tolerance > 0 else (0.0 if error == 0 else float("inf"))
        if share > worst[0]:
            worst = (share, pair, error, error / size if size else error)
    share, at, error, relative = worst
    if at is None and not problems:
        return Check(level, name, False, detail="there is nothing to compare")
    if at is not None and share > 1.0:
        problems.insert(0, f"{at.label} is off by {error:.3g}, {share:.3g} times its tolerance")
    return Check(
        level=level,
        name=name,
        passed=not problems,
        max_abs=None if at is None else error,
        max_rel=None if at is None else relative,
        tolerance=None if at is None else at.tolerance,
        detail="; ".join(problems[:3]) or ("" if at is None or not at.label else f"worst: {at.label}"),
    )


def reached(checks: Iterable[Check], asked: str) -> str:
    """The highest level up to which every check passed."""
    best = "none"
    found = list(checks)
    for level in LEVELS[: LEVELS.index(asked) + 1]:
        here = [check for check in found if check.level == level]
        if not all(check.passed for check in here):
            break
        if here:
            best = level
    return best


def table(certificate: Mapping[str, Any]) -> str:
    """A few lines for the terminal: each level's worst check, and every failed one."""
    lines = []
    for level in LEVELS:
        here = [check for check in certificate["checks"] if check["level"] == level]
        if not here:
            continue
        numbers = [check for check in here if check["max_abs"] is not None and check["tolerance"]]
        failed = [check for check in here if not check["passed"]]
        text = f"{level:<11} {len(here) - len(failed)}/{len(here)} checks"
        if numbers:
            worst = max(numbers, key=lambda check: check["max_abs"] / check["tolerance"])
            text += f"   error {worst['max_abs']:.2g} of {worst['tolerance']:.2g} allowed ({worst['name']})"
        lines.append(text)
        lines += [f"  FAILED {check['name']}: {check['detail']}" for check in failed[:5]]
        lines += [f"  ... and {len(failed) - 5} more"] if len(failed) > 5 else []
    lines.append(f"verdict: {certificate['verdict']} (reached {certificate['reached']}, asked {certificate['asked']})")
    return "\n".join(lines)
