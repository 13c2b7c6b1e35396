"""Instances of the user's classes and builders."""

from __future__ import annotations

from typing import Any

import libcst as cst

from codemods.passes.calls.inputs import Argument
from codemods.passes.frame import Frame
from codemods.passes.modules import ModuleInstance, ModuleSpec
from codemods.passes.naming import camel
from codemods.passes.values import Value


class Instances:
    """Specs of modules, and constructor calls of them."""

    def spec_for(self, name: str, kind: str) -> ModuleSpec:
        if name not in self.unit.specs:
            node: Any = self.unit.classes.get(name) or self.unit.functions[name]
            output = name if kind in ("class", "factory") else self.class_name(name)
            self.unit.specs[name] = ModuleSpec(output, name, kind, node)
        return self.unit.specs[name]

    def class_name(self, function: str) -> str:
        """A name for the class that a function becomes; one inside another has its name, too, where it must."""
        *outer, own = function.split(".")
        alike = [path for path in self.given_sources.functions if path.rsplit(".", 1)[-1] == own]
        if outer and (camel(own) in self.taken_names() or len(alike) > 1):
            return self.free_name(camel(outer[-1]) + camel(own))
        return self.free_name(camel(own), function)

    def taken_names(self) -> set[str]:
        return set(self.unit.classes) | set(self.unit.functions) | {s.name for s in self.unit.specs.values()}

    def free_name(self, name: str, source: str = "") -> str:
        """A class name that nothing else has; `source` is the function that the class takes the place of."""
        taken = self.taken_names() - {source} | self.unit.framework_names
        while name in taken:
            name += "Module"
        return name

    def constructor_parameters(self, spec: ModuleSpec) -> list[cst.Param]:
        """Parameters of the original's constructor (self left out), or of the function."""
        if spec.kind == "class":
            init = self.method_node(spec, "__init__")
            if init is None:
                return []
            return [*init.params.params[1:], *init.params.kwonly_params]
        if spec.kind == "sequential":
            return [cst.Param(cst.Name(name)) for name in spec.locals_used]
        assert isinstance(spec.node, cst.FunctionDef)
        names = [*spec.node.params.params, *spec.node.params.kwonly_params]
        return [p for p in names if p.name.value not in spec.tensor_parameters]

    def method_node(self, spec: ModuleSpec, name: str) -> cst.FunctionDef | None:
        """A method of a class, or of its nearest user base that has it."""
        node: Any = spec.node
        while node is not None:
            for statement in node.body.body:
                if isinstance(statement, cst.FunctionDef) and statement.name.value == name:
                    return statement
            bases = [
                b.value.value
                for b in node.bases
                if isinstance(b.value, cst.Name) and b.value.value in self.unit.classes
            ]
            node = self.unit.classes[bases[0]] if bases else None
        return None

    def call_class(self, name: str, node: cst.Call, frame: Frame) -> Value:
        if not self.unit.is_module_class(name):
            return self.plain_call(Value(node.func), node, frame)
        return self.instantiate(self.spec_for(name, "class"), node, frame)

    def instantiate(self, spec: ModuleSpec, node: cst.Call, frame: Frame) -> Value:
        key = (id(node), frame.function)
        arguments = self.constructor_arguments(node, frame)
        if arguments is None:
            return Value(node)
        names = {p.name.value for p in self.constructor_parameters(spec)} | {"*", "**"}
        kept = [(name, value) for name, value in arguments if name is None or name in names or name not in _NAMING]
        kept = [(name, self.handed_on(value)) for name, value in kept]
        for name, value in kept:
            if name is not None and name not in names:
                frame.unit.residual(frame.function, node, spec.source, f"`{name}` is no parameter of {spec.source}")
            self.escape(value)
        if key in self.made and self.made[key].module is not None:
            self.made[key].module.arguments = kept  # type: ignore[union-attr]
            return self.made[key]
        instance = ModuleInstance(spec, kept, frame.unit.span(node), frame.unit.fresh("module"))
        value = Value(cst.Name(instance.marker), module=instance)
        if frame.spec is not None:
            frame.spec.modules.append(instance)
        else:
            self.loose.append((frame.function, instance))
        if not spec.analysed:
            self.module_parameters.setdefault(spec.source, {}).update(self.modules_given(instance))
        self.prepare(spec, frame)
        self.made[key] = value
        return value

    def modules_given(self, instance: ModuleInstance) -> dict[str, Value]:
        """The arguments of a constructor that are modules themselves, by parameter."""
        given = self.named_arguments(instance).items()
        return {name: value for name, value in given if value.module is not None}

    def constructor_arguments(self, node: cst.Call, frame: Frame) -> list[Argument] | None:
        """Arguments for a constructor; where ordinary code spreads a sequence or dict over them, so does the port."""
        if frame.mode == "plain" and any(arg.star for arg in node.args):
            values = [self.eval(arg.value, frame) for arg in node.args]
            return [
                (arg.star or (arg.keyword.value if arg.keyword else None), self.read_variable(value))
                for arg, value in zip(node.args, values, strict=True)
            ]
        return self.arguments(node, frame.child(as_init=True) if frame.mode == "staged" else frame)


#: Constructor keywords that only Keras reads.
_NAMING = frozenset({"name", "dtype", "dynamic", "input_shape"})
