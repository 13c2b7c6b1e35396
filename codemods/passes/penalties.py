"""Penalties that layers are given: `kernel_regularizer=` and its like.

A weight carries its penalty in its metadata (`kernel_metadata={"penalty": l2_penalty(1e-4)}`), and the file gets
a function `penalties(model)` for their sum; `training_penalties.py` puts it where Keras adds it to a loss.
"""

from __future__ import annotations

import dis
import inspect

import libcst as cst

from codemods.engine import rule as rules
from codemods.mappings.keras_regularizers import penalties
from codemods.passes.frame import Frame
from codemods.passes.unreached import Unreached
from codemods.passes.values import Value


def reads(rule: rules.ObjectRule, name: str) -> bool:
    """Does the body of `make` read a parameter? Those that it does not read are settled for all layers alike."""
    loads = (i.argval for i in dis.get_instructions(rule.make) if i.opname.startswith("LOAD_FAST")) if rule.make else ()
    return name in loads


class Penalised(Unreached):
    """Layers with penalties."""

    def common(
        self, name: str | None, value: Value, signature: inspect.Signature, symbol: str, node: cst.Call, frame: Frame
    ) -> bool:
        if name is None or not name.endswith("_regularizer") or not reads(rules.OBJECTS[symbol], name):
            return super().common(name, value, signature, symbol, node, frame)
        if value.known is not None:
            helper = penalties.__name__
            if helper not in self.unit.helpers:
                self.unit.note(node, f"weights carry their penalties in their metadata; `{helper}(model)` is the sum")
            self.unit.helpers[helper] = penalties
            self.unit.imports |= {"jax", "jnp", "nnx"}
        return False
