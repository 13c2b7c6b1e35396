"""Prints modules: constructor and call, in the form a Flax author would write."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine.walk import findall
from codemods.passes.dead_code import without_unread
from codemods.passes.finalise import Finalise
from codemods.passes.modules import ModuleSpec
from codemods.passes.names import ReplaceNames, assigned_names, bound_after, free_reads, read_names
from codemods.passes.staging import call_side
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
        init = without_unread(init, ())
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


def hoist_lookups(body: list[Any], config: set[str]) -> tuple[list[Any], dict[str, str]]:
    """Functions that a call looks up by a name in its configuration are looked up once, in the constructor.

    Returns:
      The body, and for every attribute that it reads instead the constructor's code.
    """
    places: dict[str, list[str]] = {}
    for statement in body:
        for call in findall(statement, m.Call(func=m.Attribute(m.Name(), m.Name("get")))):
            table, name = call.func.value.value, text(call.args[0].value)  # type: ignore[attr-defined]
            if table.startswith("KERAS_") and name in config:
                places.setdefault(name, []).append(text(call))
    found: dict[str, str] = {}
    for name, codes in places.items():
        reads = sum(text(node) == name for s in body for node in findall(s, m.Name(name)))
        if len(set(codes)) > 1 or reads > 2 * len(codes):
            continue  # read for something else, too
        found[name] = codes[0]
    swap = _SwapCalls({code: f"self.{name}" for name, code in found.items()})
    return [statement.visit(swap) for statement in body] if found else body, found


def kept_where_bound(statements: Sequence[Any], name: str, keep: cst.BaseStatement) -> list[Any]:
    """Statements with one more after each that binds a name, for a name that only some branches bind."""
    result: list[Any] = []
    for statement in statements:
        if isinstance(getattr(statement, "body", None), cst.IndentedBlock):
            body = kept_where_bound(statement.body.body, name, keep)
            statement = statement.with_changes(body=statement.body.with_changes(body=body))
            orelse = getattr(statement, "orelse", None)
            if isinstance(orelse, cst.If):
                statement = statement.with_changes(orelse=kept_where_bound([orelse], name, keep)[0])
            elif isinstance(orelse, cst.Else) and isinstance(orelse.body, cst.IndentedBlock):
                body = kept_where_bound(orelse.body.body, name, keep)
                statement = statement.with_changes(orelse=orelse.with_changes(body=orelse.body.with_changes(body=body)))
            result.append(statement)
            continue
        result.append(statement)
        if isinstance(statement, cst.SimpleStatementLine) and name in assigned_names(statement):
            result.append(keep)
    return result


class _SwapCalls(cst.CSTTransformer):
    """Puts an attribute in the place of a call."""

    def __init__(self, new: dict[str, str]):
        self.new = new

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        found = self.new.get(text(original_node))
        return updated_node if found is None else cst.parse_expression(found)


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
