"""The judgement on one file: what of it ports whole, what blocks the rest."""

from __future__ import annotations

import ast
import dataclasses
import re
from collections import Counter
from typing import Any

from codemods.coverage import quick as by_symbols
from codemods.coverage.dry_run import dry_run
from codemods.coverage.uses import MODULE, Use, uses_of
from codemods.passes.trace import Trace
from codemods.passes.unit import FRAMEWORKS, Unit
from codemods.policy.verdicts import Verdict, verdict

WHOLE, OPEN, BLOCKED = "whole", "open", "blocked"
#: Reasons of residuals that a run of the original settles: shapes and ranks that the code alone does not tell.
_SETTLED_BY_A_RUN = re.compile(
    r"can't be expressed where|a size that is only known|which arguments are tensors is not known"
    r"|has to know whether|depends on the rank|whether this weight is trained is not known"
    r"|called with tensors here that are no tensors elsewhere|depends on shapes that are not known"
)
_WAITS = re.compile(r"waits for (\w+), which stays TensorFlow")
_LEFT = re.compile(r"`\w+` is left in the ported code|the port no longer defines it")


@dataclasses.dataclass(frozen=True, order=True)
class Block:
    """What keeps a class or function from being ported: a place, the symbol or construct there, the reason."""

    line: int
    column: int
    symbol: str
    reason: str

    @property
    def is_open(self) -> bool:
        """May a run of the original settle it?"""
        return _SETTLED_BY_A_RUN.search(self.reason) is not None


@dataclasses.dataclass(frozen=True)
class Definition:
    """A class or function at module level, or the rest of the module (`<module>`).

    Attributes:
      status: `whole` (will be ported), `open` (a run of the original decides: `--entry` of `jaxport port`) or `blocked`.
      blocks: the places in it that block; of an open one, those that are open.
      waits: other definitions of the file that block it.
      uses: how often it uses each symbol.
    """

    name: str
    kind: str
    line: int
    status: str
    blocks: tuple[Block, ...]
    waits: tuple[str, ...]
    uses: tuple[tuple[str, int], ...]


@dataclasses.dataclass(frozen=True)
class Judged:
    """One file.

    Attributes:
      definitions: in the order of the file; those that use nothing of the framework and wait for nothing left out.
      neutral: how many were left out.
    """

    file: str
    definitions: tuple[Definition, ...]
    uses: tuple[Use, ...]
    neutral: int = 0


def names_framework(tree: ast.Module) -> bool:
    """Does a file import TensorFlow, Keras, or a package that needs them?"""
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names = [node.module]
        if any(name.partition(".")[0] in FRAMEWORKS for name in names):
            return True
    return False


def judge(source: str, file: str, quick: bool = False) -> Judged:
    """Judges a file's text, which must be Python 3.

    Args:
      source: the text.
      file: its name, for places.
      quick: by symbols and keywords alone, without the passes.
    """
    blocks: dict[str, list[Block]] = {}
    waits: dict[str, list[str]] = {}
    if quick:
        unit = Unit(source, file, Trace())
        waits = by_symbols.waits(unit)
        for owner, line, column, symbol, why in by_symbols.blocked_by_symbols(unit):
            blocks.setdefault(owner, []).append(Block(line, column, symbol, why))
    else:
        run = dry_run(source, file)
        unit = run.unit
        for function, residual in run.residuals:
            owner = function.split(".")[0]
            owner = owner if owner in unit.classes or owner in unit.functions else MODULE
            found = _WAITS.match(residual.reason)
            span = residual.span
            if found is not None:
                waits.setdefault(owner, []).append(found.group(1))
            elif span is not None:
                blocks.setdefault(owner, []).append(Block(span.line, span.column, residual.symbol, residual.reason))
        blocks = {owner: _own(found) for owner, found in blocks.items()}
    return _judged(unit, file, blocks, waits)


def _judged(unit: Unit, file: str, blocks: dict[str, list[Block]], waits: dict[str, list[str]]) -> Judged:
    uses = uses_of(unit)
    places, kinds = {MODULE: 1}, {MODULE: "module"}
    nodes: dict[str, Any] = {**unit.classes, **unit.functions}
    for name, node in nodes.items():
        places[name] = unit.span(node.name).line
        kinds[name] = "class" if name in unit.classes else "function"
    states = {name: _status(name, blocks, waits, set()) for name in places}
    definitions = []
    for name in places:
        counts = Counter(use.symbol for use in uses if use.owner == name)
        waited = tuple(dict.fromkeys(other for other in waits.get(name, ()) if states.get(other, BLOCKED) != WHOLE))
        if counts or name in blocks or waited:
            found = tuple(sorted(set(blocks.get(name, ()))))
            definitions.append(
                Definition(name, kinds[name], places[name], states[name], found, waited, tuple(sorted(counts.items())))
            )
    definitions.sort(key=lambda d: (d.line, d.name))
    return Judged(file, tuple(definitions), tuple(uses), len(places) - 1 - sum(d.kind != "module" for d in definitions))


def _own(found: list[Block]) -> list[Block]:
    """Without those that only follow from another: names that are left because a statement was."""
    first = [block for block in found if not _LEFT.search(block.reason)]
    return first or found


def _status(name: str, blocks: dict[str, list[Block]], waits: dict[str, list[str]], seen: set[str]) -> str:
    own = blocks.get(name, [])
    if any(not block.is_open for block in own):
        return BLOCKED
    states = {_status(other, blocks, waits, {*seen, name}) for other in waits.get(name, ()) if other not in seen}
    if BLOCKED in states:
        return BLOCKED
    return OPEN if own or OPEN in states else WHOLE


def verdict_of(symbol: str) -> Verdict:
    """The verdict on a symbol, or on what it is a member of (`tf.Tensor.shape`)."""
    found = verdict(symbol)
    parent = symbol.rpartition(".")[0]
    if found.kind == "unknown" and parent.count(".") >= 1:
        above = verdict(parent)
        return above if above.kind != "unknown" and above.becomes != "a module: what is used of it counts" else found
    return found
