"""The file of the oracle: arrays by name, and a manifest in the header of the safetensors file.

Names of arrays, with `I` a variable's index and `P` a path as in `trees.flatten`:

    weights/I                                  before anything ran
    cases/C/inputs/P
    cases/C/MODE/outputs/P                     MODE is inference or training
    cases/C/MODE/cotangents/P                  the random projection: loss = sum(output * cotangent)
    cases/C/MODE/gradients/weights/I           also .../inputs/P
    cases/C/MODE/state/I                       what isn't trained, after a call in training mode
    steps/NAME/K/weights/I                     after step K; also .../state/I and .../slots/SLOT/I
    own/N/batch/P                              data of the unit's own training step N
    own/N/weights/I                            after it; also .../state/I, .../slots/OPTIMIZER/SLOT/I and .../results/P
    own/N.optax/...                            the same with Adam's epsilon where optax adds it

References are what the original gives in float64, rounded, where it can be run so. The manifest has
a tolerance for every one of them.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import safetensors
from safetensors.numpy import save_file

VERSION = 2
#: The name that the sum of the penalties on weights has among outputs.
PENALTY = "(penalties)"
MODES = ("inference", "training")


@dataclasses.dataclass(frozen=True)
class Case:
    """One set of inputs.

    Attributes:
      number: its place in the file's names.
      seed: of the inputs.
      scale: that the float inputs were multiplied with.
      skeleton: structure of the inputs, for `trees.restore`.
    """

    number: int
    seed: int
    scale: float
    skeleton: Any

    @property
    def title(self) -> str:
        """How checks call it."""
        return f"seed {self.seed}, scale {self.scale:g}"


@dataclasses.dataclass(frozen=True)
class Steps:
    """A run of optimizer steps on the projection in training mode.

    Attributes:
      name: `step`, `small` (the gradient made so small that the optimizer's epsilon shows), `trajectory`.
      cases: the case of each step.
      loss_scale: factor of the loss.
      kept: numbers of the steps after which everything was recorded.
      learning_rates: of each step.
      from_zero: weights are set to zero between gradient and update, so that what they become is the
        update itself, however small the learning rate.
      corrected_epsilon: Adam's epsilon is added after the bias correction, as optax does, and not before it.
    """

    name: str
    cases: tuple[int, ...]
    loss_scale: float
    kept: tuple[int, ...]
    learning_rates: tuple[float, ...] = ()
    from_zero: bool = False
    corrected_epsilon: bool = False


@dataclasses.dataclass(frozen=True)
class OwnStep:
    """A training step of the unit itself.

    Attributes:
      kind: `fit`, `override` or `function`.
      name: how checks call it.
      skeleton: structure of its data, for `trees.restore`.
      optimizers: class of each optimizer, by the name of the global or attribute that holds it.
      rates: learning rate of each.
      truth: `float64`, or why that could not be had.
    """

    kind: str
    name: str
    skeleton: Any
    optimizers: dict[str, str]
    rates: dict[str, float]
    truth: str = "float64"


@dataclasses.dataclass
class Oracle:
    """An oracle in memory.

    Attributes:
      level: how much it holds.
      modes: modes that the original has.
      variables: path, shape and trainable of each variable under test, by index.
      cases: the inputs.
      steps: runs of the optimizer; empty below level `step`.
      optimizer: expression of the original's optimizer; None for plain SGD at `sgd_rate`.
      slots: slot names of the optimizer.
      truth: `float64`, or why that could not be had.
      tolerances: largest absolute error allowed, by name of array.
      notes: sentences for the certificate.
      arrays: everything, by name.
      own_steps: the unit's own training steps.
    """

    level: str
    modes: list[str]
    variables: list[dict[str, Any]]
    cases: list[Case]
    steps: list[Steps]
    optimizer: str | None
    slots: list[str]
    truth: str
    tolerances: dict[str, float]
    notes: list[str]
    arrays: dict[str, np.ndarray]
    own_steps: list[OwnStep] = dataclasses.field(default_factory=list)

    def write(self, path: str) -> None:
        """Writes the file; equal oracles give equal bytes."""
        manifest = {key: value for key, value in dataclasses.asdict(self).items() if key != "arrays"}
        text = json.dumps({"version": VERSION, **manifest}, sort_keys=True)
        arrays = {name: np.asarray(self.arrays[name], order="C") for name in sorted(self.arrays)}
        save_file(arrays, path, metadata={"manifest": text})

    def inputs(self, case: Case) -> Any:
        """The positional arguments of a case."""
        from parity import trees

        return trees.restore(case.skeleton, lambda path: self.arrays[f"cases/{case.number}/inputs/{path}"])

    def batch(self, number: int) -> Any:
        """The data of one of the unit's own steps."""
        from parity import trees

        step = self.own_steps[number]
        return trees.restore(step.skeleton, lambda path: self.arrays[f"own/{number}/batch/{path}"])

    def widened(self, factor: float) -> Oracle:
        """The same for a device whose errors are a multiple of the CPU's; what has to be equal still has to be."""
        if factor == 1.0:
            return self
        return dataclasses.replace(self, tolerances={name: factor * limit for name, limit in self.tolerances.items()})

    def below(self, prefix: str) -> dict[str, np.ndarray]:
        """Arrays under a prefix, by the rest of their names."""
        return {name[len(prefix) :]: array for name, array in self.arrays.items() if name.startswith(prefix)}


def read(path: str) -> Oracle:
    """Reads an oracle.

    Raises:
      ValueError: the file is not an oracle, or of another version.
    """
    with safetensors.safe_open(path, framework="np") as file:
        metadata: Mapping[str, str] = file.metadata() or {}
        if "manifest" not in metadata:
            raise ValueError(f"{path} is not an oracle")
        manifest = json.loads(metadata["manifest"])
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    if manifest.pop("version") != VERSION:
        raise ValueError(f"{path} was written by another version of capture")
    manifest["cases"] = [Case(**case) for case in manifest["cases"]]
    tuples = ("cases", "kept", "learning_rates")
    manifest["steps"] = [
        Steps(**{key: tuple(value) if key in tuples else value for key, value in steps.items()})
        for steps in manifest["steps"]
    ]
    manifest["own_steps"] = [OwnStep(**step) for step in manifest["own_steps"]]
    return Oracle(**manifest, arrays=arrays)
