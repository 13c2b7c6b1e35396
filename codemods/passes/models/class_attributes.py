"""`self`: attributes and methods."""

from __future__ import annotations

import dataclasses
from typing import Any

import libcst as cst

from codemods.passes.frame import Frame
from codemods.passes.modules import ModuleSpec
from codemods.passes.names import assigned_names
from codemods.passes.pieces import EQUAL
from codemods.passes.placing.placing import containers
from codemods.passes.values import UNKNOWN, Value, text


class ClassAttributes:
    """What `self.NAME` is, and calls of `self.NAME(...)`."""

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
            args.append(cst.Arg(code, keyword=cst.Name("training"), equal=EQUAL))
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
                frame.unit.residual(
                    frame.function,
                    node,
                    "trainable",
                    "a layer that freezes itself: set `layer.trainable = False` where it is made, which becomes `freeze(layer)`",
                )
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
