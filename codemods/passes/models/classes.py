"""Subclasses of Layer, Model and tf.Module: constructor, build and call become an nnx.Module."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import libcst as cst

from codemods.passes.frame import Frame
from codemods.passes.models.class_attributes import ClassAttributes
from codemods.passes.models.class_inputs import ClassInputs
from codemods.passes.models.functions import Functions
from codemods.passes.modules import LAZY, ModuleSpec
from codemods.passes.names import assigned_names
from codemods.passes.pieces import EQUAL, decorator_callee
from codemods.passes.placing.staging import Item, Staged
from codemods.passes.values import UNKNOWN, Value, text

#: Methods that only Keras calls, to save, describe or shape a model.
KERAS_ONLY = frozenset(
    {
        "get_config",
        "from_config",
        "compute_output_shape",
        "compute_output_spec",
        "compute_mask",
        "build_from_config",
        "get_build_config",
        "build",
        "summary",
    }  # fmt: skip
)


_TRAINING = frozenset({"train_step", "test_step", "predict_step", "compile", "compute_loss", "metrics"})


class Classes(ClassInputs, ClassAttributes, Functions):
    """The class pass."""

    def analyse_class(self, spec: ModuleSpec, inputs: list[tuple[str | None, Value]] | None) -> None:
        """Evaluates a class, first call's inputs given (None: unknown). Fills `init`, `methods`, `result`."""
        assert isinstance(spec.node, cst.ClassDef)
        init_node = self.method_node(spec, "__init__")
        init = Frame(self.unit, f"{spec.source}.__init__", "init", spec, self_name="self")
        if init_node is not None:
            init.self_name = init_node.params.params[0].name.value
            init.env[init.self_name] = Value(cst.Name(init.self_name), special="self")
            for param in [*init_node.params.params[1:], *init_node.params.kwonly_params]:
                init.env[param.name.value] = self.parameter(spec, param)
            spec.init = self.run(init_node.body.body, init).init  # type: ignore[arg-type]
        spec_locals = set(init.env) - {init.self_name}
        call_node = self.method_node(spec, "call") or self.method_node(spec, "__call__")
        arguments = self.call_arguments(spec, call_node, inputs)
        build_node = self.method_node(spec, "build")
        if build_node is not None:
            self.run_build(spec, build_node, arguments, init)
        self.run_lazy(spec, arguments, init)
        if call_node is not None:
            frame = self.run_method(spec, call_node, arguments, spec_locals, entry=True)
            spec.result = self.joined(frame)
        for statement in spec.node.body.body:
            if isinstance(statement, cst.FunctionDef) and statement.name.value not in spec.methods:
                name = statement.name.value
                if name in ("__init__", "build", "call", "__call__", LAZY) or name in KERAS_ONLY or name in _TRAINING:
                    continue
                self.run_method(spec, statement, self.seen_methods.get((spec.source, name), {}), spec_locals)

    def run_build(self, spec: ModuleSpec, node: cst.FunctionDef, arguments: dict[str, Value], init: Frame) -> None:
        """`build(input_shape)` runs at the end of the constructor."""
        frame = init.child(function=f"{spec.source}.build", as_init=True)
        first = next(iter(arguments.values()), None)
        if len(node.params.params) > 1:
            name = node.params.params[1].name.value
            frame.env[name] = self.shape_argument(spec, first, cst.Name(name), frame)
        frame.env[node.params.params[0].name.value] = Value(cst.Name("self"), special="self")
        spec.init = spec.init + self.run(node.body.body, frame).init  # type: ignore[arg-type]

    def shape_argument(self, spec: ModuleSpec, value: Value | None, code: cst.BaseExpression, frame: Frame) -> Value:
        if value is None:
            return Value(code)
        if value.tensor is not None:
            return self.shape_value(code, value.tensor, frame)
        if value.items is not None:
            return Value(code, items=[self.shape_argument(spec, item, code, frame) for item in value.items])
        return Value(code)

    def run_lazy(self, spec: ModuleSpec, arguments: dict[str, Value], init: Frame) -> None:
        """What a first call makes; see `LazyBuild`."""

    def run_method(
        self,
        spec: ModuleSpec,
        node: cst.FunctionDef,
        arguments: Mapping[str, Value],
        spec_locals: set[str],
        entry: bool = False,
    ) -> Frame:
        """Evaluates a method of the call side and keeps its new code."""
        name = node.name.value
        frame = Frame(self.unit, f"{spec.source}.{name}", "call", spec, spec_locals=set())
        parameters = [*node.params.params, *node.params.kwonly_params]
        static = any(text(d.decorator) in ("staticmethod", "classmethod") for d in node.decorators)
        if parameters and not static:
            frame.self_name = parameters[0].name.value
            frame.env[frame.self_name] = Value(cst.Name(frame.self_name), special="self")
            parameters = parameters[1:]
        for param in parameters:
            value = arguments.get(param.name.value)
            if value is None:
                value = self.default_value(param) if param.default is not None else Value(param.name, staged=True)
                value = dataclasses.replace(value, known=UNKNOWN, dim=None)
            frame.env[param.name.value] = dataclasses.replace(value, code=param.name)
        if entry and any(p.name.value == "training" for p in parameters):
            spec.mode = True
            spec.mode_required = any(p.name.value == "training" and p.default is None for p in parameters)
            frame.env["training"] = Value(cst.Name("training"))
        frame.spec_locals = spec_locals - assigned_names(node.body) - {p.name.value for p in parameters}
        spec.methods[name] = node
        self.method_frames[(spec.source, name)] = frame
        staged: Staged = self.run(node.body.body, frame)  # type: ignore[arg-type]
        spec.init = spec.init + staged.init
        has = any(p.name.value == "training" for p in parameters)
        if "training" in frame.flags and not has:
            self.mode_methods.add((spec.source, name))
        if entry and "training" in frame.flags:
            spec.mode = True
        spec.methods[name] = self.method_code(spec, node, staged.call, frame, entry)
        return frame

    def method_code(
        self, spec: ModuleSpec, node: cst.FunctionDef, items: list[Item], frame: Frame, entry: bool
    ) -> cst.FunctionDef:
        body = node.body.with_changes(body=[item.node for item in items])
        params = node.params
        wants = "training" in frame.flags or (entry and spec.mode)
        if wants and not any(p.name.value == "training" for p in [*params.params, *params.kwonly_params]):
            params = _with_training(params)
        params = params.with_changes(params=[_training_default(p) for p in params.params])
        name = cst.Name("__call__") if node.name.value == "call" else node.name
        decorators = [d for d in node.decorators if self.unit.symbol(decorator_callee(d.decorator)) is None]
        return node.with_changes(name=name, params=params, body=body, decorators=decorators)

    def joined(self, frame: Frame) -> Value | None:
        if not frame.returns:
            return None
        joined = frame.returns[0]
        for value in frame.returns[1:]:
            joined = self.join(joined, value, frame)
        return joined


def _with_training(params: cst.Parameters) -> cst.Parameters:
    """Adds `*, training=False`."""
    new = cst.Param(cst.Name("training"), default=cst.Name("False"), equal=EQUAL)
    star = params.star_arg
    if not params.kwonly_params and not isinstance(star, cst.Param):
        star = cst.ParamStar()
    return params.with_changes(star_arg=star, kwonly_params=[*params.kwonly_params, new])


def _training_default(param: cst.Param) -> cst.Param:
    if param.name.value == "training" and isinstance(param.default, cst.Name) and param.default.value == "None":
        return param.with_changes(default=cst.Name("False"))
    return param
