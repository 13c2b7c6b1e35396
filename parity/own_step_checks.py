"""Checks of the unit's own training steps: what they return, and weights, state and slots after them."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

import jax
import numpy as np
from flax import nnx

from parity import slots, trees
from parity.checks import Check, Pair, compare, holds
from parity.noise import STREAM
from parity.optimizer_checks import compare_slots, pairs_of
from parity.oracle_file import Oracle, OwnStep
from parity.ported import Ported
from parity.weights_map import WeightsMap


def check_own_steps(ported: Ported, weights: WeightsMap, oracle: Oracle, level: str, names: Any) -> Iterator[Check]:
    """Runs each training step of the unit once, on the data that the original's ran on.

    Steps that the map has no code for are not checked; see `unchecked`.

    Args:
      ported: the port.
      weights: its map.
      oracle: of the original.
      level: of the checks.
      names: globals of the port.
    """
    for number, step in enumerate(oracle.own_steps):
        entry = _entry(weights, step)
        if entry is None or "call" not in entry:
            continue
        outcome = _run(ported, weights, oracle, number, entry, names)
        found = list(_compare(ported, weights, oracle, step, f"own/{number}/", outcome, level, ""))
        twin = f"own/{number}.optax/"
        if oracle.below(twin) and not all(check.passed for check in found):
            note = ", epsilon after bias correction"
            again = list(_compare(ported, weights, oracle, step, twin, outcome, level, note))
            if _failures(again) < _failures(found):
                found = again
        yield from found


def unchecked(weights: WeightsMap, oracle: Oracle | None) -> list[str]:
    """Sentences on the training steps of the original that the port can't be checked on."""
    notes = []
    for step in oracle.own_steps if oracle is not None else ():
        entry = _entry(weights, step)
        if entry is None or "call" not in entry:
            reason = "the port has none" if entry is None else entry["reason"]
            notes.append(f"the unit's own training step {step.name} is not checked: {reason}")
    return notes


def _entry(weights: WeightsMap, step: OwnStep) -> Mapping[str, Any] | None:
    return next((entry for entry in weights.data.get("train_steps") or () if entry["name"] == step.name), None)


def _failures(checks: list[Check]) -> int:
    return sum(not check.passed for check in checks)


def _run(ported: Ported, weights: WeightsMap, oracle: Oracle, number: int, entry: Mapping[str, Any],
         names: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, nnx.Optimizer]]:  # fmt: skip
    """Results by path and optimizers by name after the step; the model is left as the step leaves it."""
    values = {int(index): array for index, array in oracle.below("weights/").items()}
    ported.set_values(weights.carry(values))
    scope = {**names, "model": ported.model, "batch": oracle.batch(number), "rngs": nnx.Rngs(0)}
    with STREAM.evaluation(), contextlib.ExitStack() as undone:
        for value in [value for value in scope.values() if isinstance(value, nnx.Optimizer)]:
            # Optimizers of the module, which other steps use too: what a step does to them is undone.
            undone.callback(nnx.update, value, jax.tree.map(lambda leaf: leaf, nnx.state(value)))
        exec(compile(entry["setup"], "<setup>", "exec", dont_inherit=True), scope)  # noqa: S102 - the map's own
        returned = eval(compile(entry["call"], "<step>", "eval", dont_inherit=True), scope)  # noqa: S307
        if returned is None and isinstance(scope.get("metrics"), nnx.metrics.Metric):
            returned = scope["metrics"].compute()
        optimizers = {name: value for name, value in scope.items() if isinstance(value, nnx.Optimizer)}
        fields = {name: _fields(ported, value) for name, value in optimizers.items()}
    return dict(trees.numbers(returned)), fields


def _fields(ported: Ported, optimizer: nnx.Optimizer) -> dict[str, dict[str, Any]]:
    """The optimizer's slots by field and path; it may train one of several models."""
    trained, _ = ported.values()
    for part in ("", *sorted({f"{target.split('.')[0]}." for target in trained})):
        below = {target[len(part) :]: value for target, value in trained.items() if target.startswith(part)}
        found = slots.slots(optimizer, below)
        alike = all(
            set(arrays) == set(below)
            and all(np.shape(array) == np.shape(below[path]) for path, array in arrays.items())
            for arrays in found.values()
        )
        if found and alike:
            return {field: {part + path: value for path, value in arrays.items()} for field, arrays in found.items()}
    return {}


def _compare(ported: Ported, weights: WeightsMap, oracle: Oracle, step: OwnStep, prefix: str, outcome: Any, level: str,
             note: str) -> Iterator[Check]:  # fmt: skip
    results, optimizers = outcome
    title = f"the unit's own step, {step.name}{note}"
    trained, state = ported.values()
    for kind, have in (("weights", trained), ("state", state)):
        pairs = list(pairs_of(weights, oracle, f"{prefix}{kind}/", have))
        if pairs:
            yield compare(level, f"{title}: {kind}", pairs)
    for name, kind in sorted(step.optimizers.items()):
        slots_of_it = f"{prefix}slots/{name}/"
        if not oracle.below(slots_of_it):
            continue
        if name not in optimizers:
            yield holds(level, f"{title}: optimizer {name}", False, f"the port has no optimizer named {name}")
            continue
        of_it = title if len(step.optimizers) == 1 else f"{title}, {name}"
        yield from compare_slots(weights, oracle, slots_of_it, optimizers[name], kind, step.rates[name], level, of_it)
    wanted = oracle.below(f"{prefix}results/")
    if wanted and results:
        names = {path: path if path in results else _as_name(path) for path in wanted}
        pairs = [
            Pair(path or "it", results[names[path]], value, oracle.tolerances[f"{prefix}results/{path}"])
            for path, value in sorted(wanted.items())
            if names[path] in results
        ]
        missing = set(results) - set(names.values())
        if step.kind != "fit":  # Keras reports the loss of each output too, whoever wants it
            missing |= set(names.values()) - set(results)
        yield compare(level, f"{title}: what it returns", pairs, sorted(missing))


def _as_name(path: str) -> str:
    """`top-5-accuracy` as a port calls it, whose metrics are attributes."""
    return re.sub(r"[^\w/]", "_", path)
