"""Records the oracle of an original that was loaded, called once and traced."""

from __future__ import annotations

import ast
import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from parity import call as calls
from parity import double, optimizer, oracle, own_steps, randomness, step_functions, training, trees, unit
from parity.errors import BadInputError
from parity.facts import Facts
from parity.frameworks import Frameworks
from parity.oracle_file import Oracle
from parity.original import Original
from parity.tracer import Tracer


@dataclasses.dataclass(frozen=True)
class Traced:
    """An original after its first call.

    Attributes:
      request: what capture was asked for.
      loaded: the module and the object under test.
      tree: the file.
      outputs: of the first call.
      tracer: what was seen.
      facts: the objects.
      objects: the same, as in trace.json.
      optimizer: the optimizer that the file trains with.
      watch: prepares a module that was imported.
    """

    request: unit.Request
    loaded: unit.Unit
    tree: ast.Module
    outputs: Any
    tracer: Tracer
    facts: Facts
    objects: list[dict[str, Any]]
    optimizer: optimizer.Optimizer | None
    watch: Callable[[Any], None]


def record(traced: Traced, frameworks: Frameworks) -> tuple[Oracle, list[dict[str, Any]]]:
    """Runs everything that a port is compared with.

    Returns:
      The oracle, and the training steps as in trace.json.

    Raises:
      BadInputError: the original can't serve as an oracle.
    """
    request, loaded, facts, tracer = traced.request, traced.loaded, traced.facts, traced.tracer
    inputs = loaded.inputs(0)
    tested = facts.variables[: facts.under_test]
    described = {v["index"]: v for entry in traced.objects for v in entry["variables"]}
    variables = [described[index] for index in range(len(tested))]
    randomness.without_dropout([seen.value for seen in tracer.seen.values()], frameworks.keras)
    modes = _modes(loaded, inputs, request, frameworks, tested)
    found = traced.optimizer
    layers = [seen.value for seen in tracer.seen.values()]
    original = Original(frameworks, loaded.model, vars(loaded.module), modes, tested, layers=layers)
    names = [variable["name"] for variable in variables]
    expression = None if found is None else found.expression
    plan = oracle.make_plan(original, list(modes), names, loaded.inputs, request.level, expression)
    steps, notes = _training_steps(traced, original, plan, frameworks)

    @contextlib.contextmanager
    def in_double() -> Iterator[Original]:
        with double.doubled(frameworks):
            tracer.seen = {}
            again = unit.load(request, frameworks, traced.watch)
            unit.first_call(again, _cast(inputs), request, frameworks)
            randomness.without_dropout([seen.value for seen in tracer.seen.values()], frameworks.keras)
            known = Facts(tracer, frameworks, None if facts.root_id() is None else again.model, facts.modules)
            tested_again = known.variables[: known.under_test]
            layers = [seen.value for seen in tracer.seen.values()]
            yield Original(frameworks, again.model, vars(again.module), modes, tested_again, "float64", layers)

    recorded = oracle.record(original, plan, request.level, variables, in_double)
    if found is not None and found.assumed:
        shown = ", ".join(f"{name} = {value}" for name, value in found.assumed.items())
        recorded.notes.append(f"the optimizer's arguments depend on the data: assumed {shown}")
    recorded.notes += [*notes, *_batch_note(inputs)]
    return recorded, steps


def _training_steps(
    traced: Traced, original: Original, plan: oracle.Plan, frameworks: Frameworks
) -> tuple[list[dict[str, Any]], list[str]]:
    """Puts the unit's own training steps into the plan; gives them as in trace.json, and notes on the others."""
    if not plan.steps:
        return [], []
    root = traced.facts.root_id()
    entry = traced.objects[root] if isinstance(root, int) else None
    found = list(training.find(traced.tree, original.names, original.model, entry, frameworks))
    expression = None if traced.optimizer is None else traced.optimizer.expression
    found += step_functions.find(
        traced.tree, original.names, original.model, traced.facts, traced.objects, expression, frameworks
    )
    outputs = trees.map_arrays(lambda _, value: np.asarray(value), traced.outputs)
    plan.own_steps, unchecked = own_steps.choose(original, found, plan.values, plan.inputs[0], outputs)
    steps = [
        {
            "kind": one.step.kind,
            "name": one.step.name,
            "line": one.step.line,
            "setup": one.step.setup,
            "call": one.step.call,
            "batch": trees.describe(one.batch),
        }
        for one in plan.own_steps
    ]
    return steps, [
        f"the unit's own training step {u.name} (line {u.line}) is not checked: {u.reason}" for u in unchecked
    ]


def _modes(loaded: unit.Unit, inputs: Any, request: unit.Request, frameworks: Any, variables: Any) -> dict[str, str]:
    """The call in each mode that the original has."""
    modes = {"inference": loaded.call}
    training = calls.in_training(loaded.call)
    if training is not None:
        modes["training"] = training
    elif isinstance(loaded.model, frameworks.keras.layers.Layer):
        added = calls.add_training(loaded.call)
        if added is not None:
            before = [variable.numpy() for variable in variables]
            with contextlib.suppress(BadInputError):
                again = unit.Unit(loaded.module, loaded.model, loaded.inputs, added)
                unit.first_call(again, inputs, request, frameworks)
                modes["training"] = added
            for variable, value in zip(variables, before, strict=True):
                variable.assign(value)
    return modes


def _cast(inputs: Any) -> Any:
    def cast(_: str, array: Any) -> Any:
        array = np.asarray(array)
        return array.astype(np.float64) if array.dtype.kind == "f" else array

    return trees.map_arrays(cast, inputs)


def _batch_note(inputs: Any) -> list[str]:
    sizes = {array.shape[0] for _, array in trees.flatten(inputs) if array.shape}
    small = min(sizes, default=4)
    return [f"the batch is {small}; 4 or more show more bugs"] if small < 4 else []
