"""Checks of optimizer steps: weights, state and slots after them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from parity import slots
from parity.checks import Check, Pair, compare, holds
from parity.oracle_file import Oracle, Steps
from parity.ported import Ported
from parity.weights_map import WeightsMap

_TITLES = {"step": "one step", "small": "update from small gradients", "trajectory": "five steps"}


def check_steps(ported: Ported, weights: WeightsMap, oracle: Oracle, level: str, names: Any) -> Iterator[Check]:
    """Runs the optimizer as the oracle did.

    Where the original's Adam adds its epsilon before the bias correction and optax's after it, the
    oracle has both, and the port may do either.

    Args:
      ported: the port.
      weights: its map.
      oracle: of the original.
      level: `step` or `trajectory`.
      names: globals for the optimizer's expression.
    """
    expression = weights.data.get("optimizer")
    if oracle.optimizer is not None and expression is None:
        yield holds(
            level, "optimizer", False, f"the original trains with {oracle.optimizer}, the port has no optimizer"
        )
        return
    for steps in oracle.steps:
        if steps.corrected_epsilon or (steps.name == "trajectory") is not (level == "trajectory"):
            continue
        transformation = None
        if oracle.optimizer is not None and expression is not None:
            transformation = eval(expression, dict(names))  # noqa: S307 - the map's own
        results = _run(ported, weights, oracle, steps, transformation)
        found = list(_compare(ported, weights, oracle, steps, results, level, ""))
        twin = next((other for other in oracle.steps if other.name == f"{steps.name}.optax"), None)
        if twin is not None and not all(check.passed for check in found):
            note = ", epsilon after bias correction"
            again = list(_compare(ported, weights, oracle, twin, results, level, note))
            if _failures(again) < _failures(found):
                found = again
        yield from found


def _failures(checks: Iterable[Check]) -> int:
    return sum(not check.passed for check in checks)


def _run(ported: Ported, weights: WeightsMap, oracle: Oracle, steps: Steps, transformation: Any) -> dict[int, Any]:
    """What the port has after each step that the oracle kept."""
    values = {int(index): array for index, array in oracle.below("weights/").items()}
    ported.set_values(weights.carry(values))
    optimizer = ported.optimizer(transformation)
    mode = "training" if "training" in oracle.modes else "inference"
    results = {}
    for number, case_number in enumerate(steps.cases):
        case = next(case for case in oracle.cases if case.number == case_number)
        cotangents = oracle.below(f"cases/{case_number}/{mode}/cotangents/")
        ported.step(optimizer, oracle.inputs(case), cotangents, steps)
        if number in steps.kept:
            trained, state = ported.values()
            results[number] = (trained, state, slots.slots(optimizer, trained))
    return results


def _compare(ported: Ported, weights: WeightsMap, oracle: Oracle, steps: Steps, results: Mapping[int, Any],
             level: str, note: str) -> Iterator[Check]:  # fmt: skip
    for number, (trained, state, fields) in results.items():
        prefix = f"steps/{steps.name}/{number}/"
        title = _TITLES[steps.name.split(".")[0]] + note
        for kind, have in (("weights", trained), ("state", state)):
            pairs = list(pairs_of(weights, oracle, f"{prefix}{kind}/", have))
            if pairs:
                yield compare(level, f"{title}: {kind}", pairs)
        prefix += "slots/"
        rate = steps.learning_rates[number]
        yield from compare_slots(weights, oracle, prefix, fields, oracle.optimizer or "", rate, level, title)


def compare_slots(weights: WeightsMap, oracle: Oracle, prefix: str, fields: Mapping[str, Mapping[str, Any]],
                  optimizer: str, rate: float, level: str, title: str) -> Iterator[Check]:  # fmt: skip
    """Compares the slots of one optimizer.

    Args:
      weights: the map.
      oracle: of the original.
      prefix: of the names of its arrays, which go on with `SLOT/INDEX`.
      fields: of optax's state, by name and the weight's path.
      optimizer: expression or class of the original's optimizer.
      rate: its learning rate.
      level: of the checks.
      title: of the checks.
    """
    for slot in sorted({name.split("/")[0] for name in oracle.below(prefix)}):
        known = slots.fields_of(optimizer, slot)
        field = next((name for name in known if name in fields), None)
        if field is None:
            detail = f"the optimizer of the port keeps nothing like Keras's {slot}"
            yield holds(level, f"{title}: slot {slot}", not known, detail)
            continue
        carried = weights.carry(_numbered(oracle, f"{prefix}{slot}/"))
        candidates = []
        for factor in slots.factors(slot, field, rate):
            pairs = [
                Pair(
                    target,
                    fields[field][target],
                    value * factor,
                    abs(factor) * _limit(weights, oracle, prefix, slot, target),
                )
                for target, value in sorted(carried.items())
            ]
            candidates.append(compare(level, f"{title}: slot {slot}", pairs))
        yield next((check for check in candidates if check.passed), candidates[0])


def _numbered(oracle: Oracle, prefix: str) -> dict[int, Any]:
    return {int(index): array for index, array in oracle.below(prefix).items()}


def _limit(weights: WeightsMap, oracle: Oracle, prefix: str, slot: str, target: str) -> float:
    return oracle.tolerances[f"{prefix}{slot}/{weights.source_of(target)}"]


def pairs_of(weights: WeightsMap, oracle: Oracle, prefix: str, have: Mapping[str, Any]) -> Iterator[Pair]:
    """Arrays of the oracle under a prefix, by variable, next to those of the port, by target."""
    for target, value in sorted(weights.carry(_numbered(oracle, prefix)).items()):
        if target in have:
            yield Pair(target, have[target], value, oracle.tolerances[f"{prefix}{weights.source_of(target)}"])
