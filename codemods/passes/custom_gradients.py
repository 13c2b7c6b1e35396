"""`tf.custom_gradient`: JAX has a decorator of the same form."""

from __future__ import annotations

import libcst as cst

from codemods.engine.handled import handled
from codemods.passes.frame import Frame
from codemods.passes.hosting import Hosting
from codemods.passes.placing.staging import Staged
from codemods.passes.values import Value

_CUSTOM = handled(
    "tf.custom_gradient",
    becomes="jax.custom_gradient",
    only="on functions, not on methods",
    shows="@jax.custom_gradient",
    sample="""
    @SYMBOL
    def clipped(x):
        def grad(dy):
            return tf.clip_by_value(dy, -1.0, 1.0)

        return tf.identity(x), grad

    class Block(tf.keras.layers.Layer):
        def call(self, x):
            @SYMBOL
            def doubled(y):
                return y, lambda dy: 2.0 * dy

            return doubled(clipped(x))
    """,
)
_NEW = "jax.custom_gradient"


class CustomGradients(Hosting):
    """Functions that give their result and a function for its gradient."""

    def decorator(self, node: cst.Decorator, function: cst.FunctionDef, name: str) -> cst.Decorator | None:
        if self.unit.symbol(node.decorator) in _CUSTOM and "." not in name:
            self.unit.imports.add("jax")
            return node.with_changes(decorator=cst.parse_expression(_NEW))
        return super().decorator(node, function, name)

    def _exec_FunctionDef(self, node: cst.FunctionDef, frame: Frame) -> Staged:
        decorators = [
            d.with_changes(decorator=cst.parse_expression(_NEW)) if self.unit.symbol(d.decorator) in _CUSTOM else d
            for d in node.decorators
        ]
        if any(new is not old for new, old in zip(decorators, node.decorators, strict=True)):
            self.unit.imports.add("jax")
            node = node.with_changes(decorators=decorators)
        return super()._exec_FunctionDef(node, frame)

    def call_symbol(self, symbol: str, node: cst.Call, frame: Frame) -> Value:
        if symbol in _CUSTOM and len(node.args) == 1:
            self.unit.imports.add("jax")
            value = self.eval(node.args[0].value, frame)
            return Value(cst.Call(cst.parse_expression(_NEW), [cst.Arg(value.code)]))
        return super().call_symbol(symbol, node, frame)
