"""What the training pass knows of models, optimizers, losses and tapes in ordinary functions."""

from __future__ import annotations

import dataclasses
from typing import Any

import libcst as cst

from codemods.passes.modules import ModuleSpec
from codemods.passes.values import Lasting, Value

#: Stands for the seed of a function until it is known whether that is a parameter.
SEED = "__seed__"


@dataclasses.dataclass(frozen=True)
class History(Lasting):
    """What `fit` returned: now a dict of lists."""

    of_fit: bool = True


@dataclasses.dataclass(frozen=True)
class Optimizer(Lasting):
    """A Keras optimizer: `site` tells two apart; the value's code is its optax transformation."""

    site: int


@dataclasses.dataclass(frozen=True)
class OwnOptimizer(Lasting):
    """An optimizer that a class keeps under a name of its own."""

    source: str
    attribute: str


@dataclasses.dataclass(frozen=True)
class Model(Lasting):
    """A Keras model of which the class is not known."""

    name: str


@dataclasses.dataclass(frozen=True)
class Parameters(Lasting):
    """`model.trainable_variables`, also of several models in a row."""

    models: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Gradients(Lasting):
    """Gradients in the structure of a model's parameters."""

    models: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Tracker(Lasting):
    """A Keras metric; the value's layer tells which. `name` is the one it reports by."""

    name: str


@dataclasses.dataclass
class Callback(Lasting):
    """A Keras callback: its class, and its constructor's arguments by name."""

    symbol: str
    arguments: dict[str, Value]


@dataclasses.dataclass
class Compiled:
    """One `model.compile(...)`.

    Attributes:
      function: the function that holds it; `model` the code of the model there.
      arguments: by the name of compile's parameter.
      output: the one of several outputs that this is about.
    """

    node: cst.Call
    function: str
    model: str
    spec: ModuleSpec | None
    arguments: dict[str, Value]
    output: Value | None = None


def name_of(node: Any) -> str:
    return node.value if isinstance(node, cst.Name) else ""
