"""Functional models, and helper functions that make layers."""

from __future__ import annotations

import dataclasses
from typing import Any

import libcst as cst

from codemods.passes.frame import Frame
from codemods.passes.models.classes import Classes
from codemods.passes.models.input_shapes import InputShapes
from codemods.passes.models.sequential import Sequentials
from codemods.passes.modules import Chain, Finished, ModuleSpec
from codemods.passes.naming import snake
from codemods.passes.values import TensorType, Value


class Builders(InputShapes, Sequentials, Classes):
    """The functional pass."""

    def analyse_function(self, spec: ModuleSpec, inputs: list[tuple[str | None, Value]] | None) -> None:
        """Evaluates a builder, helper or factory."""
        assert isinstance(spec.node, cst.FunctionDef)
        frame = Frame(self.unit, spec.source, "staged", spec, self_name="self")
        given: dict[str, Value] = {}
        if spec.kind == "helper" and inputs is not None:
            named = {name or spec.tensor_parameters[i]: value for i, (name, value) in enumerate(inputs)}
            given = self.generalise(spec, named)
        for param in [*spec.node.params.params, *spec.node.params.kwonly_params]:
            name = param.name.value
            if name in given:
                frame.env[name] = dataclasses.replace(given[name], code=param.name)
            else:
                frame.env[name] = self.parameter(spec, param)
        body = [s for s in spec.node.body.body if not _is_docstring(s, spec.node)]
        if spec.kind == "factory":
            frame.mode = "init"
            staged = self.run(body, frame)
            spec.init = staged.init
            spec.result = self.joined(frame)
            return
        self.finished.pop(id(spec), None)
        staged = self.run(body, frame)
        spec.init = staged.init
        spec.result = self.joined(frame)
        self.settle_returns(spec, frame)
        self.stage_items[id(spec)] = staged.call
        self.staged_frames[id(spec)] = frame
        if "training" in frame.flags:
            spec.mode = True

    def handle_input(self, symbol: str, node: cst.Call, frame: Frame) -> Value:
        arguments = self.arguments(node, frame.child(as_init=True, declaring=True))
        if arguments is None or frame.spec is None:
            frame.unit.residual(frame.function, node, symbol, "an Input outside a function that builds a model")
            return Value(node)
        given = {"shape" if name in (None, "input_shape") else name: value for name, value in arguments}
        dims: list[Any] | None = None
        if "shape" in given:
            dims = self.shape_dims(given["shape"], frame)
        for name in ("batch_shape", "batch_input_shape"):
            if name in given:
                found = self.shape_dims(given[name], frame)
                dims = found[1:] if found else None
        unknown = set(given) - {"shape", "batch_shape", "batch_size", "dtype", "name", "batch_input_shape"}
        if unknown:
            frame.unit.residual(frame.function, node, symbol, f"`{', '.join(sorted(unknown))}` of Input")
        dtype = given["dtype"].known if "dtype" in given and isinstance(given["dtype"].known, str) else "float32"
        tensor = (
            TensorType((frame.spec.symbols.unknown("batch"), *dims), dtype)
            if dims is not None
            else TensorType(None, dtype)
        )
        name = given["name"].known if "name" in given and isinstance(given["name"].known, str) else None
        return Value(cst.Name(snake(name) if name else "inputs"), tensor=tensor, special=("input", id(node), name))

    def handle_model(self, symbol: str, node: cst.Call, frame: Frame) -> Value:
        arguments = self.arguments(node, frame)
        given = {name or ("inputs", "outputs", "name")[i]: value for i, (name, value) in enumerate(arguments or ())}
        if frame.mode != "staged" or "inputs" not in given or "outputs" not in given:
            frame.unit.residual(frame.function, node, symbol, "a functional model outside a function that builds it")
            return Value(node)
        return Value(node, special=Finished(_original(given["inputs"]), given["outputs"]))

    def call_special(self, callee: Value, node: cst.Call, frame: Frame) -> Value | None:
        return None

    def finish(self, value: Value, frame: Frame) -> Value:
        """What a builder returns: the outputs of the model it made."""
        if isinstance(value.special, Chain):
            if frame.spec is not None:
                self.finished[id(frame.spec)] = value.special.variable
            return frame.env[value.special.variable]
        if isinstance(value.special, Finished):
            if frame.spec is not None:
                self.finished[id(frame.spec)] = value.special.inputs
            return value.special.outputs
        return value


def _original(inputs: Value) -> Value:
    """Inputs by their own names, where other names for them are given."""
    if isinstance(inputs.special, tuple) and inputs.special[0] == "alias":
        return inputs.special[1]
    if inputs.items is not None and inputs.items:
        items = [_original(item) for item in inputs.items]
        return dataclasses.replace(inputs, items=items)
    return inputs


def _is_docstring(statement: cst.BaseStatement, node: cst.FunctionDef) -> bool:
    return (
        statement is node.body.body[0] and isinstance(statement, cst.SimpleStatementLine)
        and isinstance(statement.body[0], cst.Expr) and isinstance(statement.body[0].value, cst.SimpleString)
    )  # fmt: skip
