"""Constructor calls of framework layers, losses and metrics."""

from __future__ import annotations

import dataclasses
import inspect
from fnmatch import fnmatch
from typing import Any

import libcst as cst

from codemods.engine import rule as rules
from codemods.engine.outcome import Residual
from codemods.engine.template import Arg, inline
from codemods.passes.calls.module_calls import EACH_STEP
from codemods.passes.frame import Frame
from codemods.passes.layer_names import layer_name
from codemods.passes.modules import LayerInstance
from codemods.passes.values import UNKNOWN, Value


class LayerConstructors:
    """Makes a `LayerInstance` of a constructor call."""

    def make_object(self, entry: rules.ObjectRule, symbol: str, node: cst.Call, frame: Frame) -> Value:
        """A constructor call of a layer, loss or metric."""
        cached = self.made.get((id(node), frame.function))
        arguments = self.arguments(node, frame.child(as_init=True) if frame.mode == "staged" else frame)
        if arguments is None:
            return Value(node)
        signature = constructor_signature(entry)
        plain = [
            (name, value) for name, value in arguments
            if entry.kind != "layer" or not self.common(name, value, signature, symbol, node, frame)
        ]  # fmt: skip
        if entry.kind != "layer":
            plain = [(name, value) for name, value in plain if name != "name" or "name" in signature.parameters]
        bound = self.bind(signature, plain, symbol, node, frame)
        if bound is None:
            return Value(node)
        values = {name: value for name, value in bound.arguments.items() if isinstance(value, Value)}
        if symbol == "tf.keras.layers.TimeDistributed" and values["layer"].module is not None:
            return dataclasses.replace(values["layer"], special=EACH_STEP)
        if cached is not None and cached.layer is not None:
            # Evaluated again, as in a loop: what is known of the arguments may have changed.
            for name in entry.wraps:
                if name in values and values[name].layer is not None:
                    values[name] = dataclasses.replace(values[name], wrapped=self.wrap(values[name].layer))
            cached.layer.arguments = values
            return cached
        instance = LayerInstance(
            entry, values, frozenset(values), frame.unit.span(node), frame.unit.fresh("layer"), symbol,
            name=next((layer_name(arg.value, frame) for arg in node.args if arg.keyword and arg.keyword.value == "name"), None),
        )  # fmt: skip
        for name in entry.wraps:
            if name in values and values[name].layer is not None:
                inner = values[name].layer
                inner.wrapped = True
                values[name] = dataclasses.replace(values[name], wrapped=self.wrap(inner))
        instance.makes = self.makes_object(instance)
        if not instance.makes and frame.mode == "staged" and not entry.wraps:
            # Nothing is made: what the layer was given is read where it is called, from the tensors there.
            residuals = list(self.unit.residuals)
            there = {name: value for name, value in self.arguments(node, frame) or [] if name}
            self.unit.residuals[:] = residuals
            instance.arguments = {
                name: there[name] if name in there and there[name].is_tensor else value
                for name, value in values.items()
            }
        hint = {name: value for name, value in arguments if name in ("input_shape", "batch_input_shape", "input_dim")}
        value = Value(cst.Name(instance.marker), layer=instance, special=("input_hint", hint) if hint else None)
        if frame.spec is not None:
            frame.spec.layers.append(instance)
        self.made[(id(node), frame.function)] = value
        return value

    def common(
        self, name: str | None, value: Value, signature: inspect.Signature, symbol: str, node: cst.Call, frame: Frame
    ) -> bool:
        """Is this an argument every layer takes, and settled here?"""
        if name is None:
            return False
        entry = next(
            (common for pattern, common in rules.COMMON_LAYER_ARGUMENTS.items() if fnmatch(name, pattern)), None
        )
        if entry is None:
            return False
        required = signature.parameters.get(name)
        if required is not None and (required.default is inspect.Parameter.empty or name in rules.OWN_ARGUMENTS):
            return False
        if entry.accepted is None or (value.known is not UNKNOWN and value.known in entry.accepted):
            return True
        frame.unit.residual(frame.function, node, symbol, f"`{name}`: {entry.why}")
        return True

    def wrap(self, inner: LayerInstance) -> rules.Wrapped:
        """A layer given to another layer's constructor."""
        arguments: dict[str, Any] = {
            name: parameter.default
            for name, parameter in constructor_signature(inner.rule).parameters.items()
            if parameter.default is not inspect.Parameter.empty
        }
        arguments |= {name: self.argument(value) for name, value in inner.arguments.items()}
        return rules.Wrapped(inner.rule, arguments)

    def makes_object(self, instance: LayerInstance) -> bool:
        make = instance.rule.make
        if make is None:
            return False
        args = {name: self.argument(value) for name, value in instance.arguments.items()}
        for name, parameter in inspect.signature(make).parameters.items():
            if parameter.kind is parameter.KEYWORD_ONLY:
                args[name] = Arg(cst.Name("rngs")) if name == "rngs" else Arg(None, dim=lambda i: cst.Name("_"))
        found = inline(make, args, given=instance.given, symbol=instance.symbol, helpers=self.helpers_of(instance))
        return isinstance(found, Residual) or not (isinstance(found.code, cst.Name) and found.code.value == "None")

    def helpers_of(self, layer: LayerInstance) -> list[Any]:
        """Helpers of a layer's rule and of the rules of the layers it wraps."""
        found = list(layer.rule.helpers)
        for value in layer.arguments.values():
            if value.wrapped is not None and value.layer is not None:
                found += self.helpers_of(value.layer)
        return found


def constructor_signature(entry: rules.ObjectRule) -> inspect.Signature:
    """The constructor's signature: `make`'s, or, where nothing is made, the call's configuration."""
    if entry.make is not None:
        signature = inspect.signature(entry.make)
        kept = [p for p in signature.parameters.values() if p.kind is not p.KEYWORD_ONLY]
        return signature.replace(parameters=kept)
    assert entry.call is not None
    kept = [
        p.replace(kind=p.POSITIONAL_OR_KEYWORD)
        for p in inspect.signature(entry.call).parameters.values()
        if p.kind is p.KEYWORD_ONLY and p.name != "training"
    ]
    required = [p for p in kept if p.default is p.empty]
    return inspect.Signature([*required, *[p for p in kept if p.default is not p.empty]])
