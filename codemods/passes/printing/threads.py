"""Widths that change from one layer of a list to the next, carried by a variable of the constructor."""

from __future__ import annotations

from typing import Any

import libcst as cst

from codemods.engine.outcome import Residual
from codemods.passes.modules import ModuleSpec, Thread
from codemods.passes.names import ReplaceNames, read_names


class Threads:
    """Constructors of lists of layers."""

    def as_lists(self, statement: Any, spec: ModuleSpec) -> Any:
        """`self.blocks = []` to `nnx.List()`, where layers are appended later."""
        if isinstance(statement, cst.SimpleStatementLine) and isinstance(statement.body[0], cst.Assign):
            assign = statement.body[0]
            target = assign.targets[0].target
            if (
                isinstance(target, cst.Attribute)
                and target.attr.value in spec.lists
                and isinstance(assign.value, cst.List)
            ):
                self.unit.imports.add("nnx")
                made = cst.parse_expression("nnx.List()")
                return statement.with_changes(body=[assign.with_changes(value=made)])
        return statement

    def threaded(self, init: list[cst.BaseStatement], thread: Thread, spec: ModuleSpec) -> list[cst.BaseStatement]:
        """Adds the variable that carries a width from layer to layer."""
        first = spec.symbols.code(thread.first)
        if first is None:
            sizes = self.first_size(thread, spec)
            first = str(sizes) if sizes is not None else None
        if first is None:
            reason = "the width before the first of these layers can't be expressed"
            self.unit.residuals.append(
                (spec.source, Residual(f"self.{thread.attribute}", reason, self.unit.span(spec.node)))
            )
            return init
        codes = {marker: spec.symbols.code(dim) for marker, dim in thread.after.items()}
        for code in codes.values():
            if code is None:
                reason = "the width after one of these layers can't be expressed"
                self.unit.residuals.append(
                    (spec.source, Residual(f"self.{thread.attribute}", reason, self.unit.span(spec.node)))
                )
                return init

        def walk(statements: Any) -> list[Any]:
            result = []
            for statement in statements:
                statement = self.spread(statement, thread)
                if isinstance(getattr(statement, "body", None), cst.IndentedBlock):
                    statement = statement.with_changes(body=statement.body.with_changes(body=walk(statement.body.body)))
                    if isinstance(getattr(statement, "orelse", None), cst.Else):
                        orelse = statement.orelse
                        new = orelse.body.with_changes(body=walk(orelse.body.body))
                        statement = statement.with_changes(orelse=orelse.with_changes(body=new))
                    result.append(statement)
                    continue
                result.append(statement)
                for marker in read_names(statement) & codes.keys():
                    if codes[marker] != thread.name:
                        result.append(cst.parse_statement(f"{thread.name} = {codes[marker]}"))
            return result

        start = next((i for i, s in enumerate(init) if read_names(s) & codes.keys()), 0)
        lead = cst.parse_statement(f"{thread.name} = {first}")
        same = first == thread.name
        return [*init[:start], *([] if same else [lead]), *walk(init[start:])]

    def spread(self, statement: Any, thread: Thread) -> Any:
        """A comprehension of layers whose width changes becomes a loop."""
        if not isinstance(statement, cst.SimpleStatementLine) or not isinstance(statement.body[0], cst.Assign):
            return statement
        value = statement.body[0].value
        if isinstance(value, cst.Call) and value.args and isinstance(value.args[0].value, cst.ListComp):
            value = value.args[0].value
        if not isinstance(value, cst.ListComp) or not read_names(value.elt) & thread.after.keys():
            return statement
        if value.for_in.inner_for_in is not None or value.for_in.ifs:
            return statement
        append = cst.parse_statement(f"self.{thread.attribute}.append(_)").visit(ReplaceNames({"_": value.elt}))
        loop = cst.For(value.for_in.target, value.for_in.iter, cst.IndentedBlock([append]))  # type: ignore[list-item]
        made = statement.body[0].with_changes(value=cst.parse_expression("nnx.List()"))
        body = [cst.If(cst.Name("True"), cst.IndentedBlock([statement.with_changes(body=[made]), loop]))]
        return body[0].with_changes(test=cst.Name("__flat__"))

    def first_size(self, thread: Thread, spec: ModuleSpec) -> int | None:
        """The width before the first layer, from the trace."""
        for instance in [*spec.layers, *spec.modules]:
            if instance.marker in thread.after:
                entries = self.unit.trace.made_at(instance.span)
                sizes = {shape[-1] for shape in self.unit.trace.inputs(entries[:1]) if shape}
                return sizes.pop() if len(sizes) == 1 else None
        return None


def flat(statements: list[Any]) -> list[Any]:
    """Takes apart the blocks that only hold several statements together."""
    result = []
    for statement in statements:
        if (
            isinstance(statement, cst.If)
            and isinstance(statement.test, cst.Name)
            and statement.test.value == "__flat__"
        ):
            result.extend(statement.body.body)
        else:
            result.append(statement)
    return result
