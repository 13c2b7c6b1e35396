"""Evaluates calls: rules, layers, ported modules, the user's own functions."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import libcst as cst

from codemods.engine import rule as rules
from codemods.engine.handled import handled
from codemods.passes.calls.binding import Binding
from codemods.passes.calls.differences import Differences
from codemods.passes.calls.inputs import Argument
from codemods.passes.calls.jax_calls import JaxCalls
from codemods.passes.calls.layer_calls import LayerCalls
from codemods.passes.calls.layer_constructors import LayerConstructors
from codemods.passes.calls.layer_results import LayerResults
from codemods.passes.calls.module_calls import ModuleCalls
from codemods.passes.calls.module_results import ModuleResults
from codemods.passes.calls.rule_calls import RuleCalls
from codemods.passes.calls.rule_results import RuleResults
from codemods.passes.calls.unseen import ELEMENTWISE, UnseenCalls
from codemods.passes.frame import Frame
from codemods.passes.models.closures import CURRIED
from codemods.passes.models.given import GIVEN, GIVEN_OR_NONE
from codemods.passes.values import UNKNOWN, Value, text
from codemods.policy.lookup import reason

if TYPE_CHECKING:
    from codemods.passes.unit import Unit


class Calls(
    Binding,
    Differences,
    JaxCalls,
    UnseenCalls,
    RuleCalls,
    RuleResults,
    LayerConstructors,
    LayerCalls,
    LayerResults,
    ModuleCalls,
    ModuleResults,
):
    """Tells calls apart. `unit` and the other kinds of expressions come from the classes that extend this one."""

    unit: Unit

    annotations = handled(
        "tf.Tensor",
        "tf.Variable",
        "tf.types.experimental.TensorLike",
        becomes="jax.Array",
        only="in type tests",
        shows="isinstance(x, jax.Array)",
        sample="""
        def f(x):
            return tf.abs(x) if isinstance(x, SYMBOL) else x
        """,
    )

    handlers: Mapping[str, Any] = {}

    def _eval_Call(self, node: cst.Call, frame: Frame) -> Value:
        if _is_super(node.func):
            return self.call_super(node, frame)
        callee = self.eval_raw(node.func, frame)  # type: ignore[attr-defined]
        if callee.symbol is not None:
            return self.call_symbol(callee.symbol, node, frame)
        if callee.layer is not None:
            return self.call_layer(callee, self.arguments(node, frame), node, frame)
        if callee.module is not None:
            return self.call_module(callee, self.arguments(node, frame), node, frame)
        if isinstance(callee.special, tuple):
            kind = callee.special[0]
            if kind == "method":
                return self.call_method(callee, node, frame)
            if kind == "class":
                return self.call_class(callee.special[1], node, frame)
            if kind == "function":
                return self.call_function(callee.special[1], node, frame)
            if kind in (GIVEN, GIVEN_OR_NONE):
                return self.call_given(callee, node, frame)
            if kind == INITIALIZER:
                return self.call_initializer(callee, node, frame)
            if kind == CURRIED:
                return self.second_call(callee, node, frame)
            if kind == "self_method":
                return self.call_self_method(callee.special[1], node, frame)
        if callee.special is not None and not isinstance(callee.special, tuple):
            handled = self.call_special(callee, node, frame)
            if handled is not None:
                return handled
        return self.plain_call(callee, node, frame)

    def call_super(self, node: cst.Call, frame: Frame) -> Value:
        """`super().METHOD(...)`: of a framework class it has no counterpart."""
        assert isinstance(node.func, cst.Attribute)
        name = node.func.attr.value
        if name in ("__init__", "build", "__setattr__"):
            return Value(node, special="dropped")
        frame.unit.residual(frame.function, node, f"super().{name}", f"`super().{name}` of the framework's base class")
        return Value(node)

    def arguments(self, node: cst.Call, frame: Frame) -> list[Argument] | None:
        """Evaluated arguments; None (and a residual) when there are starred ones that can't be placed."""
        found: list[Argument] = []
        for arg in node.args:
            value = self.eval(arg.value, frame)  # type: ignore[attr-defined]
            if arg.star == "*" and value.items is not None:
                found.extend((None, item) for item in value.items)
            elif arg.star:
                frame.unit.residual(
                    frame.function,
                    arg,
                    self.unit.symbol(node.func) or text(arg.value),
                    f"`{arg.star}{text(arg.value)}`: which arguments these are is not known",
                )
                return None
            else:
                found.append((arg.keyword.value if arg.keyword else None, self.read_variable(value)))
        return found

    def read_variable(self, value: Value) -> Value:
        """A variable handed to a function: its array, `self.w[...]`."""
        if value.special != "variable" or not isinstance(value.code, cst.Attribute | cst.Name | cst.Subscript):
            return value
        whole = cst.Subscript(value.code, [cst.SubscriptElement(cst.Index(cst.Ellipsis()))])
        return dataclasses.replace(value, code=whole, special=None)

    def call_symbol(self, symbol: str, node: cst.Call, frame: Frame) -> Value:
        handler = self.handlers.get(symbol)
        if handler is not None:
            return handler(self, symbol, node, frame)
        if symbol in rules.OBJECTS:
            return self.make_object(rules.OBJECTS[symbol], symbol, node, frame)
        if symbol in rules.RULES:
            arguments = self.arguments(node, frame)
            if arguments is None:
                return Value(node)
            value = self.apply_rule(rules.RULES[symbol], symbol, arguments, node, frame)
            return dataclasses.replace(value, special=ELEMENTWISE) if symbol in ELEMENTWISE_MAKERS else value
        for arg in node.args:
            self.eval(arg.value, frame)  # type: ignore[attr-defined]  # its residuals are listed too
        frame.unit.residual(frame.function, node, symbol, reason(symbol))
        return Value(node)

    def drop_trial(self, function: str, residuals: list[Any], imports: set[str]) -> None:
        """Forgets what a trial evaluation of `function` reported; what it found out of others stays."""
        kept = [entry for entry in self.unit.residuals if entry in residuals or entry[0] != function]
        self.unit.residuals[:] = kept
        self.unit.imports = imports | self.unit.imports

    def import_names(self, code: cst.CSTNode) -> set[str]:
        found: set[str] = set()

        class Collect(cst.CSTVisitor):
            def visit_Name(self, node: cst.Name) -> None:
                if node.value in rules.IMPORTS:
                    found.add(node.value)

        code.visit(Collect())
        return found

    def constant_of(self, symbol: str) -> Any:
        code = rules.CONSTANTS[symbol]
        if code.startswith("jnp."):
            dtype = getattr(jnp, code.removeprefix("jnp."), None)
            try:
                return str(jnp.dtype(dtype)) if dtype is not None else UNKNOWN
            except TypeError:
                return UNKNOWN
        try:
            return eval(code, {})
        except Exception:
            return UNKNOWN

    def callable_of(self, symbol: str) -> Any:
        return UNKNOWN


#: `special[0]` of a function that makes weights: (key, shape, dtype) in Flax.
INITIALIZER = "initializer"
ELEMENTWISE_MAKERS = frozenset({"tf.keras.activations.get", "tf.keras.activations.deserialize"})


def _is_super(node: cst.BaseExpression) -> bool:
    return (
        isinstance(node, cst.Attribute) and isinstance(node.value, cst.Call)
        and isinstance(node.value.func, cst.Name) and node.value.func.value == "super"
    )  # fmt: skip
