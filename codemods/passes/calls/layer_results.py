"""Types of what layers give: by their rules' shape functions, else as the trace shows."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import libcst as cst

from codemods.engine import rule as rules
from codemods.passes import abstract
from codemods.passes.calls.binding import symbols_of
from codemods.passes.calls.layer_constructors import constructor_signature
from codemods.passes.frame import Frame
from codemods.passes.modules import LayerInstance
from codemods.passes.values import TensorType, Value, same_dim, text

#: Layers over several tensors of one shape.
MERGES = frozenset(
    f"tf.keras.layers.{name}" for name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")
)

#: With these, no kernel and no stride gives the size that another one gives, but where all do.
_GUESSES = (("valid", 1), ("valid", 2), ("same", 2), ("same", 10007))


class LayerResults:
    """Shape and dtype of a layer's output."""

    def layer_result(
        self, instance: LayerInstance, inputs: Mapping[str, Any], code: cst.BaseExpression, frame: Frame
    ) -> Value:
        """Type of a layer's output: by the rule's shape function, else as traced."""
        first = next(iter(inputs.values()), None)
        shape = instance.rule.shape
        if instance.rule.kind != "layer":
            return Value(code, tensor=TensorType())
        if "function" in instance.arguments and isinstance(first, Value):
            return self.applied_result(instance, first, frame).with_code(code)
        if shape is None and isinstance(first, Value) and first.tensor is not None:
            return Value(code, tensor=first.tensor)
        if isinstance(first, Value) and first.item is not None:
            joined = self.joined_width(instance.symbol, first, frame)
            if joined is not None:
                return joined.with_code(code)
        try:
            assert shape is not None
            if instance.symbol in MERGES and isinstance(first, Value):
                first = self.unified([first], frame, every=True)(first)
            x = _Shaped.of(first)
            names = inspect.signature(shape).parameters
            config = {}
            for name in list(names)[1:]:
                if name in instance.arguments:
                    config[name] = self.size_argument(instance.arguments[name], frame)
                elif isinstance(inputs.get(name), Value) and inputs[name].tensor is not None:
                    config[name] = _Shaped.of(inputs[name])
                elif isinstance(inputs.get(name), Value):
                    config[name] = abstract.concrete(inputs[name])
                elif name not in constructor_signature(instance.rule).parameters:
                    continue
                elif names[name].default is inspect.Parameter.empty:
                    config[name] = constructor_signature(instance.rule).parameters[name].default
            return self.of_shape(code, shape(x, **config), first)
        except Exception:
            guessed = self.guessed_result(instance, first, frame)
            return guessed.with_code(code) if guessed is not None else self.traced_result(instance, code, frame)

    def guessed_result(self, instance: LayerInstance, first: Any, frame: Frame) -> Value | None:
        """Where part of a layer's configuration is not known: the dims of its output that don't depend on it.

        The rule's shape function is asked with several guesses; what differs between them is left open. A guess is a
        symbol, which differs from everything; or numbers, for a function that wants to know whether it is one or a tuple.
        """
        symbols = symbols_of(frame, self.plain_symbols)
        found = [self.guess(instance, first, padding, None, frame) for padding in ("valid", "same")]
        if any(shape is None for shape in found):
            found = [self.guess(instance, first, padding, number, frame) for padding, number in _GUESSES]
        if any(shape is None or len(shape) != len(found[0]) for shape in found):
            return None
        dims = []
        for each in zip(*found, strict=True):
            dims.append(each[0] if all(same_dim(each[0], d) for d in each) else symbols.unknown("d"))
        return self.of_shape(cst.Name("_"), tuple(dims), first)

    def guess(self, instance: LayerInstance, first: Any, padding: str, number: int | None, frame: Frame) -> Any:
        """The output's shape if all that is not known were this; None where the shape function can't tell."""
        shape, symbols = instance.rule.shape, symbols_of(frame, self.plain_symbols)
        defaults = constructor_signature(instance.rule).parameters
        config: dict[str, Any] = {}
        try:
            assert shape is not None
            for name in list(inspect.signature(shape).parameters)[1:]:
                value = instance.arguments.get(name)
                if value is None:
                    config[name] = defaults[name].default
                    continue
                try:
                    config[name] = self.size_argument(value, frame)
                except abstract.NoShape:
                    guessed = symbols.unknown("guess") if number is None else number
                    config[name] = padding if name == "padding" else guessed
            result = shape(_Shaped.of(first), **config)
        except Exception:
            return None
        if not isinstance(result, tuple) or any(isinstance(dim, tuple | list) for dim in result):
            return None
        return result

    def applied_result(self, instance: LayerInstance, first: Value, frame: Frame) -> Value:
        """Type of what the function of a Lambda layer gives for a tensor."""
        function = instance.arguments["function"].special
        more = instance.arguments["arguments"].mapping if "arguments" in instance.arguments else None
        result = Value(cst.Name("_"), tensor=TensorType())
        if isinstance(function, tuple) and function[0] == "lambda":
            _, node, outer = function
            inner = frame.child(env=dict(outer.env), emit=False, extra=[], prelude=[])
            names = [param.name.value for param in node.params.params]
            inner.env |= {name: value.with_code(cst.Name(name)) for name, value in (more or {}).items()}
            inner.env[names[0]] = first.with_code(cst.Name(names[0]))
            residuals = list(self.unit.residuals)
            result = self.eval(node.body, inner)  # type: ignore[attr-defined]
            self.unit.residuals[:] = residuals
        elif isinstance(function, tuple) and function[0] == "function":
            arguments = [(None, first), *(more or {}).items()]
            result = self.plain_result(function[1], arguments, frame)  # type: ignore[attr-defined]
        if result.tensor is not None and result.tensor.shape is not None:
            return Value(result.code, tensor=result.tensor)
        given = instance.arguments.get("output_shape")
        dims = self.shape_dims(given, frame) if given is not None and frame.spec is not None else None  # type: ignore[attr-defined]
        if dims is not None and frame.spec is not None:
            return Value(result.code, tensor=TensorType((frame.spec.symbols.unknown("batch"), *dims), "float32"))
        return self.traced_result(instance, result.code, frame)

    def size_argument(self, value: Value, frame: Frame) -> Any:
        """As `concrete_argument`; code of the constructor that gives a number stands for itself."""
        try:
            return self.concrete_argument(value)
        except abstract.NoShape:
            called = isinstance(value.code, cst.Call) and value.layer is None and value.items is None
            if not called or value.is_tensor or frame.spec is None or frame.mode != "staged":
                raise
            return frame.spec.symbols.of_code(text(value.code))

    def concrete_argument(self, value: Value) -> Any:
        """A constructor argument for a shape function."""
        if value.wrapped is None or value.layer is None:
            return abstract.concrete(value)
        arguments = {
            name: parameter.default
            for name, parameter in constructor_signature(value.layer.rule).parameters.items()
            if parameter.default is not inspect.Parameter.empty
        }
        for name, argument in value.layer.arguments.items():
            try:
                arguments[name] = self.concrete_argument(argument)
            except abstract.NoShape:
                continue
        return rules.Wrapped(value.layer.rule, arguments)

    def of_shape(self, code: cst.BaseExpression, shape: Any, first: Any) -> Value:
        dtype = first.tensor.dtype if isinstance(first, Value) and first.tensor else None
        dtype = dtype if dtype in ("float32", "bfloat16", "float16", "float64") else "float32"
        if isinstance(shape, list) or (isinstance(shape, tuple) and shape and isinstance(shape[0], tuple | list)):
            parts = [self.of_shape(code, part, first) for part in shape]
            return Value(code, items=parts)
        return Value(code, tensor=TensorType(tuple(shape), dtype))

    def traced_result(self, instance: LayerInstance, code: cst.BaseExpression, frame: Frame) -> Value:
        entries = frame.unit.trace.made_under(instance.span)
        ranks = set()
        for entry in entries:
            for call in entry.get("calls", ()):
                outputs = call.get("outputs")
                if isinstance(outputs, Mapping) and "shape" in outputs:
                    ranks.add(len(outputs["shape"]))
        if len(ranks) != 1 or frame.spec is None:
            return Value(code, tensor=TensorType())
        rank = ranks.pop()
        dims = tuple(frame.spec.symbols.unknown("d") for _ in range(rank))
        width = instance.arguments.get("units", instance.arguments.get("filters"))
        if width is not None and width.dim is not None:
            dims = (*dims[:-1], width.dim)
        return Value(code, tensor=TensorType(dims, "float32"))


class _Shaped:
    """Stands for an input in a rule's shape function."""

    def __init__(self, shape: Any):
        self.shape = shape

    @staticmethod
    def of(value: Any) -> Any:
        if isinstance(value, Value) and value.tensor is not None and value.tensor.shape is not None:
            return _Shaped(value.tensor.shape)
        if isinstance(value, Value) and value.items:
            return [_Shaped.of(item) for item in value.items]
        raise abstract.NoShape
