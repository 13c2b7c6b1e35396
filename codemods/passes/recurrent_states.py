"""States that a recurrent layer or a cell begins with: `self.gru.get_initial_state(x)`."""

from __future__ import annotations

import dataclasses

import libcst as cst

from codemods.passes.frame import Frame
from codemods.passes.masked_modules import MaskedModules
from codemods.passes.modules import LayerInstance
from codemods.passes.values import TensorType, Value, text

_NAME = "get_initial_state"
#: States by class: those of a layer over one cell, and of the cell.
_STATES = {"LSTM": 2, "GRU": 1, "SimpleRNN": 1}
#: `special` of the one state of a layer, which Keras has in a list.
_ALONE = ("only_state",)


class RecurrentStates(MaskedModules):
    """Zeros, as many as the cell has features."""

    def attribute(self, base: Value, node: cst.Attribute, frame: Frame) -> Value:
        if node.attr.value == _NAME and base.layer is not None and _kind(base.layer) is not None:
            return Value(node, special=("method", base, _NAME))
        return super().attribute(base, node, frame)

    def call_method(self, callee: Value, node: cst.Call, frame: Frame) -> Value:
        _, base, name = callee.special
        if name == _NAME and base.layer is not None and _kind(base.layer) is not None:
            return self.first_states(base, node, frame)
        return super().call_method(callee, node, frame)

    def first_states(self, base: Value, node: cst.Call, frame: Frame) -> Value:
        arguments = dict(self.arguments(node, frame) or [])
        given = arguments.pop(None, None) or arguments.pop("inputs", None) or arguments.pop("batch_size", None)
        arguments.pop("batch_size", None)
        if (
            given is None
            or arguments.keys() - {"dtype"}
            or "dtype" in arguments
            and arguments["dtype"].known is not None
        ):
            frame.unit.residual(frame.function, node, _NAME, "`get_initial_state` with these arguments")
            return Value(node)
        kind, is_cell = _kind(base.layer) or ("", False)  # type: ignore[arg-type]
        rank = given.tensor.shape if given.tensor is not None else None
        whole = given.tensor is not None and rank != ()
        batch = f"{text(given.code)}.shape[0]" if whole else text(given.code)
        placed = self.place(base, frame)
        cell = text(placed.code) if is_cell else f"{text(placed.code)}.cell"
        self.unit.imports.add("jnp")
        zeros = cst.parse_expression(f"jnp.zeros(({batch}, {cell}.hidden_features))")
        units = base.layer.arguments.get("units") if base.layer is not None else None
        dims = (self.size_of_batch(given, frame), units.dim if units is not None else None)
        shape = dims if None not in dims else None
        state = Value(zeros, tensor=TensorType(shape, "float32"))
        if _STATES[kind] == 2:
            return Value(cst.List([cst.Element(zeros), cst.Element(zeros)]), items=[state, state])
        if is_cell and not self.unit.keras2:
            return Value(cst.List([cst.Element(zeros)]), items=[state])
        return state if is_cell else dataclasses.replace(state, special=_ALONE)

    def size_of_batch(self, given: Value, frame: Frame) -> object:
        if given.tensor is not None and given.tensor.shape:
            return given.tensor.shape[0]
        if given.dim is not None:
            return given.dim
        symbols = frame.spec.symbols if frame.spec is not None else self.plain_symbols
        return symbols.unknown("batch")

    def _eval_Subscript(self, node: cst.Subscript, frame: Frame) -> Value:
        base = frame.env.get(node.value.value) if isinstance(node.value, cst.Name) else None
        if base is not None and base.special == _ALONE:
            reason = "an element of the list of one state, which the port has without the list: use it as it is"
            frame.unit.residual(frame.function, node, _NAME, reason)
        return super()._eval_Subscript(node, frame)


def _kind(layer: LayerInstance) -> tuple[str, bool] | None:
    """The layer's class, and whether it is a cell; None for other layers."""
    name = layer.symbol.rsplit(".", 1)[1]
    is_cell = name.endswith("Cell")
    kind = name.removesuffix("Cell")
    return (kind, is_cell) if kind in _STATES else None
