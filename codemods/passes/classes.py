"""Subclasses of Layer, Model and tf.Module: constructor, build and call become an nnx.Module."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import libcst as cst

from codemods.passes.calls import axis_names, dims_of_inputs
from codemods.passes.frame import Frame
from codemods.passes.functions import Functions
from codemods.passes.modules import IN_FEATURES, ModuleSpec
from codemods.passes.names import assigned_names
from codemods.passes.placing import containers
from codemods.passes.staging import Item, Staged
from codemods.passes.types import integer_parameters
from codemods.passes.values import UNKNOWN, TensorType, Value, is_int, text
from codemods.passes.width_lists import Widths

#: Methods that only Keras calls, to save, describe or shape a model.
_KERAS_ONLY = frozenset(
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


class Classes(Functions):
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
        if call_node is not None:
            frame = self.run_method(spec, call_node, arguments, spec_locals, entry=True)
            spec.result = self.joined(frame)
        for statement in spec.node.body.body:
            if isinstance(statement, cst.FunctionDef) and statement.name.value not in spec.methods:
                name = statement.name.value
                if name in ("__init__", "build", "call", "__call__") or name in _KERAS_ONLY or name in _TRAINING:
                    continue
                self.run_method(spec, statement, self.seen_methods.get((spec.source, name), {}), spec_locals)

    def parameter(self, spec: ModuleSpec, param: cst.Param) -> Value:
        """A constructor parameter: configuration, an integer for all we know."""
        default: Any = UNKNOWN
        if param.default is not None:
            try:
                default = eval(text(param.default), {})
            except Exception:
                default = UNKNOWN
        dim = None
        if default is UNKNOWN or default is None or (isinstance(default, int) and not isinstance(default, bool)):
            dim = spec.symbols.of_code(param.name.value)
        given = self.module_parameters.get(spec.source, {}).get(param.name.value)
        if given is not None and given.module is not None:
            return Value(param.name, module=given.module)
        first = spec.first_arguments.get(param.name.value)
        sure = param.name.value in self.integers(spec)
        if not sure and first is not None and param.name.value not in self.other_than_ints(spec):
            sure = is_int(first)
        dim = dim if not sure else spec.symbols.of_code(param.name.value)
        element = self.element_type(first) if first is not None else None
        return Value(param.name, dim=dim, sure=sure, item=element)

    def element_type(self, first: Value) -> Value | None:
        """What elements of a sequence given as configuration look like: which are ints."""
        elements = first.items or (self.elements(first) if isinstance(first.known, list | tuple) else None)
        if not elements or any(element.is_tensor or element.has_layers for element in elements):
            return None
        return dataclasses.replace(self.element_of(first, Frame(self.unit, "", "plain")), code=cst.Name("_"))

    def other_than_ints(self, spec: ModuleSpec) -> frozenset[str]:
        """Parameters that some call or default gives anything but an int."""
        self.integers(spec)
        return self.other_names[id(spec)]

    def integers(self, spec: ModuleSpec) -> frozenset[str]:
        if id(spec) not in self.integer_names:
            node = spec.node if isinstance(spec.node, cst.FunctionDef) else self.method_node(spec, "__init__")
            params = [*node.params.params, *node.params.kwonly_params] if node is not None else []
            params = params[1:] if spec.kind == "class" else params
            self.integer_names[id(spec)], self.other_names[id(spec)] = integer_parameters(
                self.unit, spec.source, params
            )
        return self.integer_names[id(spec)]

    def call_arguments(
        self, spec: ModuleSpec, call_node: cst.FunctionDef | None, inputs: list[tuple[str | None, Value]] | None
    ) -> dict[str, Value]:
        """Values of the call's parameters: the caller's, with dims made the callee's own; else as traced."""
        if call_node is None:
            return {}
        names = [p.name.value for p in call_node.params.params[1:]]
        given: dict[str, Value] = {}
        if inputs is None:
            given = self.traced_arguments(spec, names)
        else:
            for i, (name, value) in enumerate(inputs):
                key = name or (names[i] if i < len(names) else None)
                if key is not None:
                    given[key] = value
            given = self.generalise(spec, given)
        return given

    def generalise(self, spec: ModuleSpec, given: dict[str, Value]) -> dict[str, Value]:
        """Input types whose dims are symbols of the callee: last dims get constructor parameters."""
        given = self.ranked(spec, given)
        names = iter([name for name, _ in dims_of_inputs(list(given.items()))])  # type: ignore[arg-type]

        def walk(value: Value, label: str) -> Value:
            tensor = value.tensor
            if tensor is not None:
                width = next(names, IN_FEATURES)
                if tensor.shape is not None and tensor.shape:
                    last = spec.symbols.of_code(width)
                    spec.dims[width] = last
                    dims = [spec.symbols.unknown("d") for _ in tensor.shape[:1]] if len(tensor.shape) > 1 else []
                    for axis in axis_names(len(tensor.shape), len(spec.input_shapes)):
                        spec.dims[axis] = spec.symbols.of_code(axis)
                        spec.symbols.optional.add(axis)
                        dims.append(spec.dims[axis])
                    tensor = TensorType((*dims, last), tensor.dtype)
                    spec.input_shapes[label] = (*dims, last)
                return Value(value.code, tensor=tensor)
            if isinstance(value.special, Widths) and value.item is not None:
                width = next(names, IN_FEATURES)
                spec.dims[width] = spec.symbols.of_code(width)
                item = dataclasses.replace(walk_item(value.item), code=value.code)
                return Value(value.code, item=item, special=Widths(width), staged=True)
            items = (
                [walk(item, f"{label}_{i}") for i, item in enumerate(value.items)] if value.items is not None else None
            )
            mapping = {k: walk(v, str(k)) for k, v in value.mapping.items()} if value.mapping is not None else None
            return Value(value.code, value.known, None, None, None, None, items, None, mapping, staged=value.staged)

        def walk_item(value: Value) -> Value:
            shape = value.tensor.shape if value.tensor is not None else None
            dims = tuple(spec.symbols.unknown("d") for _ in shape) if shape is not None else None
            return Value(value.code, tensor=TensorType(dims, value.tensor.dtype if value.tensor else None))

        return {name: walk(value, name) for name, value in given.items()}

    def ranked(self, spec: ModuleSpec, given: dict[str, Value]) -> dict[str, Value]:
        """Gives an input of unknown rank the rank that it had in the trace."""
        traced = iter(self.traced_arguments(spec, list(given)).values())
        result = {}
        for name, value in given.items():
            found = next(traced, None)
            unknown = value.tensor is not None and value.tensor.shape is None
            if unknown and found is not None and found.tensor is not None and found.tensor.shape is not None:
                dims = tuple(spec.symbols.unknown("d") for _ in found.tensor.shape)
                value = dataclasses.replace(value, tensor=TensorType(dims, found.tensor.dtype))
            result[name] = value
        return result

    def traced_arguments(self, spec: ModuleSpec, names: list[str]) -> dict[str, Value]:
        """Inputs as the original's run had them; the batch is left open."""
        for entry in self.unit.trace.instances(spec.source):
            call = self.unit.trace.input_tree(entry)
            if call is None:
                continue
            given = {}
            for name, tree in zip(names, call.get("inputs") or (), strict=False):
                given[name] = self.of_tree(tree, cst.Name(name), spec)
            for name, tree in (call.get("kwargs") or {}).items():
                if isinstance(tree, Mapping) and "shape" in tree:
                    given[name] = self.of_tree(tree, cst.Name(name), spec)
            return given
        return {}

    def of_tree(self, tree: Any, code: cst.BaseExpression, spec: ModuleSpec) -> Value:
        if isinstance(tree, Mapping) and "shape" in tree and "dtype" in tree:
            shape = list(tree["shape"])
            dims = [spec.symbols.unknown("batch") if i == 0 or d is None else d for i, d in enumerate(shape)]
            return Value(code, tensor=TensorType(tuple(dims), tree["dtype"]))
        if isinstance(tree, list):
            return Value(code, items=[self.of_tree(item, code, spec) for item in tree])
        if isinstance(tree, Mapping):
            return Value(code, mapping={key: self.of_tree(item, code, spec) for key, item in tree.items()})
        return Value(code)

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

    # -- methods ------------------------------------------------------------------------------

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
        decorators = [d for d in node.decorators if self.unit.symbol(_callee(d.decorator)) is None]
        return node.with_changes(name=name, params=params, body=body, decorators=decorators)

    def joined(self, frame: Frame) -> Value | None:
        if not frame.returns:
            return None
        joined = frame.returns[0]
        for value in frame.returns[1:]:
            joined = self.join(joined, value, frame)
        return joined

    def call_self_method(self, name: str, node: cst.Call, frame: Frame) -> Value:
        """`self.encode(x)`."""
        spec = frame.spec
        assert spec is not None
        if name == "add_weight":
            return self.add_weight(node, frame)
        method = self.method_node(spec, name)
        if method is None:
            return self.keras_method(name, node, frame)
        arguments = self.arguments(node, frame)
        if arguments is None:
            return Value(node)
        names = [p.name.value for p in method.params.params[1:]]
        given = {}
        for i, (keyword, value) in enumerate(arguments):
            key = keyword or (names[i] if i < len(names) else None)
            if key is not None:
                given[key] = value
        result: Value | None = None
        if frame.mode == "init":
            self.inline_setup(spec, method, node, frame)
        elif (spec.source, name) not in self.method_frames and frame.emit:
            self.seen_methods[(spec.source, name)] = given
            inner = self.run_method(spec, method, given, frame.spec_locals | self.init_locals(spec))
            result = self.joined(inner)
        elif (spec.source, name) in self.method_frames:
            result = self.joined(self.method_frames[(spec.source, name)])
        args = [arg.with_changes(value=value.code) for arg, (_, value) in zip(node.args, arguments, strict=True)]
        if (spec.source, name) in self.mode_methods and not any(k == "training" for k, _ in arguments):
            code = self.training_argument(None, frame).code
            args.append(cst.Arg(code, keyword=cst.Name("training"), equal=_EQUAL))
        func: cst.BaseExpression = node.func
        if name == "call" and isinstance(node.func, cst.Attribute):
            func = node.func.value
        code_ = node.with_changes(func=func, args=args)
        if result is None:
            return Value(code_, staged=any(v.is_tensor for _, v in arguments) or frame.mode == "call")
        return dataclasses.replace(result, code=code_)

    def init_locals(self, spec: ModuleSpec) -> set[str]:
        node = self.method_node(spec, "__init__")
        return {p.name.value for p in node.params.params[1:]} | assigned_names(node.body) if node is not None else set()

    def inline_setup(self, spec: ModuleSpec, method: cst.FunctionDef, node: cst.Call, frame: Frame) -> None:
        """A method that the constructor calls to make layers."""
        frame.unit.residual(
            frame.function, node, f"self.{method.name.value}", "a constructor that calls its own methods"
        )

    def keras_method(self, name: str, node: cst.Call, frame: Frame) -> Value:
        frame.unit.residual(frame.function, node, f"self.{name}", f"`self.{name}` of the framework's base class")
        return Value(node)

    def self_attribute(self, name: str, code: cst.BaseExpression, node: cst.Attribute, frame: Frame) -> Value:
        """An attribute that the class itself has not set (yet)."""
        spec = frame.spec
        assert spec is not None
        method = self.method_node(spec, name)
        if method is not None:
            is_property = any(text(d.decorator) == "property" for d in method.decorators)
            return Value(code, staged=True) if is_property else Value(code, special=("self_method", name))
        if name in ("add_weight", "call"):
            return Value(code, special=("self_method", name))
        if name in ("built", "name"):
            return Value(code)
        if self.method_node(spec, "__init__") is not None or name in _FRAMEWORK_ATTRIBUTES:
            if name in _FRAMEWORK_ATTRIBUTES:
                frame.unit.residual(
                    frame.function, node, f"self.{name}", f"`self.{name}` of the framework's base class"
                )
            return Value(code, special=("self_method", name) if name in _FRAMEWORK_METHODS else None)
        return Value(code)

    # -- attributes and weights -----------------------------------------------------------------

    def assign_attribute(
        self, target: cst.Attribute, value: Value, node: cst.Assign, frame: Frame
    ) -> tuple[list[Any], bool] | None:
        """`self.NAME = value`."""
        spec = frame.spec
        assert spec is not None
        name = target.attr.value
        code = cst.Attribute(target.value, target.attr)
        if name in ("built", "supports_masking", "_name", "input_spec", "trainable"):
            if name == "trainable":
                frame.unit.residual(frame.function, node, "trainable", "frozen layers are not ported yet")
            return [], False
        if frame.mode == "call":
            known = spec.attributes.get(name)
            if known is not None and known.special == "variable":
                return None
            if value.is_tensor:
                frame.unit.residual(frame.function, node, f"self.{name}", "state that is set while the model is called")
            return None
        instance = value.layer or value.module
        fresh = instance is not None and isinstance(value.code, cst.Name) and value.code.value == instance.marker
        if fresh and instance is not None and value.layer is not None and value.layer.rule.kind != "layer":
            spec.attributes[name] = value
            return [], False
        if fresh and value.layer is not None and not value.layer.makes:
            spec.attributes[name] = value.with_code(code)
            return [], False
        if value.items == [] and frame.mode == "init":
            spec.attributes[name] = Value(code, items=None, special=("layers", name, []))
            return None
        if self.is_unplaced(value):
            spec.attributes[name] = self.read_container(value, code, (name,))
            new = containers(value.code) if instance is None else value.code
            self.unit.imports.add("nnx")
            return [node.with_changes(value=new)], False
        dim = value.dim
        if dim is None and not value.is_tensor and value.known is UNKNOWN and not value.has_layers:
            dim = spec.symbols.of_code(f"{text(target.value)}.{name}")
        spec.attributes[name] = dataclasses.replace(value, code=code, dim=dim)
        return None

    def add_weight(self, node: cst.Call, frame: Frame) -> Value:
        arguments = self.arguments(node, frame)
        if arguments is None:
            return Value(node)
        return self.make_weight(arguments, node, frame)


_EQUAL = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
_FRAMEWORK_METHODS = frozenset({"add_loss", "add_metric", "compute_loss", "set_weights", "get_weights"})
_FRAMEWORK_ATTRIBUTES = frozenset(
    {
        "optimizer",
        "losses",
        "compiled_loss",
        "compiled_metrics",
        "trainable_variables",
        "trainable_weights",
        "weights",
        "variables",
        "metrics",
        "submodules",
        "layers",
        *_FRAMEWORK_METHODS,
    }  # fmt: skip
)


def _callee(node: cst.BaseExpression) -> cst.BaseExpression:
    return node.func if isinstance(node, cst.Call) else node


def _with_training(params: cst.Parameters) -> cst.Parameters:
    """Adds `*, training=False`."""
    new = cst.Param(cst.Name("training"), default=cst.Name("False"), equal=_EQUAL)
    star = params.star_arg
    if not params.kwonly_params and not isinstance(star, cst.Param):
        star = cst.ParamStar()
    return params.with_changes(star_arg=star, kwonly_params=[*params.kwonly_params, new])


def _training_default(param: cst.Param) -> cst.Param:
    if param.name.value == "training" and isinstance(param.default, cst.Name) and param.default.value == "None":
        return param.with_changes(default=cst.Name("False"))
    return param
