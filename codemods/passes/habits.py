"""Habits of Keras code that say by position what Flax says by name."""

from __future__ import annotations

import inspect
from typing import Any

import libcst as cst

from codemods.passes.frame import Frame
from codemods.passes.training_overrides import Overrides
from codemods.passes.values import Value, text


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
            second = arguments[1][1] if given[:2] == [None, None] else None
            if moded and second is not None and "training" not in given and (len(positional) == 2 or _is_mode(second)):
                arguments = [arguments[0], ("training", arguments[1][1]), *arguments[2:]]
        return super().call_layer(callee, arguments, node, frame)


def _is_mode(value: Value) -> bool:
    """Can this be nothing but the mode? A mask is a tensor."""
    return value.known is True or value.known is False or text(value.code) in ("training", "is_training")
