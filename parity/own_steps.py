"""Runs the original's own training step: its loss, its gradients, its optimizers, its metrics."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from parity import batches, trees, weights
from parity import inputs as inputs_lib
from parity.frameworks import Frameworks
from parity.noise import STREAM
from parity.oracle_file import OwnStep
from parity.original import Arrays, Original
from parity.resolver import Canonical
from parity.training import TrainingStep, Unchecked

#: Optimizers whose epsilon Keras adds before the bias correction, and optax after it.
_CORRECTED = ("Adam", "AdamW")
#: What the second run, with epsilon as in optax, is called.
TWIN = ".optax"


@dataclasses.dataclass(frozen=True)
class Chosen:
    """A step with the data that it was found to run on.

    Attributes:
      step: the step.
      batch: the data.
    """

    step: TrainingStep
    batch: Any


def choose(original: Original, found: Sequence[TrainingStep | Unchecked], values: Sequence[np.ndarray], inputs: Any,
           outputs: Any) -> tuple[list[Chosen], list[Unchecked]]:  # fmt: skip
    """Tries each step on data of several kinds and takes the first on which it runs and trains.

    Args:
      original: in float32.
      found: steps of the file.
      values: weights to start from.
      inputs: positional arguments of the model.
      outputs: what the call under test gives for them.

    Returns:
      Steps with their data, and those that ran on none, with the first reason.
    """
    chosen, unchecked = [], []
    for step in found:
        if isinstance(step, Unchecked):
            unchecked.append(step)
            continue
        reason = ""
        for batch in batches.candidates(step, inputs, outputs):
            try:
                result = run(original, Chosen(step, batch), values)
            except Exception as error:
                reason = reason or f"it raised {type(error).__name__}: {_sentence(error)}"
                continue
            problem = _problem(original, result.arrays, values)
            if problem is None:
                chosen.append(Chosen(step, batch))
                break
            reason = reason or problem
        else:
            unchecked.append(Unchecked(step.name, step.line, reason))
    original.set_values(values)
    return chosen, unchecked


def _sentence(error: BaseException) -> str:
    text = " ".join(re.sub(r"\x1b\[[\d;]*m", "", str(error)).split())
    return re.split(r" Arguments received by| \[Op:| Call arguments received", text)[0][:200]


def _problem(original: Original, result: Arrays, values: Sequence[np.ndarray]) -> str | None:
    if not all(np.all(np.isfinite(value)) for value in result.values() if value.dtype.kind == "f"):
        return "it gives values that are not finite"
    trained = [index for index in original.trainable if not np.array_equal(result[f"weights/{index}"], values[index])]
    return None if trained else "it changes no weight"


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a step left behind.

    Attributes:
      arrays: under `weights/`, `state/`, `slots/OPTIMIZER/SLOT/` and `results/`.
      optimizers: class of each optimizer, by the name of the global or attribute that holds it.
      rates: learning rate of each.
    """

    arrays: Arrays
    optimizers: dict[str, str]
    rates: dict[str, float]


def run(original: Original, chosen: Chosen, values: Sequence[np.ndarray], corrected: bool = False) -> Outcome:
    """One step from given weights.

    Args:
      original: in any precision.
      chosen: the step and its data.
      values: weights and statistics to start from.
      corrected: add Adam's epsilon after the bias correction, as optax does.

    Raises:
      Exception: whatever the original raises.
    """
    original.set_values(values)
    frameworks = original.frameworks
    scope = {**original.names, "tf": Canonical(frameworks), "model": original.model}
    scope["batch"] = original.tensors(chosen.batch)
    with STREAM.evaluation(), _watched(frameworks), contextlib.ExitStack() as undone:
        exec(compile(chosen.step.setup, "<setup>", "exec", dont_inherit=True), scope)  # noqa: S102 - the user's own
        optimizers = _optimizers(scope, frameworks)
        for optimizer in optimizers.values():
            _reset(optimizer)
            if corrected and type(optimizer).__name__ in _CORRECTED:
                undone.callback(functools.partial(setattr, optimizer, "epsilon", optimizer.epsilon))
                optimizer.epsilon = optimizer.epsilon * (1.0 - optimizer.beta_2) ** 0.5
        rates = {name: float(np.asarray(optimizer.learning_rate)) for name, optimizer in optimizers.items()}
        returned = eval(compile(chosen.step.call, "<step>", "eval", dont_inherit=True), scope)  # noqa: S307
        returned = _logs(returned) if chosen.step.kind == "override" else returned
        arrays = {f"results/{path}": value for path, value in trees.numbers(returned)}
        after = original.values()
        arrays |= {f"weights/{index}": after[index] for index in original.trainable}
        arrays |= original.state()
        trained = original.trained()
        for name, optimizer in optimizers.items():
            for (slot, index), value in original.slots(optimizer, trained).items():
                arrays[f"slots/{name}/{slot}/{index}"] = value
    return Outcome(arrays, {name: type(value).__name__ for name, value in optimizers.items()}, rates)


def _logs(returned: Any) -> Any:
    """What `train_step` returned as `fit` logs it: the metrics of `compile`, which are a dict in it, beside the rest."""
    if not isinstance(returned, Mapping):
        return returned
    flat: dict[str, Any] = {}
    for name, value in returned.items():
        flat.update(_logs(value) if isinstance(value, Mapping) else {name: value})
    return flat


def _optimizers(scope: Mapping[str, Any], frameworks: Frameworks) -> dict[str, Any]:
    """Optimizers by the name of the global, or of the model's attribute, that holds them."""
    kind = frameworks.keras.optimizers.Optimizer
    model = scope["model"]
    found = {name: value for name, value in scope.items() if isinstance(value, kind)}
    if isinstance(model, frameworks.keras.Model):
        found |= {name: value for name, value in vars(model).items() if isinstance(value, kind)}
        if isinstance(getattr(model, "optimizer", None), kind):
            found["optimizer"] = model.optimizer
    distinct = {id(value): name for name, value in sorted(found.items(), reverse=True)}
    return {name: found[name] for name in sorted(distinct.values())}


#: Slots of optimizers as they were before their first step, by id; optimizers are held so that ids stay theirs.
_FRESH: dict[int, tuple[Any, list[tuple[Any, np.ndarray]]]] = {}


def _remember(optimizer: Any) -> None:
    if id(optimizer) not in _FRESH:
        variables = optimizer.variables
        listed = list(variables() if callable(variables) and not isinstance(variables, list) else variables)
        _FRESH[id(optimizer)] = (optimizer, [(variable, np.asarray(variable)) for variable in listed])


def _reset(optimizer: Any) -> None:
    """Puts the slots of an optimizer that took steps before back to where they started."""
    for variable, value in _FRESH.get(id(optimizer), (None, []))[1]:
        variable.assign(value)


@contextlib.contextmanager
def _watched(frameworks: Frameworks) -> Iterator[None]:
    """Within this, optimizers are remembered as they were made, and take gradients of embeddings as dense arrays."""
    kind = frameworks.keras.optimizers.Optimizer
    name = "apply_gradients" if frameworks.legacy else "apply"
    original = getattr(kind, name)
    tf = frameworks.tf

    def dense(gradient: Any) -> Any:
        return tf.convert_to_tensor(gradient) if isinstance(gradient, tf.IndexedSlices) else gradient

    def apply_gradients(optimizer: Any, grads_and_vars: Any, *args: Any, **kwargs: Any) -> Any:
        pairs = [(dense(gradient), variable) for gradient, variable in grads_and_vars]
        with tf.init_scope():
            optimizer.build([variable for gradient, variable in pairs if gradient is not None])
        _remember(optimizer)
        return original(optimizer, pairs, *args, **kwargs)

    def apply(optimizer: Any, grads: Any, trainable_variables: Any = None) -> Any:
        variables = None if trainable_variables is None else list(trainable_variables)
        if variables is not None and not optimizer.built:
            optimizer.build(variables)
            optimizer.built = True
        _remember(optimizer)
        return original(optimizer, [dense(gradient) for gradient in grads], variables)

    setattr(kind, name, functools.wraps(original)(apply_gradients if frameworks.legacy else apply))
    try:
        yield
    finally:
        setattr(kind, name, original)


def run_all(original: Original, chosen: Sequence[Chosen], values: Sequence[np.ndarray],
            jitter: int | None = None, size: float = 1.0) -> tuple[Arrays, list[Outcome]]:  # fmt: skip
    """All steps, those with Adam also with its epsilon as in optax.

    Args:
      original: in any precision.
      chosen: the steps.
      values: weights and statistics to start from.
      jitter: seed of a change of all data and weights by rounding errors.
      size: of these errors, in units in the last place.

    Returns:
      Arrays by the oracle's names, and each step's own outcome.
    """
    result: Arrays = {}
    outcomes = []
    if jitter is not None:
        values = weights.jittered(values, jitter, size)
    for number, one in enumerate(chosen):
        if jitter is not None:
            one = dataclasses.replace(one, batch=inputs_lib.jittered(one.batch, jitter, size))
        outcome = run(original, one, values)
        outcomes.append(outcome)
        result.update({f"own/{number}/{name}": value for name, value in outcome.arrays.items()})
        if any(kind in _CORRECTED for kind in outcome.optimizers.values()):
            twin = run(original, one, values, corrected=True)
            result.update({f"own/{number}{TWIN}/{name}": value for name, value in twin.arrays.items()})
    original.set_values(values)
    return result, outcomes


def described(chosen: Sequence[Chosen], outcomes: Sequence[Outcome], truth: str) -> list[OwnStep]:
    """The steps as the oracle's file describes them."""
    return [
        OwnStep(one.step.kind, one.step.name, trees.skeleton(one.batch), outcome.optimizers, outcome.rates, truth)
        for one, outcome in zip(chosen, outcomes, strict=True)
    ]


def data(chosen: Sequence[Chosen]) -> Arrays:
    """The data of all steps, by the oracle's names."""
    return {
        f"own/{number}/batch/{path}": np.asarray(array)
        for number, one in enumerate(chosen)
        for path, array in trees.flatten(one.batch)
    }
