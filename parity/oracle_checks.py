"""Refuses originals that can't tell a wrong port from a right one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from parity import trees
from parity.errors import BadInputError
from parity.original import Arrays

#: Gradients below this share of the largest are named in the certificate.
_FAINT = 1e-6
#: Outputs of two runs on the same inputs may differ by this share of the largest: threads add in any order.
_REPEATED = 1e-3


def check_outputs(outputs: Mapping[tuple[int, str], Arrays], inputs: Mapping[int, Any]) -> None:
    """Looks at the outputs of all cases and modes.

    Raises:
      BadInputError: there are none, one has a NaN or an infinity, is constant or ignores the inputs.
    """
    if not any(outputs.values()):
        raise BadInputError("the call returns no array, so there is nothing to compare")
    paths = {path for found in outputs.values() for path in found}
    for (_, mode), found in outputs.items():
        for path, value in found.items():
            if value.dtype.kind == "f" and not np.all(np.isfinite(value)):
                what = "NaN" if np.any(np.isnan(value)) else "infinity"
                raise BadInputError(f"the original gives {what} in {_named(path)} in {mode} mode")
    varied = any(True for value in inputs.values() for _ in trees.flatten(value))
    still = []
    for path in sorted(paths):
        values = [found[path] for found in outputs.values() if path in found]
        floats = [value for value in values if value.dtype.kind == "f"]
        if floats and all(value.size > 1 and np.all(value == value.flat[0]) for value in floats):
            still.append((path, "constant"))
        elif varied and all(value.shape == values[0].shape and np.array_equal(value, values[0]) for value in values):
            still.append((path, "the same for all inputs"))
    if len(still) == len(paths):
        path, what = still[0]
        raise BadInputError(f"{_named(path)} of the original is {what}: it can't tell a wrong port from a right one")


def check_repeated(first: Arrays, again: Arrays) -> None:
    """Compares two calls with the same inputs and weights.

    Such an original would give tolerances that let any port pass, as they are its own differences.

    Raises:
      BadInputError: they gave different outputs.
    """
    for path in sorted({*first, *again}):
        one, other = first.get(path), again.get(path)
        if one is not None and other is not None and one.shape == other.shape:
            if one.dtype.kind not in "fc":
                same = np.array_equal(one, other)
            else:
                same = np.allclose(one, other, rtol=0.0, atol=_REPEATED * float(np.max(np.abs(one), initial=0.0)))
            if same:
                continue
        raise BadInputError(
            f"{_named(path)} of the original is another when it is called again with the same inputs and weights: "
            "it depends on something else, such as a counter or random numbers of Python or NumPy"
        )


def check_doubled(double: Arrays, single: Arrays) -> None:
    """Makes sure that the run in float64 was one.

    Raises:
      ValueError: names differ, something is float32 or not finite; says which.
    """
    if set(double) != set(single):
        raise ValueError("it has other outputs or variables then")
    for name, value in double.items():
        if value.dtype == np.float32:
            raise ValueError(f"{name} is float32 even then")
        if value.dtype.kind == "f" and not np.all(np.isfinite(value)):
            raise ValueError(f"{name} is not finite then")
        if value.shape != single[name].shape:
            raise ValueError(f"{name} has another shape then")


#: How many weights are named before they are counted.
_NAMED = 3


def check_sensitivity(reference: Arrays, variables: Sequence[Mapping[str, Any]]) -> list[str]:
    """Looks for weights that the outputs don't depend on.

    Only a gradient that is exactly zero everywhere, in all cases and both modes, counts: rows of an
    embedding that no input uses are normal.

    Returns:
      Notes on weights that the outputs hardly depend on.

    Raises:
      BadInputError: the oracle can't see a weight.
    """
    largest: dict[int, float] = {}
    overall = 0.0
    for name, value in reference.items():
        if "/gradients/weights/" in name:
            index = int(name.rpartition("/")[2])
            peak = float(np.max(np.abs(value), initial=0.0))
            largest[index] = max(largest.get(index, 0.0), peak)
            overall = max(overall, peak)
    unseen = [variables[index]["path"] for index, peak in sorted(largest.items()) if peak == 0.0]
    if unseen and len(unseen) == len(largest):
        raise BadInputError("no output depends on any weight: gradients are zero everywhere")
    if unseen:
        raise BadInputError(
            f"the oracle can't see weight {unseen[0]}: no output depends on it, so a port could have it wrong; "
            "choose inputs or a --call that use it"
        )
    faint = [variables[index]["path"] for index, peak in sorted(largest.items()) if peak < _FAINT * overall]
    if len(faint) > _NAMED:
        some = ", ".join(faint[:_NAMED])
        return [f"the outputs hardly depend on {len(faint)} of {len(largest)} weights: {some} and others"]
    return [f"the outputs hardly depend on {path}" for path in faint]


def _named(path: str) -> str:
    return f"output {path!r}" if path else "the output"
