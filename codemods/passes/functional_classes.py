"""Subclasses of Model that are made as functional models are: `CustomModel(inputs, outputs)`.

Such a class has no layers of its own, only steps that Keras's `fit` calls. The builder that makes it becomes the
module, and the steps become functions beside it, as they do for a class that holds its layers.
"""

from __future__ import annotations

from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine.walk import findall
from codemods.passes.frame import Frame
from codemods.passes.inheritance import Inheritance
from codemods.passes.modules import Finished, ModuleSpec
from codemods.passes.values import Value

_COMPUTING = frozenset({"call", "__call__", "build"})
_ORDER = ("inputs", "outputs", "name")
_INPUTS = frozenset({"tf.keras.Input", "tf.keras.layers.Input"})
_TRAINING = m.Call(func=m.Attribute(attr=m.Name("fit") | m.Name("apply_gradients")))
_SUPER_INIT = m.Call(func=m.Attribute(m.Call(func=m.Name("super")), m.Name("__init__")))


class FunctionalClasses(Inheritance):
    """Classes whose layers are those of a functional model."""

    def start(self) -> None:
        super().start()
        #: The function that makes a functional model of a class, by the class; and the other way round.
        self.functional: dict[str, str] = {}
        self.step_classes: dict[str, cst.ClassDef] = {}
        for name in list(self.unit.classes):
            builder = self.functional_builder(name)
            if builder is not None and builder not in self.step_classes:
                self.functional[name] = builder
                self.step_classes[builder] = self.unit.classes[name]
                self.absorbed.add(name)

    def functional_builder(self, name: str) -> str | None:
        """The one function that makes a class by its inputs and outputs; None for any other class."""
        node = self.unit.classes[name]
        methods = {s.name.value: s for s in node.body.body if isinstance(s, cst.FunctionDef)}
        if name in self.absorbed or self.unit.bases(name)[:1] != ["tf.keras.Model"] or methods.keys() & _COMPUTING:
            return None
        made = [c for c in findall(self.unit.module, m.Call(func=m.Name(name))) if _is_functional(c)]  # type: ignore[arg-type]
        if len(made) != 1 or len(findall(self.unit.module, m.Name(name))) > 2:
            return None
        for function in self.unit.module.body:
            calls: Any = findall(function, m.Call()) if isinstance(function, cst.FunctionDef) else ()
            if made[0] in calls:
                inputs = any(self.unit.symbol(call.func) in _INPUTS for call in calls)
                trains = any(m.matches(call, _TRAINING) for call in calls)
                return function.name.value if inputs and not trains else None  # type: ignore[attr-defined]
        return None

    def call_class(self, name: str, node: cst.Call, frame: Frame) -> Value:
        if name not in self.functional or frame.function != self.functional[name] or frame.spec is None:
            return super().call_class(name, node, frame)
        arguments = self.arguments(node, frame)
        if arguments is None:
            return Value(node)
        given = {key or _ORDER[min(i, 2)]: value for i, (key, value) in enumerate(arguments)}
        if given.keys() - set(_ORDER) or not {"inputs", "outputs"} <= given.keys():
            reason = "a functional model with more than inputs and outputs: keep layers and settings in attributes"
            frame.unit.residual(frame.function, node, name, reason)
            return Value(node)
        model = self.handle_model("tf.keras.Model", node, frame)
        if isinstance(model.special, Finished) and frame.spec.source not in self.moved_methods:
            self.read_constructor(name, frame.spec)
            self.moved_methods[frame.spec.source] = self.moving(frame.spec)
            self.own_compile(frame.spec)
        return model

    def read_constructor(self, name: str, spec: ModuleSpec) -> None:
        """Metrics and losses that the class's constructor makes."""
        node = self.method_node(spec, "__init__")
        if node is None:
            return
        own = node.params.params[0].name.value
        inner = Frame(self.unit, name, "init", spec, self_name=own)
        inner.env[own] = Value(cst.Name(own), special="self")
        for statement in node.body.body:
            small = statement.body[0] if isinstance(statement, cst.SimpleStatementLine) else None
            if isinstance(small, cst.Expr) and (
                m.matches(small.value, _SUPER_INIT) or isinstance(small.value, cst.SimpleString)
            ):
                continue
            symbol = self.unit.symbol(small.value.func) if _sets_call(small) else None  # type: ignore[union-attr]
            if symbol is not None and symbol.startswith(("tf.keras.metrics.", "tf.keras.losses.")):
                self.run([statement], inner)
                continue
            reason = "a constructor of a functional model that makes more than metrics and losses"
            self.unit.residual(name, statement, name, reason)

    def spec_for(self, name: str, kind: str) -> ModuleSpec:
        new = name not in self.unit.specs
        spec = super().spec_for(name, kind)
        if new and name in self.step_classes:
            spec.name = self.step_classes[name].name.value
        return spec

    # -- the class of a builder's steps ----------------------------------------------------------------

    def step_class(self, spec: ModuleSpec) -> cst.ClassDef | None:
        return self.step_classes.get(spec.source) or super().step_class(spec)

    def step_label(self, source: str) -> str:
        return next((name for name, builder in self.functional.items() if builder == source), source)

    def method_node(self, spec: ModuleSpec, name: str) -> cst.FunctionDef | None:
        node = self.step_classes.get(spec.source)
        if node is None:
            return super().method_node(spec, name)
        methods = [s for s in node.body.body if isinstance(s, cst.FunctionDef) and s.name.value == name]
        return methods[0] if methods else None

    def metric_names(self, source: str) -> set[str]:
        return super().metric_names(self.functional.get(source, source))

    def survey_class(self, name: str) -> None:
        builder = self.functional.get(name)
        if builder is None:
            super().survey_class(name)
            return
        for method in self.moved_methods.get(builder, {}).values():
            if method.name.value != "metrics":
                self.moved_function(builder, method)


def _is_functional(call: cst.Call) -> bool:
    """Is a class called with inputs and outputs?"""
    named = {arg.keyword.value for arg in call.args if arg.keyword is not None}
    plain = [arg for arg in call.args if arg.keyword is None and not arg.star]
    return {"inputs", "outputs"} <= named or (len(plain) >= 2 and not named - {"name"})


def _sets_call(small: Any) -> bool:
    """`self.NAME = CALL(...)`."""
    return isinstance(small, cst.Assign) and m.matches(small, m.Assign([m.AssignTarget(m.Attribute())], m.Call()))
