"""Records the oracle: runs the original three ways and derives what error a port may have."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from parity import inputs as inputs_lib
from parity import oracle_checks, own_steps, trees, weights
from parity.oracle_file import Case, Oracle, Steps
from parity.original import Arrays, Original
from parity.tolerances import WIDE, differences, jumps, tolerances, widened

_LEVELS = ("none", "shapes", "forward", "gradients", "step", "trajectory")
#: Inputs that are tried for a case until no gradient jumps within rounding errors.
_TRIES = 6


@dataclasses.dataclass
class Plan:
    """What is run, the same in each precision.

    Attributes:
      modes: of the original.
      cases: sets of inputs.
      inputs: by case.
      values: weights, by index.
      cotangents: by case and mode, then by path; empty without gradients.
      steps: optimizer runs.
      optimizer: expression; None for plain SGD.
      own_steps: the unit's own training steps.
    """

    modes: list[str]
    cases: list[Case]
    inputs: dict[int, Any]
    values: list[np.ndarray]
    cotangents: dict[tuple[int, str], Arrays]
    steps: list[Steps]
    optimizer: str | None
    own_steps: list[own_steps.Chosen] = dataclasses.field(default_factory=list)


def make_plan(original: Original, modes: Sequence[str], names: Sequence[str], make_inputs: Any, level: str,
              optimizer: str | None) -> Plan:  # fmt: skip
    """Chooses inputs, weights, projections and steps.

    Args:
      original: in float32, built.
      modes: of the call.
      names: last parts of the variables' paths.
      make_inputs: gives positional arguments for a seed.
      level: the highest level to record.
      optimizer: expression of the optimizer; None for plain SGD.

    Raises:
      BadInputError: outputs are NaN or constant, or differ between two calls that are the same.
    """
    values = weights.perturbed(names, original.values())
    scales = [(0, 1.0), (0, 3.0), (1, 1.0), (1, 3.0), (0, 0.01)]
    if not inputs_lib.has_floats(make_inputs(0)):
        scales = [(0, 1.0), (1, 1.0), (2, 1.0)]
    gradients = _LEVELS.index(level) >= _LEVELS.index("gradients")
    cases: list[Case] = []
    outputs: dict[tuple[int, str], Arrays] = {}
    plan = Plan(list(modes), cases, {}, values, {}, [], optimizer)
    for number, (first_seed, scale) in enumerate(scales):
        best = None
        for attempt in range(_TRIES if gradients else 1):
            seed = first_seed + 10 * attempt
            given = inputs_lib.scaled(make_inputs(seed), scale)
            case = Case(number, seed, scale, trees.skeleton(given))
            tried = dataclasses.replace(plan, cases=[case], inputs={number: given}, cotangents={})
            found = {}
            for mode in modes:
                original.set_values(values)
                found[number, mode] = original.outputs(mode, given)
            if gradients:
                tried.cotangents = {key: _projection(number, arrays) for key, arrays in found.items()}
            height = _highest_jump(original, tried) if gradients else 0.0
            if best is None or height < best[0]:
                best = (height, tried, found)
            if height == 0.0:
                break
        assert best is not None
        cases += best[1].cases
        plan.inputs |= best[1].inputs
        plan.cotangents |= best[1].cotangents
        outputs |= best[2]
    oracle_checks.check_outputs(outputs, plan.inputs)
    for mode in modes:
        original.set_values(values)
        oracle_checks.check_repeated(outputs[0, mode], original.outputs(mode, plan.inputs[0]))
    if any(plan.cotangents.values()) and original.trainable:
        plan.steps = _make_steps(cases, level, optimizer)
    return plan


def _projection(number: int, outputs: Arrays) -> Arrays:
    """A random direction for every float output."""
    rng = np.random.default_rng([number, 7])
    return {
        path: (rng.standard_normal(value.shape) / max(value.size, 1) ** 0.5).astype(np.float32)
        for path, value in sorted(outputs.items())
        if value.dtype.kind == "f"
    }


def _highest_jump(original: Original, plan: Plan) -> float:
    """How far a rounding error may throw a gradient, relative to its largest; 0 where none is."""
    single = run(original, plan)
    found = jumps(single, *(run(original, plan, 300, size) for size in (WIDE, -WIDE)))
    heights = [h / (float(np.max(np.abs(single[n]))) or 1.0) for n, h in found.items() if "/gradients/" in n]
    return max(heights, default=0.0)


def _make_steps(cases: Sequence[Case], level: str, optimizer: str | None) -> list[Steps]:
    if _LEVELS.index(level) < _LEVELS.index("step"):
        return []
    plain = [case.number for case in cases if case.scale == 1.0]
    steps = [Steps("step", (0,), 1.0, (0,))]
    if optimizer is not None:
        steps.append(Steps("small", (0,), 1e-5, (0,), from_zero=True))
    if level == "trajectory":
        steps.append(Steps("trajectory", tuple(plain[i % len(plain)] for i in range(5)), 1.0, (4,)))
    adam = optimizer is not None and optimizer.split("(")[0].rpartition(".")[2] in ("Adam", "AdamW")
    twins = [dataclasses.replace(s, name=f"{s.name}.optax", corrected_epsilon=True) for s in steps] if adam else []
    return steps + twins


def run(original: Original, plan: Plan, jitter: int | None = None, size: float = 1.0) -> Arrays:
    """Everything the plan asks for, by the oracle's names.

    Args:
      original: in any precision.
      plan: what to run.
      jitter: seed of a change of all inputs and weights by rounding errors.
      size: of these errors, in units in the last place.
    """
    values, inputs = plan.values, plan.inputs
    if jitter is not None:
        values = weights.jittered(values, jitter, size)
        inputs = {number: inputs_lib.jittered(value, jitter + number, size) for number, value in inputs.items()}
    result: Arrays = {}
    for case in plan.cases:
        for mode in plan.modes:
            original.set_values(values)
            found = original.evaluate(mode, inputs[case.number], plan.cotangents.get((case.number, mode)))
            result.update({f"cases/{case.number}/{mode}/{name}": value for name, value in found.items()})
    mode = "training" if "training" in plan.modes else "inference"
    cotangents = {case.number: plan.cotangents.get((case.number, mode), {}) for case in plan.cases}
    for steps in plan.steps:
        original.set_values(values)
        found = original.run_steps(steps, inputs, cotangents, plan.optimizer)
        result.update({f"steps/{steps.name}/{name}": value for name, value in found.items()})
    original.set_values(values)
    return result


def record(original: Original, plan: Plan, level: str, variables: list[dict[str, Any]],
           in_double: Callable[[], AbstractContextManager[Original]]) -> Oracle:  # fmt: skip
    """Runs the plan and puts the oracle together.

    Args:
      original: in float32.
      plan: what to run.
      level: for the manifest.
      variables: for the manifest.
      in_double: gives the original in float64, and what it needs to run so; may raise anything.

    Raises:
      BadInputError: the original can't serve as an oracle.
    """
    single = run(original, plan)
    errors = [differences(single, run(original, plan, jitter=seed)) for seed in (100, 200)]
    own, outcomes = own_steps.run_all(original, plan.own_steps, plan.values)
    own_errors = [
        differences(own, own_steps.run_all(original, plan.own_steps, plan.values, jitter=seed)[0])
        for seed in (100, 200)
    ]
    heights = jumps(single, *(run(original, plan, 300, size) for size in (WIDE, -WIDE)))
    pair = [own_steps.run_all(original, plan.own_steps, plan.values, 300, size)[0] for size in (WIDE, -WIDE)]
    heights |= jumps(own, *pair)
    notes: list[str] = _jump_notes(heights, plan)
    truth, own_truth, reference, own_double = "float64", "float64", single, own
    try:
        with in_double() as doubled:
            double = run(doubled, plan)
            try:
                own_double = own_steps.run_all(doubled, plan.own_steps, plan.values)[0]
                oracle_checks.check_doubled(own_double, own)
            except Exception as error:
                own_double, own_truth = own, f"float32: {_short(error)}"
        oracle_checks.check_doubled(double, single)
        errors.append(differences(single, double))
        reference = {name: np.asarray(double[name], single[name].dtype) for name in single}
    except Exception as error:
        own_double = own
        truth = own_truth = f"float32: the original can't be run in float64 ({_short(error)})"
        notes.append(f"tolerances come from reruns with rounding errors; truth is {truth}")
    if original.sparse and plan.optimizer is not None:
        notes.append(
            "optimizer steps take gradients of embeddings as dense arrays; Keras 3 squares repeated rows one by one"
        )
    notes += oracle_checks.check_sensitivity(reference, variables)
    own_errors.append(differences(own, own_double))
    errors = [*errors, *own_errors]
    reference |= {name: np.asarray(own_double[name], own[name].dtype) for name in own}
    rates = {steps.name: reference.pop(f"steps/{steps.name}/rates") for steps in plan.steps}
    plan.steps = [dataclasses.replace(s, learning_rates=tuple(map(float, rates[s.name]))) for s in plan.steps]
    arrays = {f"weights/{index}": value for index, value in enumerate(plan.values)}
    for number, value in plan.inputs.items():
        arrays.update({f"cases/{number}/inputs/{path}": np.asarray(array) for path, array in trees.flatten(value)})
    for (number, mode), found in plan.cotangents.items():
        arrays.update({f"cases/{number}/{mode}/cotangents/{path}": array for path, array in found.items()})
    arrays.update(own_steps.data(plan.own_steps))
    return Oracle(
        level=level,
        modes=plan.modes,
        variables=variables,
        cases=plan.cases,
        steps=plan.steps,
        optimizer=plan.optimizer,
        slots=sorted({name.split("/")[4] for name in reference if name.startswith("steps/") and "/slots/" in name}),
        truth=truth,
        tolerances=widened(tolerances(reference, errors), heights),
        notes=notes,
        arrays={**arrays, **reference},
        own_steps=own_steps.described(plan.own_steps, outcomes, own_truth),
    )


def _jump_notes(heights: Mapping[str, float], plan: Plan) -> list[str]:
    names = {case.number: case.title for case in plan.cases}
    where = {names[int(name.split("/")[1])] for name in heights if "/gradients/" in name}
    where |= {plan.own_steps[int(name.split("/")[1].split(".")[0])].step.name for name in heights if name[:4] == "own/"}
    return [f"rounding errors make gradients of {place} jump, which are allowed more there" for place in sorted(where)]


def _short(error: Exception) -> str:
    return " ".join(re.sub(r"\x1b\[\d*m|\{\{.*?\}\}", "", str(error)).split())[:160]
