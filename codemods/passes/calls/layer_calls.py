"""Calls of framework layers."""

from __future__ import annotations

import dataclasses
import inspect

import libcst as cst

from codemods.engine import rule as rules
from codemods.engine.outcome import Residual
from codemods.engine.template import Arg, inline
from codemods.engine.walk import names_in
from codemods.passes.calls.inputs import Argument
from codemods.passes.calls.layer_constructors import constructor_signature
from codemods.passes.frame import Frame
from codemods.passes.values import UNKNOWN, Value, text


class LayerCalls:
    """Rewrites `layer(x)` by the call of its rule."""

    def call_layer(self, callee: Value, arguments: list[Argument] | None, node: cst.Call, frame: Frame) -> Value:
        instance = callee.layer
        assert instance is not None
        entry = instance.rule
        if arguments is None:
            return Value(node)
        if entry.call is None:
            frame.unit.residual(frame.function, node, instance.symbol, f"{instance.symbol} can't be called here")
            return Value(node)
        callee = self.place(callee, frame)
        signature = inspect.signature(entry.call)
        parameters = list(signature.parameters.values())
        positional = [p for p in parameters if p.kind is not p.KEYWORD_ONLY]
        keyword_only = {p.name for p in parameters if p.kind is p.KEYWORD_ONLY}
        takes_layer = entry.kind == "layer"
        inputs = positional[1:] if takes_layer else positional
        training = next((value for name, value in arguments if name == "training"), None)
        rest = [(name, value) for name, value in arguments if name != "training"]
        bound = self.bind(signature.replace(parameters=inputs), rest, instance.symbol, node, frame)
        if bound is None:
            return Value(node)
        args = {name: self.argument(value) for name, value in bound.arguments.items()}
        given = set(args)
        if takes_layer:
            args[positional[0].name] = Arg(callee.code)
            given.add(positional[0].name)
        for name in keyword_only - {"training"}:
            if name in instance.arguments:
                args[name] = self.argument(self.in_call(instance.arguments[name], frame))
                given.add(name)
        flagged = "training" in frame.flags
        if "training" in keyword_only:
            args["training"] = self.training_argument(training, frame)
            given.add("training")
        first = next(iter(bound.arguments.values()), None)
        first_tensor = first.tensor if isinstance(first, Value) else None
        if first is not None and first_tensor is None and isinstance(first, Value) and first.items:
            first_tensor = first.items[0].tensor
        if frame.emit:
            instance.calls.append(dict(bound.arguments))
            if first_tensor is not None:
                instance.inputs.append(first_tensor)
        self.fill_defaults(entry, args)
        found = inline(
            entry.call, args, given=frozenset(given), symbol=instance.symbol, helpers=self.helpers_of(instance)
        )
        if isinstance(found, Residual):
            frame.unit.residual(frame.function, node, instance.symbol, found.reason)
            return Value(node)
        if not flagged and "training" not in names_in(found.code):  # a layer that was made without dropout
            frame.flags.discard("training")
        code = self.accept(found, entry, node, frame)
        stated = bound.arguments | ({"training": training} if training is not None else {})
        self.note_object(instance, stated, frame.unit.span(node), frame)
        return self.layer_result(instance, bound.arguments, code, frame)

    def training_argument(self, training: Value | None, frame: Frame) -> Arg:
        if training is not None and training.known is not None:
            return self.argument(training)
        if frame.mode in ("call", "staged"):
            frame.flags.add("training")
            return Arg(cst.Name("training"))
        return Arg(cst.Name("False"), False)

    def in_call(self, value: Value, frame: Frame) -> Value:
        """A constructor's argument, as code that works where the layer is called."""
        if value.known is not UNKNOWN or frame.spec is None or frame.mode == "plain":
            return value
        if frame.mode == "staged":
            return value
        names = names_in(value.code) & frame.spec_locals
        if not names:
            return value
        code = text(value.code)
        for name, attribute in frame.spec.attributes.items():
            if attribute.special == ("held", code) or (
                isinstance(attribute.special, tuple) and attribute.special == ("held", code)
            ):
                return value.with_code(cst.parse_expression(f"{frame.self_name}.{name}"))
        name = code if code.isidentifier() else "_".join(sorted(names))
        if name in frame.spec.attributes:
            name += "_value"
        frame.spec.attributes[name] = dataclasses.replace(value, special=("held", code))
        self.held.append((frame.spec, name, value.code))
        return value.with_code(cst.parse_expression(f"{frame.self_name}.{name}"))

    def fill_defaults(self, entry: rules.ObjectRule, args: dict[str, Arg]) -> None:
        """Configuration that a call body reads and the constructor was not given."""
        defaults = constructor_signature(entry).parameters
        assert entry.call is not None
        for name, parameter in inspect.signature(entry.call).parameters.items():
            if parameter.kind is parameter.KEYWORD_ONLY and name not in args and name in defaults:
                default = defaults[name].default
                if default is not inspect.Parameter.empty:
                    args[name] = Arg(None, default)
