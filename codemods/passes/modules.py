"""What the port builds: modules, the layers in them, and where each layer is kept."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import libcst as cst

from codemods.engine.outcome import Span
from codemods.engine.rule import ObjectRule
from codemods.passes.values import Dim, Symbols, TensorType, Value

#: Name of the constructor parameter that carries the width of a module's first input.
IN_FEATURES = "in_features"
#: Attribute that tells the width of a module's first output, where only its constructor knows it.
OUT_FEATURES = "out_features"
#: The method that holds what a module makes at its first call; printed as part of the constructor.
LAZY = "__made_at_first_call__"


@dataclasses.dataclass
class Placement:
    """Where an object is kept: `self.NAME`, or an item of `self.NAME`.

    `marker` is an identifier that stands for the final name until all of a module's names are
    known, so that two `conv` can become `conv1` and `conv2`.
    """

    marker: str
    base: str
    path: tuple[str, ...] = ()  # markers and "*" (one list index), from the module down
    explicit: bool = False
    list_marker: str | None = None
    depth: int = 0
    inner: Placement | None = None


@dataclasses.dataclass
class LayerInstance:
    """One constructor call of a framework layer, loss or metric.

    Attributes:
      marker: identifier that stands for the constructor's new code until the shapes are known.
      inputs: types of the first argument over all calls seen.
      alone: a value that is called by code we do not see must be a complete callable.
      factory: code of a call to a user function that makes the layer, instead of the rule's own.
      frozen: its weights are not trained (`trainable=False`).
    """

    rule: ObjectRule
    arguments: Mapping[str, Value]
    given: frozenset[str]
    span: Span
    marker: str
    symbol: str
    inputs: list[TensorType] = dataclasses.field(default_factory=list)
    alone: bool = False
    factory: Any = None
    placement: Placement | None = None
    name: str | None = None
    calls: list[Mapping[str, Value]] = dataclasses.field(default_factory=list)
    wrapped: bool = False
    makes: bool = True
    frozen: bool = False


@dataclasses.dataclass
class ModuleInstance:
    """One constructor call of a ported module."""

    spec: ModuleSpec
    arguments: list[tuple[str | None, Value]]
    span: Span
    marker: str
    in_dims: dict[str, list[Dim]] = dataclasses.field(default_factory=dict)
    placement: Placement | None = None


@dataclasses.dataclass
class Parameter:
    name: str
    node: cst.Param
    keyword_only: bool = False


@dataclasses.dataclass
class Thread:
    """A width that changes from one layer of a list to the next.

    Attributes:
      attribute: the list; name: the constructor's variable that carries the width.
      first: the width before the first layer.
      after: the width after each layer, by the marker of its constructor.
    """

    attribute: str
    name: str
    first: Dim
    after: dict[str, Dim] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class ModuleSpec:
    """A class of the output.

    Attributes:
      name: class name in the output; `source` the name of the class or builder in the input.
      kind: `class` (a subclass of a framework class), `builder` (a function that makes a model),
        `helper` (a function that takes tensors and makes layers), `sequential`, `factory` (a function that
        makes a layer and stays a function).
      symbols: the symbolic integers of this module's constructor.
      mode: calls depend on `training`.
      dims: extra constructor parameters for input dims, in order of the inputs, with their symbols.
      used_dims: those of them that the constructor's code reads.
      input_shapes: the inputs' shapes in this module's own symbols, by parameter (`x`, `x_0` for items).
      exposed: sizes that callers ask an instance for (`block.out_features`), by attribute.
      first_arguments: constructor arguments of the first call, which tell the parameters' types.
      given: handed to others as a function: its constructor takes `in_features` whether it reads it or not.
      called: what an instance is called, where that is not the class's name.
      result: what a call returns, in terms of the constructor's symbols.
    """

    name: str
    source: str
    kind: str
    node: cst.CSTNode
    symbols: Symbols = dataclasses.field(default_factory=Symbols)
    attributes: dict[str, Value] = dataclasses.field(default_factory=dict)
    layers: list[LayerInstance] = dataclasses.field(default_factory=list)
    modules: list[ModuleInstance] = dataclasses.field(default_factory=list)
    placements: list[Placement] = dataclasses.field(default_factory=list)
    names: dict[str, str] = dataclasses.field(default_factory=dict)
    mode: bool = False
    random: bool = False
    mode_required: bool = False
    dims: dict[str, Dim] = dataclasses.field(default_factory=dict)
    used_dims: list[str] = dataclasses.field(default_factory=list)
    input_shapes: dict[str, tuple[Dim, ...]] = dataclasses.field(default_factory=dict)
    exposed: dict[str, Dim] = dataclasses.field(default_factory=dict)
    first_arguments: dict[str, Value] = dataclasses.field(default_factory=dict)
    analysed: bool = False
    result: Value | None = None
    entry: bool = False
    tensor_parameters: list[str] = dataclasses.field(default_factory=list)
    locals_used: list[str] = dataclasses.field(default_factory=list)
    init: list[cst.BaseStatement] = dataclasses.field(default_factory=list)
    methods: dict[str, cst.FunctionDef] = dataclasses.field(default_factory=dict)
    lists: set[str] = dataclasses.field(default_factory=set)
    threads: list[Thread] = dataclasses.field(default_factory=list)
    aliases: set[str] = dataclasses.field(default_factory=set)
    config_names: set[str] = dataclasses.field(default_factory=set)
    dropped: set[str] = dataclasses.field(default_factory=set)
    given: bool = False
    called: str = ""
    done: bool = False
    failed: bool = False
    output: list[cst.BaseStatement] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Chain:
    """A Sequential under construction; the tensor that runs through it is a variable of the frame."""

    variable: str


@dataclasses.dataclass
class Finished:
    """`keras.Model(inputs, outputs)`."""

    inputs: Value
    outputs: Value
