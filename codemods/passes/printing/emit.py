"""Prints modules: constructor and call, in the form a Flax author would write."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from codemods.passes.modules import LAZY, ModuleSpec
from codemods.passes.names import ReplaceNames, assigned_names, bound_after, free_reads, read_names
from codemods.passes.pieces import EQUAL, decorator_callee
from codemods.passes.placing.staging import call_side
from codemods.passes.printing.at_once import lists_at_once, returned_at_once
from codemods.passes.printing.dead_code import without_unread
from codemods.passes.printing.finalise import Finalise
from codemods.passes.printing.kinds import of_one_kind
from codemods.passes.printing.layout import bare, blank, docstring_of, ensure_blank, tight
from codemods.passes.printing.lookups import hoist_lookups, kept_where_bound
from codemods.passes.printing.nones import without_nones
from codemods.passes.values import Value, text


class Emit(Finalise):
    """Output of the passes on classes and builders."""

    def emit(self, spec: ModuleSpec) -> list[cst.BaseStatement]:
        """Statements that take the place of the original definition."""
        if spec.kind == "class":
            return [self.emit_class(spec)]
        if spec.kind == "factory":
            return [self.emit_factory(spec)]
        return [self.emit_builder(spec)]

    def constructor(self, spec: ModuleSpec, params: Sequence[cst.Param], body: list[cst.BaseStatement],
                    node: cst.FunctionDef | None) -> cst.FunctionDef | None:  # fmt: skip
        if spec.random:
            body = [cst.parse_statement("self.rngs = rngs.fork()"), *body]
        if not body:
            return None
        reads = set().union(*[read_names(statement) for statement in body])
        plain = [cst.Param(cst.Name("self"))]
        plain += [cst.Param(cst.Name(name)) for name in spec.used_dims]
        kept = [p for p in params if p.name.value not in spec.dropped]
        kwonly: list[cst.Param] = []
        for param in kept:
            is_keyword_only = node is not None and any(param is p for p in node.params.kwonly_params)
            (kwonly if is_keyword_only else plain).append(bare(param))
        if "rngs" in reads:
            kwonly.append(cst.Param(cst.Name("rngs"), annotation=cst.Annotation(cst.parse_expression("nnx.Rngs"))))
        star: Any = cst.ParamStar() if kwonly else cst.MaybeSentinel.DEFAULT
        parameters = cst.Parameters(params=plain, star_arg=star, kwonly_params=kwonly)
        body = of_one_kind(body, parameters)
        block = cst.IndentedBlock(body=tight(body))
        self.unit.imports.add("nnx")
        if node is not None:
            decorated = node.with_changes(params=parameters, body=node.body.with_changes(body=body), decorators=[])
            return decorated
        return cst.FunctionDef(cst.Name("__init__"), parameters, block)

    def emit_class(self, spec: ModuleSpec) -> cst.ClassDef:
        assert isinstance(spec.node, cst.ClassDef)
        node = spec.node
        own_init = next(
            (s for s in node.body.body if isinstance(s, cst.FunctionDef) and s.name.value == "__init__"), None
        )
        params = self.constructor_parameters(spec)
        init = self.constructor(spec, params, list(spec.init), own_init)
        body: list[cst.BaseStatement] = []
        placed = False
        for statement in node.body.body:
            if not isinstance(statement, cst.FunctionDef):
                body.append(statement)
                continue
            name = statement.name.value
            if name == "__init__" or (init is not None and not placed):
                if init is not None and not placed:
                    lead = statement.leading_lines if name == "__init__" else blank(body)
                    body.append(init.with_changes(leading_lines=lead))
                    placed = True
                if name == "__init__":
                    continue
            if name in spec.methods and name not in ("__init__", "build"):
                method = spec.methods[name]
                body.append(method.with_changes(leading_lines=ensure_blank(method.leading_lines, body)))
            elif name in self.moved_methods.get(spec.source, {}):
                continue
            elif name not in ("build", LAZY):
                self.unit.note(statement, f"{spec.source}.{name} left out: only Keras calls it")
        bases = []
        for base in node.bases:
            if isinstance(base.value, cst.Name) and base.value.value in self.unit.classes:
                bases.append(base)
        if not bases:
            bases = [cst.Arg(cst.parse_expression("nnx.Module"))]
        self.unit.imports.add("nnx")
        decorators = [d for d in node.decorators if self.unit.symbol(decorator_callee(d.decorator)) is None]
        if not body:
            body = [cst.SimpleStatementLine([cst.Pass()])]
        return node.with_changes(
            bases=bases, keywords=[], body=node.body.with_changes(body=body), decorators=decorators
        )

    def emit_builder(self, spec: ModuleSpec) -> cst.ClassDef:
        frame = self.staged_frames[id(spec)]
        call_body = without_unread(call_side(self.stage_items[id(spec)]), (), spec.config_names | spec.aliases)
        params = self.constructor_parameters(spec)
        config = (
            {p.name.value for p in params} | {*spec.dims} | set().union(*[assigned_names(s) for s in spec.init], set())
        )
        config -= set(spec.tensor_parameters)
        assigned = set().union(*[assigned_names(s) for s in call_body], set())
        live = free_reads(call_body)
        wanted = sorted((live & config) - assigned)
        init = list(spec.init)
        call_body, looked_up = hoist_lookups(call_body, config)
        wanted = [name for name in wanted if name in set().union(*[read_names(s) for s in call_body], set())]
        always = bound_after(init, {p.name.value for p in params} | {*spec.used_dims})
        for name in sorted({*wanted, *looked_up}):
            if spec.exposed.get(name) is not None and spec.symbols.code(spec.exposed[name]) == name:
                continue  # told to callers anyway
            keep = cst.parse_statement(f"self.{name} = {looked_up.get(name, name)}")
            init = [*init, keep] if name in always else kept_where_bound(init, name, keep)
        replace = ReplaceNames({name: cst.parse_expression(f"self.{name}") for name in wanted})
        call_body = [statement.visit(replace) for statement in call_body]  # type: ignore[misc]
        clash = (live & config) & assigned
        if clash:
            self.unit.residual(
                spec.source, spec.node, sorted(clash)[0], "configuration that changes while the model is called"
            )
        init = lists_at_once(without_nones(without_unread(init, ()), call_body))
        if spec.kind != "helper":
            call_body = returned_at_once(call_body)
        body: list[cst.BaseStatement] = []
        doc = docstring_of(spec.node)
        if doc is not None:
            body.append(doc)
        constructor = self.constructor(spec, params, init, None)
        if constructor is not None:
            body.append(constructor.with_changes(leading_lines=blank(body)))
        body.append(self.call_method_node(spec, call_body, frame.env).with_changes(leading_lines=blank(body)))
        lines = getattr(spec.node, "leading_lines", [])
        self.unit.imports.add("nnx")
        return cst.ClassDef(
            cst.Name(spec.name),
            cst.IndentedBlock(body),
            bases=[cst.Arg(cst.parse_expression("nnx.Module"))],
            leading_lines=lines,
        )

    def call_method_node(
        self, spec: ModuleSpec, body: list[cst.BaseStatement], env: dict[str, Value]
    ) -> cst.FunctionDef:
        names: list[cst.Param] = []
        prologue: list[cst.BaseStatement] = []
        finished = self.finished.get(id(spec))
        if spec.kind == "helper":
            assert isinstance(spec.node, cst.FunctionDef)
            every = [*spec.node.params.params, *spec.node.params.kwonly_params]
            names = [bare(p) for p in every if p.name.value in spec.tensor_parameters]
        elif isinstance(finished, str):
            names = [cst.Param(cst.Name(finished))]
        elif isinstance(finished, Value):
            name, prologue = self.inputs_of(finished)
            names = [cst.Param(cst.Name(name))]
        kwonly = []
        if spec.mode:
            kwonly = [cst.Param(cst.Name("training"), default=cst.Name("False"), equal=EQUAL)]
        star: Any = cst.ParamStar() if kwonly else cst.MaybeSentinel.DEFAULT
        parameters = cst.Parameters([cst.Param(cst.Name("self")), *names], star_arg=star, kwonly_params=kwonly)
        return cst.FunctionDef(cst.Name("__call__"), parameters, cst.IndentedBlock(tight([*prologue, *body])))

    def inputs_of(self, inputs: Value) -> tuple[str, list[cst.BaseStatement]]:
        """Name of the call's parameter, and statements that take several inputs apart."""
        if isinstance(inputs.code, cst.Name):
            return inputs.code.value, []
        if inputs.mapping is not None:
            lines = [f"{text(value.code)} = inputs[{key!r}]" for key, value in inputs.mapping.items()]
            return "inputs", [cst.parse_statement(_quotes(line)) for line in lines if " = " in line]
        if inputs.items is not None:
            if len(inputs.items) == 1:
                return text(inputs.items[0].code), []
            names = ", ".join(text(item.code) for item in inputs.items)
            return "inputs", [cst.parse_statement(f"{names} = inputs")]
        return "inputs", []

    def emit_factory(self, spec: ModuleSpec) -> cst.FunctionDef:
        assert isinstance(spec.node, cst.FunctionDef)
        params = [cst.Param(cst.Name(name)) for name in spec.used_dims]
        params += [bare(p) for p in spec.node.params.params if p.name.value not in spec.dropped]
        kwonly = [bare(p) for p in spec.node.params.kwonly_params]
        doc = docstring_of(spec.node)
        body = ([doc] if doc is not None else []) + list(spec.init)
        if self.needs_rngs(spec):
            kwonly.append(cst.Param(cst.Name("rngs"), annotation=cst.Annotation(cst.parse_expression("nnx.Rngs"))))
        star: Any = cst.ParamStar() if kwonly else cst.MaybeSentinel.DEFAULT
        parameters = cst.Parameters(params=params, star_arg=star, kwonly_params=kwonly)
        return spec.node.with_changes(params=parameters, body=spec.node.body.with_changes(body=body), returns=None)


def _quotes(line: str) -> str:
    return line.replace("'", '"')
