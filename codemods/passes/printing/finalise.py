"""Replaces markers by constructor calls and final names."""

from __future__ import annotations

from typing import Any

import libcst as cst

from codemods.engine.walk import identifiers
from codemods.passes.models.methods import Methods
from codemods.passes.modules import IN_FEATURES, ModuleInstance, ModuleSpec
from codemods.passes.names import RenameMarkers, assigned_names, read_names, replaced
from codemods.passes.placing.staging import call_side
from codemods.passes.printing.constructor_calls import ConstructorCalls
from codemods.passes.printing.dead_code import without_unread
from codemods.passes.printing.final_names import FinalNames
from codemods.passes.printing.threads import Threads, flat
from codemods.passes.values import text

#: Constructor arguments that only Keras reads, where the code does not.
_READ_BY_KERAS = frozenset({"name", "dtype"})


class Finalise(Threads, ConstructorCalls, FinalNames, Methods):
    """Replaces markers by constructor calls and names."""

    def finalise(self, spec: ModuleSpec) -> None:
        if spec.done:
            return
        spec.done = True
        for module in spec.modules:
            self.finalise(module.spec)
            self.settle_given(module.spec)
        for layer in spec.layers:
            if isinstance(layer.factory, ModuleInstance):
                self.finalise(layer.factory.spec)
        new: dict[str, cst.BaseExpression] = {}
        spec.init = [self.as_lists(statement, spec) for statement in spec.init]
        for thread in spec.threads:
            spec.init = flat(self.threaded(spec.init, thread, spec))
        for name, dim in spec.exposed.items():
            spec.init.append(cst.parse_statement(f"self.{name} = {spec.symbols.code(dim)}"))
        self.later = names_bound_later(spec.init)
        for layer in spec.layers:
            code = self.layer_code(layer, spec)
            if code is not None:
                new[layer.marker] = code
        for module in spec.modules:
            new[module.marker] = self.module_code(module, spec)
        renames = self.final_names(spec)
        spec.names = renames

        def settle(node: Any) -> Any:
            node = replaced(node, new)
            return node if identifiers(node).isdisjoint(renames) else node.visit(RenameMarkers(renames))

        spec.init = [settle(statement) for statement in spec.init if not self.makes_nothing_statement(statement, new)]
        spec.methods = {name: settle(node) for name, node in spec.methods.items()}
        for item in self.stage_items.get(id(spec), []):
            item.node = settle(item.node)
        for _, name, code in [entry for entry in self.held if entry[0] is spec]:
            assign = cst.Assign([cst.AssignTarget(cst.parse_expression(f"self.{name}"))], code)  # type: ignore[arg-type]
            spec.init.append(settle(cst.SimpleStatementLine([assign])))
        calls = set().union(*[read_names(item.node) for item in self.stage_items.get(id(spec), [])], set())
        if spec.kind != "class":
            spec.config_names = set().union(*[assigned_names(s) for s in spec.init], set()) - {*spec.tensor_parameters}
            body = without_unread(call_side(self.stage_items.get(id(spec), [])), (), spec.config_names | spec.aliases)
            calls = set().union(*[read_names(statement) for statement in body], set())
            spec.init = without_unread(spec.init, calls) if spec.kind != "factory" else spec.init
        reads = set().union(*[read_names(statement) for statement in spec.init], set())
        spec.used_dims = [name for name in spec.dims if name in reads | calls]
        if spec.given:
            spec.used_dims = [name for name in spec.dims if name == IN_FEATURES or name in spec.used_dims]
        names = {p.name.value for p in self.constructor_parameters(spec)}
        spec.dropped |= {name for name in names & _READ_BY_KERAS if name not in reads | calls}
        if spec.kind == "helper":  # what was read only to name layers
            spec.dropped |= {name for name in names & read_names(spec.node.body) if name not in reads | calls}  # type: ignore[attr-defined]

    def settle_given(self, spec: ModuleSpec) -> None:
        """What stands for functions given to a parameter takes what all of them take: none of it is left out of one alone."""
        holders, specs = self.given_together(spec)
        for each in specs:
            self.finalise(each)
        dropped = set.intersection(*[each.dropped for each in specs]) if specs else set()
        for holder in holders:
            holder.dropped = dropped
        for each in specs:
            each.dropped = dropped
            if set(each.used_dims) != {IN_FEATURES}:
                what = ", ".join(sorted(set(each.used_dims) - {IN_FEATURES}))
                reason = f"handed on as a function, but where it is made it needs sizes of its input ({what})"
                self.unit.residual(each.source, each.node, each.source, reason)

    def makes_nothing_statement(self, statement: cst.BaseStatement, new: dict[str, cst.BaseExpression]) -> bool:
        """`self.NAME = MARKER` for a layer that makes no object."""
        if not isinstance(statement, cst.SimpleStatementLine) or not isinstance(statement.body[0], cst.Assign):
            return False
        value = statement.body[0].value
        return isinstance(value, cst.Name) and value.value in new and text(new[value.value]) == "None"


def names_bound_later(init: list[cst.BaseStatement]) -> dict[str, set[str]]:
    """For every name read in a constructor, the local names that are bound only after its first read."""
    every = set().union(*[assigned_names(statement) for statement in init], set())
    bound: set[str] = set()
    later: dict[str, set[str]] = {}

    def walk(statements: Any) -> None:
        for statement in statements:
            body = getattr(statement, "body", None)
            if isinstance(statement, cst.For):
                bound.update(assigned_names(cst.Assign([cst.AssignTarget(statement.target)], cst.Name("_"))))
            if isinstance(body, cst.IndentedBlock):
                walk(body.body)
                orelse = getattr(statement, "orelse", None)
                while orelse is not None:
                    walk(orelse.body.body)
                    orelse = getattr(orelse, "orelse", None)
                continue
            for name in read_names(statement):
                later.setdefault(name, every - bound)
            bound.update(assigned_names(statement))

    walk(init)
    return later
