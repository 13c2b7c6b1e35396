"""Finds the optimizer's slots in the state of optax, and brings Keras's numbers to its conventions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flax import nnx

#: Slot names of Keras by optimizer, with the field of optax that holds the same.
#: None: optax keeps no such thing, or keeps it in another form.
_FIELDS: dict[str, dict[str, str | None]] = {
    "SGD": {"momentum": "trace"},
    "RMSprop": {"velocity": "nu", "momentum": "trace", "average_gradient": "mu", "rms": "nu"},
    "Adam": {"momentum": "mu", "velocity": "nu", "velocity_hat": "nu_max", "m": "mu", "v": "nu", "vhat": "nu_max"},
    "Adagrad": {"accumulator": "sum_of_squares"},
    "Adadelta": {"accumulated_grad": "e_g", "accumulated_delta_var": "e_x"},
    "Adamax": {"momentum": "mu", "norm": "nu", "m": "mu", "u": "nu"},
    "Nadam": {"momentum": "mu", "velocity": "nu", "m": "mu", "v": "nu"},
    "Lion": {"momentum": "mu", "m": "mu"},
}
_FIELDS["AdamW"] = _FIELDS["Adam"]


def fields_of(optimizer: str, slot: str) -> list[str]:
    """The fields of optax that may hold what a slot of a Keras optimizer does.

    Args:
      optimizer: expression of the original's optimizer.
      slot: Keras's name of the slot.

    Returns:
      One for a class of Keras; several where a function of the user's own makes the optimizer; none
      where optax keeps no such thing.
    """
    name = optimizer.split("(")[0].rpartition(".")[2]
    tables = [_FIELDS[name]] if name in _FIELDS else list(_FIELDS.values())
    return sorted({field for table in tables if (field := table.get(slot))})


def slots(optimizer: nnx.Optimizer, targets: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Fields of the optax state that have one array per weight, by name and the weight's path.

    A field is found by its structure: below it lies the structure of the weights.
    """
    wanted = set(targets)
    found: dict[str, dict[str, Any]] = {}
    for path, variable in nnx.to_flat_state(nnx.state(optimizer)):
        parts = [str(part) for part in path]
        for cut in range(1, len(parts)):
            target = ".".join(parts[cut:])
            if target in wanted:
                found.setdefault(parts[cut - 1], {})[target] = variable[...]
                break
    return found


def factors(slot: str, field: str, rate: float) -> list[float]:
    """What Keras's numbers may have to be multiplied with to be optax's.

    tf_keras and older releases of Keras keep as momentum what is added to the weight, with the
    learning rate in it; newer ones, like optax, the running gradient.
    """
    return [1.0, -1.0 / rate] if slot == "momentum" and field == "trace" and rate else [1.0]
