"""Evaluates expressions: new code and abstract value, in one walk."""

from __future__ import annotations

import dataclasses

import libcst as cst

from codemods.engine import rule as rules
from codemods.engine.outcome import Rewritten
from codemods.engine.template import reference
from codemods.passes.calls.calls import Calls
from codemods.passes.expressions.attributes import Attributes
from codemods.passes.expressions.comprehensions import Comprehensions
from codemods.passes.expressions.literals import Literals
from codemods.passes.expressions.operators import Operators
from codemods.passes.expressions.parts import keep_parens, map_children
from codemods.passes.expressions.subscripts import Subscripts
from codemods.passes.expressions.width_lists import WidthLists, Widths
from codemods.passes.frame import Frame
from codemods.passes.values import Value
from codemods.policy.lookup import reason

CONSTANT_NAMES = {"True": True, "False": False, "None": None}


class Expressions(WidthLists, Attributes, Literals, Operators, Subscripts, Comprehensions, Calls):
    """Evaluation of every kind of expression."""

    def eval(self, node: cst.BaseExpression, frame: Frame) -> Value:
        """The value of an expression that stays in the code: framework names in it are replaced."""
        return self.materialise(self.eval_raw(node, frame), node, frame)

    def eval_raw(self, node: cst.BaseExpression, frame: Frame) -> Value:
        """As `eval`, but a bare framework name is left for the caller to use."""
        method = getattr(self, f"_eval_{type(node).__name__}", None)
        value = method(node, frame) if method else self._generic(node, frame)
        return value

    def materialise(self, value: Value, node: cst.BaseExpression, frame: Frame) -> Value:
        """Code for a framework name that is used as a value (a dtype, a function handed on)."""
        symbol = value.symbol
        if symbol is None:
            return value
        if symbol in rules.CONSTANTS:
            code = cst.parse_expression(rules.CONSTANTS[symbol])
            self.unit.imports |= self.import_names(code)
            return dataclasses.replace(value, code=code, symbol=None, known=self.constant_of(symbol))
        if symbol in rules.RULES:
            found = reference(rules.RULES[symbol])
            if isinstance(found, Rewritten):
                self.unit.imports |= found.imports
                return dataclasses.replace(value, code=found.code, symbol=None, known=self.callable_of(symbol))
            frame.unit.residual(frame.function, node, symbol, found.reason)
            return Value(node)
        if symbol in self.annotations:
            self.unit.imports |= {"jax"}
            return Value(cst.parse_expression("jax.Array"))
        frame.unit.residual(frame.function, node, symbol, reason(symbol))
        return Value(node)

    def _eval_Name(self, node: cst.Name, frame: Frame) -> Value:
        name = node.value
        if name in CONSTANT_NAMES:
            return Value(node, known=CONSTANT_NAMES[name])
        if name in frame.env:
            value = frame.env[name]
            if frame.as_init and value.dim is not None and value.is_tensor:
                return self.dim_code(value, node, frame)
            if frame.as_init and isinstance(value.special, Widths):
                return Value(cst.parse_expression(value.special.code))
            if frame.as_init and value.items and all(item.tensor is not None for item in value.items):
                return self.width_list(value, frame)
            return dataclasses.replace(value, code=keep_parens(value.code, node))
        inner = self.enclosing(name, frame)
        if inner is not None:
            return Value(node, special=("function", inner))
        symbol = self.unit.symbol(node)
        if symbol is not None:
            return Value(node, symbol=symbol)
        if name in self.unit.globals:
            return self.unit.globals[name].with_code(node)
        if name in self.unit.classes:
            return Value(node, special=("class", name))
        if name in self.unit.functions:
            return Value(node, special=("function", name))
        return Value(node)

    def _eval_NamedExpr(self, node: cst.NamedExpr, frame: Frame) -> Value:
        value = self.eval(node.value, frame)
        if isinstance(node.target, cst.Name):
            frame.env[node.target.value] = value.with_code(node.target)
        return value.with_code(node.with_changes(value=value.code))

    def _generic(self, node: cst.BaseExpression, frame: Frame) -> Value:
        """Any other expression: its parts are rewritten, nothing is known of the whole."""
        staged = False

        def rewrite(child: cst.CSTNode) -> cst.CSTNode:
            nonlocal staged
            if isinstance(child, cst.BaseExpression):
                value = self.eval(child, frame)
                staged = staged or value.is_tensor
                return value.code
            return map_children(child, rewrite)

        return Value(map_children(node, rewrite), staged=staged)
