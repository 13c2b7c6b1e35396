"""Ports one file: analyses what it defines, prints what became of it."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Collection
from typing import Any

import libcst as cst

import codemods.mappings  # noqa: F401  (registers the rules)
from codemods.passes.constants import bound_within, file_wide
from codemods.passes.frame import Frame
from codemods.passes.model_zoo import ModelZoo
from codemods.passes.models.declared import INPUT, INPUT_LAYER, MODEL, SEQUENTIAL
from codemods.passes.models.given_sources import GivenSources
from codemods.passes.models.variables import VARIABLE
from codemods.passes.modules import ModuleSpec
from codemods.passes.names import read_names
from codemods.passes.unit import Unit, module_definitions
from codemods.passes.values import UNKNOWN, NamedInt, Symbols, Value


class Porter(ModelZoo):
    """All passes on one file."""

    def __init__(self, unit: Unit):
        self.unit = unit
        self.plain_symbols = Symbols()
        self.made: dict[Any, Value] = {}
        self.built_on: dict[int, set[str]] = {}
        self.added: dict[int, list[cst.BaseExpression]] = {}
        self.held: list[tuple[ModuleSpec, str, cst.BaseExpression]] = []
        self.threads: list[Any] = []
        self.widths: dict[int, dict[Any, str]] = {}
        self.kinds: dict[str, str] = {}
        self.active: set[str] = set()
        self.function_flags: dict[str, set[str]] = {}
        self.seen_arguments: dict[str, Any] = {}
        self.seen_methods: dict[tuple[str, str], dict[str, Value]] = {}
        self.method_frames: dict[tuple[str, str], Frame] = {}
        self.mode_methods: set[tuple[str, str]] = set()
        self.stage_items: dict[int, Any] = {}
        self.staged_frames: dict[int, Frame] = {}
        self.outer_frames: dict[int, Frame] = {}
        self.finished: dict[int, Any] = {}
        self.loose: list[Any] = []
        self.made_calls: list[Any] = []
        self.moved_methods: dict[str, dict[str, Any]] = {}
        self.integer_names: dict[int, frozenset[str]] = {}
        self.other_names: dict[int, frozenset[str]] = {}
        self.bindings: dict[int, Any] = {}
        self.module_parameters: dict[str, dict[str, Value]] = {}
        self.start()
        self.given_sources = GivenSources(unit)
        self.open_closures()
        self.open_given()
        self.handlers = {
            **dict.fromkeys(INPUT | INPUT_LAYER, Porter.handle_input),
            **dict.fromkeys(MODEL, Porter.handle_model),
            **dict.fromkeys(SEQUENTIAL, Porter.handle_sequential),
            **dict.fromkeys(VARIABLE, Porter.handle_variable),
        }

    # -- order -----------------------------------------------------------------------------------

    def analyse(self, spec: ModuleSpec, inputs: Any, frame: Frame | None) -> None:
        if spec.analysed:
            return
        spec.analysed = True
        if spec.kind == "class":
            self.analyse_class(spec, inputs)
        elif spec.kind == "sequential":
            self.analyse_sequential(spec, inputs)
        else:
            self.analyse_function(spec, inputs)

    def prepare(self, spec: ModuleSpec, frame: Frame) -> None:
        """Analyses what does not depend on how it is called."""
        if spec.kind in ("builder", "factory"):
            self.analyse(spec, None, frame)

    def port(self) -> None:
        """Analyses everything that the file defines, outermost modules first."""
        self.read_globals()
        self.enter_dicts()
        self.discover()
        names = [s.name.value for s in module_definitions(self.unit.module) if s.name.value not in self.absorbed]
        modules = [n for n in names if n in self.unit.classes and self.unit.is_module_class(n)]
        functions = [n for n in names if n in self.unit.functions and self.function_kind(n) != "plain"]
        inner = {other for name in [*modules, *functions] for other in read_names(self.definition(name).body) - {name}}
        inner |= self.functions_given()
        for name in [*[n for n in modules + functions if n not in inner], *modules, *functions]:
            kind = "class" if name in self.unit.classes else self.function_kind(name)
            spec = self.spec_for(name, kind)
            if kind == "helper" and not spec.analysed and not self.tensor_inputs(spec):
                self.unit.residual(
                    name, self.definition(name), name, "never called: which arguments are tensors is not known"
                )
                continue
            self.analyse_unreached(spec)
        for spec in list(self.unit.specs.values()):
            if spec.analysed:
                self.finalise(spec)

    def read_globals(self) -> None:
        """Module-level names bound once to a constant."""
        counts: Counter[str] = Counter()
        assigns = [
            statement.body[0] for statement in self.unit.module.body
            if isinstance(statement, cst.SimpleStatementLine) and isinstance(statement.body[0], cst.Assign)
        ]  # fmt: skip
        for assign in assigns:
            counts.update(t.target.value for t in assign.targets if isinstance(t.target, cst.Name))
        frame = Frame(self.unit, "<module>", "plain")
        self.unit.lasting = file_wide(self.unit.module)
        rebound = bound_within(self.unit.module)
        for assign in assigns:
            names = [t.target for t in assign.targets if isinstance(t.target, cst.Name) and counts[t.target.value] == 1]
            if not names or not _is_literal(assign.value, self.unit.globals):
                continue
            value = self.eval(assign.value, frame)
            if value.known is not UNKNOWN:
                for name in names:
                    dim = value.dim
                    if isinstance(dim, int) and name.value not in rebound:
                        dim = NamedInt(dim, name.value)
                    items = self.elements(value)
                    self.unit.globals[name.value] = dataclasses.replace(value, code=name, dim=dim, items=items)


def _is_literal(node: cst.BaseExpression, names: Collection[str]) -> bool:
    """Is this made of constants, and of names that stand for some?"""
    if isinstance(node, cst.Tuple | cst.List):
        return all(_is_literal(element.value, names) for element in node.elements)
    if isinstance(node, cst.UnaryOperation):
        return _is_literal(node.expression, names)
    if isinstance(node, cst.BinaryOperation):
        return _is_literal(node.left, names) and _is_literal(node.right, names)
    return isinstance(node, cst.Integer | cst.Float | cst.SimpleString) or (
        isinstance(node, cst.Name) and (node.value in ("True", "False", "None") or node.value in names)
    )
