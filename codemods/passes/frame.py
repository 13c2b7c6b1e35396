"""Evaluation state of one function body."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import libcst as cst

from codemods.passes.modules import ModuleSpec, Placement
from codemods.passes.values import Value

if TYPE_CHECKING:
    from codemods.passes.unit import Unit


@dataclasses.dataclass
class Scope:
    """A place that keeps layers: the module itself (`path` empty), or one iteration of a loop.

    Attributes:
      path: markers of the lists that the iteration's items go to, with "*" for the index.
      created: what this scope keeps, in order.
    """

    path: tuple[str, ...] = ()
    created: list[Placement] = dataclasses.field(default_factory=list)

    @property
    def is_loop(self) -> bool:
        return bool(self.path)


@dataclasses.dataclass
class Frame:
    """One function body under evaluation.

    Attributes:
      mode: `init` (constructor code), `call` (computation), `staged` (both in one function, to be
        told apart) or `plain` (an ordinary function).
      flags: what the body needs in scope: `training`, `rngs`; shared with nested frames.
      spec_locals: names of the constructor, which a call can't read.
      extra: constructor statements that evaluation asked for (layers made where they are called).
      binding: names that the statement under evaluation binds, which its own code can't read yet.
      emit: False while a body is evaluated only for its types.
      declaring: within the arguments of an Input, of which no code is left.
    """

    unit: Unit
    function: str
    mode: str
    spec: ModuleSpec | None = None
    env: dict[str, Value] = dataclasses.field(default_factory=dict)
    self_name: str | None = None
    scopes: list[Scope] = dataclasses.field(default_factory=lambda: [Scope()])
    flags: set[str] = dataclasses.field(default_factory=set)
    spec_locals: set[str] = dataclasses.field(default_factory=set)
    extra: list[cst.BaseStatement] = dataclasses.field(default_factory=list)
    prelude: list[cst.BaseStatement] = dataclasses.field(default_factory=list)
    returns: list[Value] = dataclasses.field(default_factory=list)
    as_init: bool = False
    emit: bool = True
    declaring: bool = False
    depth: int = 0
    target: str | None = None
    binding: set[str] = dataclasses.field(default_factory=set)

    @property
    def scope(self) -> Scope:
        return self.scopes[-1]

    def child(self, **changes: object) -> Frame:
        return dataclasses.replace(self, **changes)  # type: ignore[arg-type]
