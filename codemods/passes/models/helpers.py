"""Calls of helpers, which make layers and call them, and of factories, which make one."""

from __future__ import annotations

import dataclasses

import libcst as cst

from codemods.passes.calls.inputs import Argument
from codemods.passes.frame import Frame
from codemods.passes.modules import ModuleInstance, ModuleSpec
from codemods.passes.values import UNKNOWN, Value


class Helpers:
    """`x = block(x, filters)` and `layer = conv(filters)`."""

    def call_helper(self, spec: ModuleSpec, node: cst.Call, frame: Frame) -> Value:
        """`x = block(x, filters)`: a module made in the constructor and called on the tensors."""
        arguments = self.helper_arguments(node, frame)
        if arguments is None:
            return Value(node)
        assert isinstance(spec.node, cst.FunctionDef)
        parameters = [p.name.value for p in spec.node.params.params]
        named = [
            (name or (parameters[i] if i < len(parameters) else None), name, value)
            for i, (name, value) in enumerate(arguments)
        ]
        tensors = {full for full, _, value in named if value.is_tensor and full is not None}
        if not spec.analysed:
            spec.tensor_parameters = [p for p in parameters if p in tensors] + [
                p.name.value for p in spec.node.params.kwonly_params if p.name.value in tensors
            ]
        elif set(spec.tensor_parameters) != tensors:
            frame.unit.residual(
                frame.function, node, spec.source, "called with tensors here that are no tensors elsewhere"
            )
        key = (id(node), frame.function)
        as_init = self.helper_arguments(node, frame.child(as_init=True)) or []
        config = [
            (name, self.handed_on(value))
            for i, (name, value) in enumerate(as_init)
            if (name or (parameters[i] if i < len(parameters) else None)) not in tensors
        ]
        if key in self.made and self.made[key].module is not None:
            self.made[key].module.arguments = config  # type: ignore[union-attr]
        else:
            instance = ModuleInstance(spec, config, frame.unit.span(node), frame.unit.fresh("module"))
            self.made[key] = Value(cst.Name(instance.marker), module=instance)
            if frame.spec is not None:
                frame.spec.modules.append(instance)
        callee = self.made[key]
        if frame.mode == "plain":
            frame.unit.residual(frame.function, node, spec.source, "makes layers where it is called")
            return Value(node)
        by_place = spec.source in self.curried  # the names are ours
        first_given = [full for full, _, value in named if full in tensors]
        inputs = [
            (
                None
                if (name is None or by_place) and first_given[: i + 1] == spec.tensor_parameters[: i + 1]
                else full,
                value,
            )
            for i, (full, name, value) in enumerate(entry for entry in named if entry[0] in tensors)
        ]
        return self.call_module(callee, inputs, node, frame)

    def helper_arguments(self, node: cst.Call, frame: Frame) -> list[Argument] | None:
        """Arguments of a call; a dict of configuration that is spread over them stays so."""
        spread = [arg for arg in node.args if arg.star == "**"]
        values = [self.eval(arg.value, frame) for arg in spread]
        if not spread or any(value.is_tensor or value.has_layers for value in values):
            return self.arguments(node, frame)
        rest = self.arguments(node.with_changes(args=[arg for arg in node.args if arg.star != "**"]), frame)
        return None if rest is None else [*rest, *[("**", value) for value in values]]

    def call_factory(self, spec: ModuleSpec, node: cst.Call, frame: Frame) -> Value:
        """`conv(filters, 3)`: a function that makes a layer; it stays one and learns the input's width."""
        key = (id(node), frame.function)
        arguments = self.arguments(node, frame.child(as_init=True) if frame.mode == "staged" else frame)
        if arguments is None:
            return Value(node)
        self.prepare(spec, frame)
        made = spec.result
        if made is None or made.layer is None:
            frame.unit.residual(frame.function, node, spec.source, f"what {spec.source} returns is not known")
            return Value(node)
        instance = ModuleInstance(spec, arguments, frame.unit.span(node), frame.unit.fresh("module"))
        named = self.named_arguments(instance)
        values = {}
        for parameter, value in made.layer.arguments.items():
            code = value.code
            if isinstance(code, cst.Name) and code.value in named:
                values[parameter] = named[code.value]
            elif value.known is not UNKNOWN:
                values[parameter] = value
            else:
                by_code = {n: v.dim for n, v in named.items() if v.dim is not None}
                dim = value.dim
                if dim is not None and spec.symbols.parts(dim) <= by_code.keys() and frame.spec is not None:
                    dim = spec.symbols.substitute(dim, by_code)
                values[parameter] = dataclasses.replace(value, dim=dim)
        cached = self.made.get(key)
        if cached is not None and cached.layer is not None:
            cached.layer.arguments, cached.layer.factory = values, instance
            return cached
        layer = dataclasses.replace(
            made.layer, arguments=values, span=frame.unit.span(node), marker=frame.unit.fresh("layer"), inputs=[],
            calls=[], factory=instance, placement=None,
        )  # fmt: skip
        if frame.spec is not None:
            frame.spec.layers.append(layer)
        value = Value(cst.Name(layer.marker), layer=layer)
        self.made[key] = value
        return value
