"""Habits of Keras code that say by position what Flax says by name."""

from __future__ import annotations

import inspect
from typing import Any

import libcst as cst

from codemods.passes.frame import Frame
from codemods.passes.training_overrides import Overrides
from codemods.passes.values import Value


class Habits(Overrides):
    """Calls in Keras's order of arguments."""

    def call_layer(self, callee: Value, arguments: Any, node: cst.Call, frame: Frame) -> Value:
        """`dropout(x, training)`: the second argument of a layer with one input is the mode."""
        layer = callee.layer
        call = layer.rule.call if layer is not None and layer.rule.kind == "layer" else None
        if arguments and call is not None:
            kinds = inspect.signature(call).parameters.values()
            positional = [p for p in kinds if p.kind is not p.KEYWORD_ONLY]
            moded = any(p.name == "training" for p in kinds if p.kind is p.KEYWORD_ONLY)
            given = [name for name, _ in arguments]
            if moded and len(positional) == 2 and given[:2] == [None, None] and "training" not in given:
                arguments = [arguments[0], ("training", arguments[1][1]), *arguments[2:]]
        return super().call_layer(callee, arguments, node, frame)
