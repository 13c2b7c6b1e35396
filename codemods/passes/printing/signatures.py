"""Annotations and defaults of parameters: names of the framework in them get their counterparts."""

from __future__ import annotations

from typing import Any

import libcst as cst

from codemods.engine import rule as rules
from codemods.engine.handled import handled
from codemods.engine.outcome import Rewritten
from codemods.engine.template import reference
from codemods.passes.unit import Unit

_TENSORS = handled(
    "tf.Tensor",
    "tf.types.experimental.TensorLike",
    "tf.Variable",
    becomes="jax.Array",
    only="in annotations",
    shows="jax.Array",
    sample="""
    def f(x: SYMBOL) -> SYMBOL:
        return tf.abs(x)
    """,
)
_MODULES = handled(
    "tf.keras.Model",
    "tf.keras.Sequential",
    "tf.keras.layers.Layer",
    "tf.Module",
    becomes="nnx.Module",
    only="in annotations",
    shows="nnx.Module",
    sample="""
    def f(model: SYMBOL, x):
        return tf.abs(model(x))
    """,
)
_OPTIMIZERS = handled(
    "tf.keras.optimizers.Optimizer",
    becomes="nnx.Optimizer",
    only="in annotations",
    shows="nnx.Optimizer",
    sample="""
    def f(optimizer: SYMBOL, x):
        return tf.abs(x), optimizer
    """,
)
_DTYPES = handled(
    "tf.DType",
    becomes="jnp.dtype",
    only="in annotations",
    shows="jnp.dtype",
    sample="""
    def f(x, dtype: SYMBOL):
        return tf.abs(x), dtype
    """,
)
_CODE = {
    **dict.fromkeys(_TENSORS, "jax.Array"),
    **dict.fromkeys(_MODULES, "nnx.Module"),
    **dict.fromkeys(_OPTIMIZERS, "nnx.Optimizer"),
    "tf.TensorShape": "tuple[int, ...]",
    **dict.fromkeys(_DTYPES, "jnp.dtype"),
}


def with_signatures(node: cst.CSTNode, unit: Unit) -> Any:
    """A ported definition, with the annotations and defaults that still name the framework replaced.

    An annotation without a counterpart is left out: it says nothing about what the code does.
    """
    return node.visit(_Signatures(unit))


class _Signatures(cst.CSTTransformer):
    def __init__(self, unit: Unit):
        self.unit = unit

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:
        return updated_node.with_changes(returns=self._annotation(updated_node.returns))

    def leave_Param(self, original_node: cst.Param, updated_node: cst.Param) -> cst.Param:
        default = updated_node.default
        if default is not None:
            default = self._default(default)
        return updated_node.with_changes(annotation=self._annotation(updated_node.annotation), default=default)

    def leave_AnnAssign(self, original_node: cst.AnnAssign, updated_node: cst.AnnAssign) -> cst.BaseSmallStatement:
        annotation = self._annotation(updated_node.annotation)
        if annotation is not None:
            return updated_node.with_changes(annotation=annotation)
        if updated_node.value is None:
            return cst.Pass()
        return cst.Assign([cst.AssignTarget(updated_node.target)], updated_node.value)

    def _annotation(self, node: cst.Annotation | None) -> cst.Annotation | None:
        if node is None:
            return None
        replace = _Replace(self.unit)
        new = node.annotation.visit(replace)
        if replace.unknown:
            return None
        return node.with_changes(annotation=new)

    def _default(self, node: cst.BaseExpression) -> cst.BaseExpression:
        symbol = self.unit.module_symbol(node)
        if symbol in rules.CONSTANTS:
            return cst.parse_expression(rules.CONSTANTS[symbol])
        if symbol in rules.RULES:
            found = reference(rules.RULES[symbol])
            if isinstance(found, Rewritten):
                return found.code
        return node


class _Replace(cst.CSTTransformer):
    """Replaces the framework's names in an annotation; notes whether one has no counterpart."""

    def __init__(self, unit: Unit):
        self.unit = unit
        self.unknown = False

    def visit_Attribute(self, node: cst.Attribute) -> bool:
        return self.unit.module_symbol(node) is None

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.BaseExpression:
        return self._leave(original_node, updated_node)

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        return self._leave(original_node, updated_node)

    def _leave(self, original: cst.BaseExpression, updated: cst.BaseExpression) -> cst.BaseExpression:
        symbol = self.unit.module_symbol(original)
        if symbol is None:
            return updated
        code = _CODE.get(symbol) or rules.CONSTANTS.get(symbol)
        self.unknown = self.unknown or code is None
        return updated if code is None else cst.parse_expression(code)
