"""Derives how far a port may be from the original, from what rounding errors do to the original itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from parity.original import Arrays

#: How much further from the truth than the original a port may be.
SLACK = 8.0
_EPSILON = float(np.finfo(np.float32).eps)
#: Size of the errors that show kinks, in units in the last place: more than the order of a long sum makes.
WIDE = 16.0
#: Floor of a tolerance relative to the array's largest magnitude, in roundings: of one evaluation, of a
#: gradient, which may be a long sum, and of an optimizer step, whose decay rates are themselves rounded.
_FLOOR, _GRADIENT_FLOOR, _STEP_FLOOR = 16.0, 32.0, 64.0
#: The same relative to the largest gradient of the call, times the fourth root of the number of outputs:
#: terms that cancel leave their roundings, and more the longer the sum.
_CANCELLED = 8.0


def differences(single: Arrays, other: Arrays) -> dict[str, float]:
    """Largest absolute difference by name, of arrays that both have."""
    return {
        name: float(np.max(np.abs(np.asarray(other[name], np.float64) - value), initial=0.0))
        for name, value in single.items()
        if name in other and not name.endswith("/rates")
    }


def tolerances(reference: Arrays, errors: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Largest absolute error by name: `SLACK` times the original's own, and never below a few roundings."""
    largest = {name: float(np.max(np.abs(value), initial=0.0)) for name, value in reference.items()}
    groups: dict[str, float] = {}
    for name, value in largest.items():
        if "/gradients/" in name:
            group = name.split("/gradients/")[0]
            outputs = sum(v.size for n, v in reference.items() if n.startswith(f"{group}/outputs/"))
            groups[group] = max(groups.get(group, 0.0), value * max(outputs, 1) ** 0.25)
    result = {}
    for name, array in reference.items():
        error = max(found.get(name, 0.0) for found in errors)
        if array.dtype.kind != "f":
            result[name] = error
            continue
        roundings = _GRADIENT_FLOOR if "/gradients/" in name else _FLOOR
        floor = (_STEP_FLOOR if name.startswith(("steps/", "own/")) else roundings) * _EPSILON * largest[name]
        floor += _CANCELLED * _EPSILON * groups.get(name.split("/gradients/")[0], 0.0)
        result[name] = float(f"{max(SLACK * error, floor):.3g}")
    return result


def jumps(single: Arrays, plus: Arrays, minus: Arrays) -> dict[str, float]:
    """Where a rounding error makes more than its share of a difference: next to a kink, as ReLU has at 0.

    Where a function is smooth, errors of opposite sign have opposite effects. Next to a kink just one of
    them has its effect, and a port may as well find itself on the other side.

    Args:
      single: what the original gives.
      plus: the same with errors of `WIDE` units in the last place.
      minus: with the same errors, turned round.

    Returns:
      The height of the jump by name, for the arrays where it exceeds what they would be allowed.
    """
    effects = [differences(single, other) for other in (plus, minus)]
    allowed = tolerances(single, [{name: error / WIDE for name, error in effect.items()} for effect in effects])
    found = {}
    for name, value in single.items():
        if value.dtype.kind == "f" and value.size and not name.endswith("/rates"):
            bend = np.asarray(plus[name], np.float64) + minus[name] - 2.0 * value
            height = float(np.max(np.abs(bend)))
            if height > allowed[name]:
                found[name] = height
    return {name: height for name, height in found.items() if not _is_bent(name, single, found)}


def _is_bent(name: str, single: Arrays, found: Mapping[str, float]) -> bool:
    """Is it the optimizer that bends, as Adam's does at gradients of 0, and not the gradient in its slots?"""
    group, _, _ = name.partition("/weights/")
    slots = [other for other in single if other.startswith(f"{group}/slots/")]
    return name != group and bool(slots) and not any(other in found for other in slots)


def widened(limits: Mapping[str, float], heights: Mapping[str, float]) -> dict[str, float]:
    """Tolerances that let a port be on either side of a jump."""
    return {name: max(limit, float(f"{2.0 * heights.get(name, 0.0):.3g}")) for name, limit in limits.items()}
