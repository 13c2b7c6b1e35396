"""Prints modules: constructor and call, in the form a Flax author would write."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from codemods.passes.finalise import Finalise
from codemods.passes.modules import ModuleSpec
from codemods.passes.names import ReplaceNames, assigned_names, read_names
from codemods.passes.staging import nodes, prune
from codemods.passes.values import Value, text

_EQUAL = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))


class Emit(Finalise):
    """Output of the passes on classes and builders."""

    def emit(self, spec: ModuleSpec) -> list[cst.BaseStatement]:
        """Statements that take the place of the original definition."""
        if spec.kind == "class":
            return [self.emit_class(spec)]
        if spec.kind == "factory":
            return [self.emit_factory(spec)]
        return [self.emit_builder(spec)]

    # -- constructors ----------------------------------------------------------------------------

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
            (kwonly if is_keyword_only else plain).append(_bare(param))
        if "rngs" in reads:
            kwonly.append(cst.Param(cst.Name("rngs"), annotation=cst.Annotation(cst.parse_expression("nnx.Rngs"))))
        star: Any = cst.ParamStar() if kwonly else cst.MaybeSentinel.DEFAULT
        parameters = cst.Parameters(params=plain, star_arg=star, kwonly_params=kwonly)
        block = cst.IndentedBlock(body=_tight(body))
        self.unit.imports.add("nnx")
        if node is not None:
            decorated = node.with_changes(params=parameters, body=node.body.with_changes(body=body), decorators=[])
            return decorated
        return cst.FunctionDef(cst.Name("__init__"), parameters, block)

    # -- classes -----------------------------------------------------------------------------------

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
                    lead = statement.leading_lines if name == "__init__" else _blank(body)
                    body.append(init.with_changes(leading_lines=lead))
                    placed = True
                if name == "__init__":
                    continue
            if name in spec.methods and name not in ("__init__", "build"):
                method = spec.methods[name]
                body.append(method.with_changes(leading_lines=_ensure_blank(method.leading_lines, body)))
            elif name in self.moved_methods.get(spec.source, {}):
                continue
            elif name not in ("build",):
                self.unit.note(statement, f"{spec.source}.{name} left out: only Keras calls it")
        bases = []
        for base in node.bases:
            if isinstance(base.value, cst.Name) and base.value.value in self.unit.classes:
                bases.append(base)
        if not bases:
            bases = [cst.Arg(cst.parse_expression("nnx.Module"))]
        self.unit.imports.add("nnx")
        decorators = [d for d in node.decorators if self.unit.symbol(_callee(d.decorator)) is None]
        if not body:
            body = [cst.SimpleStatementLine([cst.Pass()])]
        return node.with_changes(
            bases=bases, keywords=[], body=node.body.with_changes(body=body), decorators=decorators
        )

    # -- builders ------------------------------------------------------------------------------------

    def emit_builder(self, spec: ModuleSpec) -> cst.ClassDef:
        frame = self.staged_frames[id(spec)]
        items = [item for item in self.stage_items[id(spec)] if not item.config]
        items = prune(items)
        call_body = nodes(items)
        params = self.constructor_parameters(spec)
        config = {p.name.value for p in params} | set().union(*[assigned_names(s) for s in spec.init], set())
        config -= set(spec.tensor_parameters)
        reads = set().union(*[read_names(s) for s in call_body], set())
        assigned = set().union(*[assigned_names(s) for s in call_body], set())
        wanted = sorted((reads & config) - assigned)
        init = list(spec.init)
        for name in wanted:
            init.append(cst.parse_statement(f"self.{name} = {name}"))
        replace = ReplaceNames({name: cst.parse_expression(f"self.{name}") for name in wanted})
        call_body = [statement.visit(replace) for statement in call_body]  # type: ignore[misc]
        clash = (reads & config) & assigned
        if clash:
            self.unit.residual(
                spec.source, spec.node, sorted(clash)[0], "configuration that changes while the model is called"
            )
        init = _prune_init(init)
        body: list[cst.BaseStatement] = []
        doc = _docstring(spec.node)
        if doc is not None:
            body.append(doc)
        constructor = self.constructor(spec, params, init, None)
        if constructor is not None:
            body.append(constructor.with_changes(leading_lines=_blank(body)))
        body.append(self.call_method_node(spec, call_body, frame.env).with_changes(leading_lines=_blank(body)))
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
            names = [_bare(p) for p in every if p.name.value in spec.tensor_parameters]
        elif isinstance(finished, str):
            names = [cst.Param(cst.Name(finished))]
        elif isinstance(finished, Value):
            name, prologue = self.inputs_of(finished)
            names = [cst.Param(cst.Name(name))]
        kwonly = []
        if spec.mode:
            kwonly = [cst.Param(cst.Name("training"), default=cst.Name("False"), equal=_EQUAL)]
        star: Any = cst.ParamStar() if kwonly else cst.MaybeSentinel.DEFAULT
        parameters = cst.Parameters([cst.Param(cst.Name("self")), *names], star_arg=star, kwonly_params=kwonly)
        return cst.FunctionDef(cst.Name("__call__"), parameters, cst.IndentedBlock(_tight([*prologue, *body])))

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
        params += [_bare(p) for p in spec.node.params.params if p.name.value not in spec.dropped]
        kwonly = [_bare(p) for p in spec.node.params.kwonly_params]
        doc = _docstring(spec.node)
        body = ([doc] if doc is not None else []) + list(spec.init)
        if self.needs_rngs(spec):
            kwonly.append(cst.Param(cst.Name("rngs"), annotation=cst.Annotation(cst.parse_expression("nnx.Rngs"))))
        star: Any = cst.ParamStar() if kwonly else cst.MaybeSentinel.DEFAULT
        parameters = cst.Parameters(params=params, star_arg=star, kwonly_params=kwonly)
        return spec.node.with_changes(params=parameters, body=spec.node.body.with_changes(body=body), returns=None)


def _bare(param: cst.Param) -> cst.Param:
    """A parameter without the layout of its old place."""
    return param.with_changes(comma=cst.MaybeSentinel.DEFAULT, whitespace_after_param=cst.SimpleWhitespace(""), star="")


def _callee(node: cst.BaseExpression) -> cst.BaseExpression:
    return node.func if isinstance(node, cst.Call) else node


def _docstring(node: cst.CSTNode) -> cst.BaseStatement | None:
    if isinstance(node, cst.FunctionDef) and node.get_docstring() is not None:
        return node.body.body[0]  # type: ignore[return-value]
    return None


def _tight(body: list[cst.BaseStatement]) -> list[cst.BaseStatement]:
    """No blank lines before the first statement."""
    if body and any(line.comment is None for line in getattr(body[0], "leading_lines", ())):
        lines = [line for line in body[0].leading_lines if line.comment is not None]  # type: ignore[attr-defined]
        return [body[0].with_changes(leading_lines=lines), *body[1:]]
    return body


def _blank(body: Sequence[cst.BaseStatement]) -> list[cst.EmptyLine]:
    return [cst.EmptyLine(indent=False)] if body else []


def _ensure_blank(lines: Sequence[cst.EmptyLine], body: Sequence[cst.BaseStatement]) -> Sequence[cst.EmptyLine]:
    if body and not any(line.comment is None for line in lines):
        return [cst.EmptyLine(indent=False), *lines]
    return lines


def _quotes(line: str) -> str:
    return line.replace("'", '"')


def _prune_init(init: list[cst.BaseStatement]) -> list[cst.BaseStatement]:
    """Drops constructor assignments that nothing reads."""
    kept: list[cst.BaseStatement] = []
    wanted: set[str] = set()
    for statement in reversed(init):
        if isinstance(statement, cst.SimpleStatementLine) and isinstance(statement.body[0], cst.Assign | cst.AugAssign):
            target = (
                statement.body[0].targets[0].target
                if isinstance(statement.body[0], cst.Assign)
                else statement.body[0].target
            )
            targets = assigned_names(statement)
            if isinstance(target, cst.Name | cst.Tuple) and not targets & wanted and _pure(statement):
                continue
        if isinstance(statement, cst.If):
            pruned = _prune_if(statement, wanted)
            if pruned is None:
                continue
            statement = pruned
        kept.append(statement)
        wanted |= read_names(statement)
        if isinstance(statement, cst.For | cst.While):
            body = _prune_loop(statement, wanted)
            kept[-1] = body
    return kept[::-1]


def _prune_if(node: cst.If, live: set[str]) -> cst.If | None:
    """Drops widths that nothing reads from both branches; None where nothing is left."""

    def block(body: Any) -> list[Any]:
        kept = []
        for i, statement in enumerate(body):
            if isinstance(statement, cst.SimpleStatementLine) and isinstance(statement.body[0], cst.Assign):
                target = statement.body[0].targets[0].target
                later = set().union(*[read_names(s) for s in body[i + 1 :]], set())
                if (
                    isinstance(target, cst.Name)
                    and target.value.endswith("features")
                    and target.value not in live | later
                ):
                    continue
            kept.append(statement)
        return kept

    if not isinstance(node.body, cst.IndentedBlock):
        return node
    then = block(node.body.body)
    orelse = node.orelse
    if isinstance(orelse, cst.Else) and isinstance(orelse.body, cst.IndentedBlock):
        rest = block(orelse.body.body)
        orelse = orelse.with_changes(body=orelse.body.with_changes(body=rest)) if rest else None
    if not then and orelse is None:
        return None
    if not then:
        then = [cst.SimpleStatementLine([cst.Pass()])]
    return node.with_changes(body=node.body.with_changes(body=then), orelse=orelse)


def _prune_loop(loop: Any, live: set[str]) -> Any:
    reads = set().union(*[read_names(s) for s in loop.body.body]) | live
    body = []
    for statement in loop.body.body:
        if isinstance(statement, cst.SimpleStatementLine) and isinstance(statement.body[0], cst.Assign | cst.AugAssign):
            target = statement.body[0].targets[0].target if isinstance(statement.body[0], cst.Assign) else None
            if isinstance(target, cst.Name) and target.value not in reads and _pure(statement):
                continue
        body.append(statement)
    return loop.with_changes(body=loop.body.with_changes(body=body)) if body else loop


def _pure(statement: cst.BaseStatement) -> bool:
    return True
