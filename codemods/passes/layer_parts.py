"""What a framework layer has beside its call: weights, by the names that Flax gives them; the rest is listed."""

from __future__ import annotations

from typing import Any

import libcst as cst

from codemods.engine import rule as rules
from codemods.passes.frame import Frame
from codemods.passes.functional_classes import FunctionalClasses
from codemods.passes.names import read_names
from codemods.passes.training_values import Model, Tracker
from codemods.passes.values import TensorType, Value, text

#: Attributes of a constructor's arguments that layers keep in Flax, too.
_KEPT = frozenset({"trainable"})


class LayerParts(FunctionalClasses):
    """Attributes and methods of layers, copies of weights between models."""

    def attribute(self, base: Value, node: cst.Attribute, frame: Frame) -> Value:
        layer, name = base.layer, node.attr.value
        if layer is None or layer.rule.kind != "layer" or isinstance(base.special, Tracker) or name in _KEPT:
            return super().attribute(base, node, frame)
        found = layer.rule.weights.get(name)
        weight = found if isinstance(found, rules.Weight) else None
        if weight is None or weight.steps:
            given = layer.arguments.get(name)
            if given is not None and (frame.mode == "init" or given.known is not None and not read_names(given.code)):
                return given
            kind = "a weight that Flax keeps in another form" if found is not None else "Keras's own, of its layers"
            reason = f"`.{name}` of {layer.symbol}: {kind}"
            frame.unit.residual(frame.function, node, f"{layer.symbol}.{name}", reason)
            return Value(node, special=("method", base, name))
        placed = self.place(base, frame)
        code = cst.parse_expression(f"{text(placed.code)}.{weight.target}")
        return Value(code, tensor=TensorType(), special="variable", staged=True)

    def model_method(self, base: Value, name: str, node: cst.Call, frame: Frame) -> Value | None:
        """`a.set_weights(b.get_weights())` copies; weights as a list of arrays have no counterpart."""
        if name == "set_weights" and len(node.args) == 1:
            given: Any = node.args[0].value
            if (
                isinstance(given, cst.Call)
                and isinstance(given.func, cst.Attribute)
                and given.func.attr.value == "get_weights"
            ):
                source = self.eval(given.func.value, frame)
                if source.module is not None or isinstance(source.special, Model):
                    self.unit.imports.add("nnx")
                    state = f"nnx.state({text(source.code)}, nnx.Not(nnx.RngState))"
                    return Value(cst.parse_expression(f"nnx.update({text(base.code)}, {state})"))
        if name in ("get_weights", "set_weights"):
            reason = "weights as a list of arrays: nnx.state(model) is a tree of them, by their names"
            frame.unit.residual(frame.function, node, f"Model.{name}", reason)
            return Value(node)
        return super().model_method(base, name, node, frame)
