"""Calls of ported modules."""

from __future__ import annotations

import dataclasses
from typing import Any

import libcst as cst

from codemods.passes.calls.binding import symbols_of
from codemods.passes.calls.inputs import Argument, dims_of_inputs, leaves_of
from codemods.passes.expressions.width_lists import Widths
from codemods.passes.frame import Frame
from codemods.passes.modules import ModuleInstance, ModuleSpec
from codemods.passes.names import ReplaceNames
from codemods.passes.pieces import EQUAL
from codemods.passes.values import TensorType, Value, text

#: A module that is called on every step of a sequence by itself.
EACH_STEP = ("each_step",)


class ModuleCalls:
    """Rewrites `module(x)`, and analyses the module at its first call."""

    def call_module(self, callee: Value, arguments: list[Argument] | None, node: cst.Call, frame: Frame) -> Value:
        instance = callee.module
        assert instance is not None
        if arguments is None:
            return Value(node)
        if callee.special == EACH_STEP and arguments:
            return self.call_each_step(callee, arguments, node, frame)
        callee = self.place(callee, frame)
        spec = instance.spec
        arguments = self.name_training(spec, arguments)
        training = next((value for name, value in arguments if name == "training"), None)
        inputs = [(name, value) for name, value in arguments if name not in ("training", "name")]
        result = self.enter_module(instance, inputs, node, frame)
        args = [
            cst.Arg(
                value.code,
                keyword=cst.Name(name) if name else None,
                equal=EQUAL if name else cst.MaybeSentinel.DEFAULT,
            )
            for name, value in inputs
        ]
        if spec.mode:
            code = self.training_argument(training, frame).code
            required = spec.mode_required
            if required or not (isinstance(code, cst.Name) and code.value == "False"):
                args.append(cst.Arg(code, keyword=cst.Name("training"), equal=EQUAL))
        return result.with_code(cst.Call(callee.code, args, lpar=node.lpar, rpar=node.rpar))

    def call_each_step(self, callee: Value, arguments: list[Argument], node: cst.Call, frame: Frame) -> Value:
        """A module under TimeDistributed: Keras calls it for one step after the other, statistics and all."""
        sequence = arguments[0][1]
        shape = sequence.tensor.shape if sequence.tensor is not None else None
        one = cst.parse_expression(f"{text(sequence.code)}[:, i]")
        step = Value(one, tensor=TensorType((shape[0], *shape[2:]), sequence.tensor.dtype) if shape else TensorType())  # type: ignore
        inner = dataclasses.replace(callee, special=None)
        result = self.call_module(inner, [(None, step), *arguments[1:]], node, frame)
        self.unit.imports.add("jnp")
        code = cst.parse_expression(f"jnp.stack([_ for i in range({text(sequence.code)}.shape[1])], axis=1)")
        tensor = result.tensor
        if tensor is not None and tensor.shape is not None and shape is not None:
            tensor = TensorType((tensor.shape[0], shape[1], *tensor.shape[1:]), tensor.dtype)
        return Value(code.visit(ReplaceNames({"_": result.code})), tensor=tensor or TensorType())  # type: ignore[arg-type]

    def name_training(self, spec: ModuleSpec, arguments: list[Argument]) -> list[Argument]:
        """`block(x, training)`: the mode is passed on by keyword."""
        if spec.kind != "class":
            return arguments
        method = self.method_node(spec, "call") or self.method_node(spec, "__call__")
        names = [p.name.value for p in method.params.params[1:]] if method is not None else []
        return [
            ("training", value) if name is None and i < len(names) and names[i] == "training" else (name, value)
            for i, (name, value) in enumerate(arguments)
        ]

    def enter_module(self, instance: ModuleInstance, inputs: list[Argument], node: cst.Call, frame: Frame) -> Value:
        """Analyses a module at its first call; returns the result's type in the caller's terms."""
        spec = instance.spec
        if not spec.analysed:
            spec.first_arguments = self.named_arguments(instance)
        self.analyse(spec, inputs, frame)
        widths = {
            name: symbols_of(frame, self.plain_symbols).of_code(dim.code) if isinstance(dim, Widths) else dim
            for name, dim in dims_of_inputs(inputs)
        }
        if frame.emit:
            for name, dim in widths.items():
                instance.in_dims.setdefault(name, []).append(dim)
        if spec.result is None:
            return Value(cst.Name("_"), tensor=TensorType())
        known = self.by_symbol(spec, inputs)
        if frame.emit:
            for name, dim in known.items():
                if name in spec.dims and name not in widths:
                    instance.in_dims.setdefault(name, []).append(dim)
        return self.translate(spec.result, instance, known | widths, frame)

    def by_symbol(self, spec: ModuleSpec, inputs: list[Argument]) -> dict[str, Any]:
        """The caller's dims by the names of the symbols that stand for them in the callee's inputs."""
        found: dict[str, Any] = {}
        names = self.input_names(spec)
        for i, (name, value) in enumerate(inputs):
            label = name or (names[i] if i < len(names) else "")
            for part, tensor in leaves_of(value, label):
                own = spec.input_shapes.get(part)
                if own is None or tensor.shape is None or len(own) != len(tensor.shape):
                    continue
                found |= {str(a): b for a, b in zip(own, tensor.shape, strict=True) if not isinstance(a, int)}
        return found

    def input_names(self, spec: ModuleSpec) -> list[str]:
        """Names of a module's inputs, in the order of its call."""
        if spec.kind == "class":
            method = self.method_node(spec, "call") or self.method_node(spec, "__call__")
            return [p.name.value for p in method.params.params[1:]] if method is not None else []
        return ["x"] if spec.kind == "sequential" else spec.tensor_parameters

    def foreign(self, value: Value, instance: ModuleInstance) -> Value:
        return dataclasses.replace(value, dim=None)
