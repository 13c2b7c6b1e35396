"""Partially evaluates rule bodies: `if` over known values, macros, and code for the rest.

A body is interpreted as LibCST, so that what it prints is as its author laid it out. An argument
whose value is not known is a *hole* in that code, a name that no user has; `placement.py` fills the
holes, which is where evaluation order and parentheses are seen to.
"""

from __future__ import annotations

import functools
import inspect
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

import libcst as cst

from codemods.engine.calls import Calls
from codemods.engine.state import State
from codemods.engine.values import DYNAMIC, Items, Known, Stop, Value, evaluated

_print = cst.Module([]).code_for_node


class _OneLine(cst.CSTTransformer):
    """Joins the lines of expressions: where a rewrite is broken into lines depends on its own length."""

    def leave_ParenthesizedWhitespace(
        self, original_node: cst.ParenthesizedWhitespace, updated_node: cst.ParenthesizedWhitespace
    ) -> cst.SimpleWhitespace:
        return cst.SimpleWhitespace(" ")

    def leave_LeftParen(self, original_node: cst.LeftParen, updated_node: cst.LeftParen) -> cst.LeftParen:
        return cst.LeftParen()

    def leave_RightParen(self, original_node: cst.RightParen, updated_node: cst.RightParen) -> cst.RightParen:
        return cst.RightParen()

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:
        args = list(updated_node.args)
        if args:
            bare = cst.SimpleWhitespace("")
            args[-1] = args[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT, whitespace_after_arg=bare)
        return updated_node.with_changes(args=args, whitespace_before_args=cst.SimpleWhitespace(""))

    def leave_List(self, original_node: cst.List, updated_node: cst.List) -> cst.List:
        elements = list(updated_node.elements)
        if elements:
            elements[-1] = elements[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        return updated_node.with_changes(
            elements=elements, lbracket=cst.LeftSquareBracket(), rbracket=cst.RightSquareBracket()
        )

    def leave_Tuple(self, original_node: cst.Tuple, updated_node: cst.Tuple) -> cst.Tuple:
        elements = list(updated_node.elements)
        if len(elements) > 1:
            elements[-1] = elements[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        return updated_node.with_changes(elements=elements)


@functools.cache
def parsed(function: Callable[..., Any]) -> cst.FunctionDef:
    """The definition of a rule body."""
    source = textwrap.dedent(inspect.getsource(inspect.unwrap(function)))
    for node in cst.parse_module(source).body:
        if isinstance(node, cst.FunctionDef):
            return node.visit(_OneLine())  # type: ignore[return-value]
    raise ValueError(f"{function} has no definition to read")


def default_code(function: Callable[..., Any], name: str) -> cst.BaseExpression | None:
    """A parameter's default as its author wrote it (`1e-3`), if that is a literal."""
    params = parsed(function).params
    for param in (*params.posonly_params, *params.params, *params.kwonly_params):
        if param.name.value == name and param.default is not None and evaluated(param.default) is not DYNAMIC:
            return param.default
    return None


def run(state: State, function: Callable[..., Any], env: dict[str, Value]) -> Value:
    """The value of a body's `return`."""
    found = Frame(state, function, env).block(parsed(function).body)
    return Known(None) if found is None else found


class Frame(Calls):
    """The evaluation of one body."""

    def block(self, suite: cst.BaseSuite) -> Value | None:
        """Runs statements; the value of the `return` reached, None if there is none."""
        if isinstance(suite, cst.SimpleStatementSuite):
            return self.line(suite.body)
        for statement in suite.body:
            if isinstance(statement, cst.If):
                taken = self.truth(statement.test)
                branch = statement.body if taken else statement.orelse
                while isinstance(branch, cst.If):
                    branch = branch.body if self.truth(branch.test) else branch.orelse
                found = self.block(branch.body if isinstance(branch, cst.Else) else branch) if branch else None
                if found is not None:
                    return found
            elif isinstance(statement, cst.SimpleStatementLine):
                found = self.line(statement.body)
                if found is not None:
                    return found
            else:
                raise Stop(f"a rule's body can't hold {type(statement).__name__}")
        return None

    def line(self, statements: Sequence[cst.BaseSmallStatement]) -> Value | None:
        """Runs the statements of one line."""
        for small in statements:
            match small:
                case cst.Return():
                    return self.eval(small.value) if small.value else Known(None)
                case cst.Assign(targets=[cst.AssignTarget(target=target)]):
                    self.assign(target, self.eval(small.value))
                case cst.Expr():
                    if not isinstance(small.value, cst.BaseString):
                        self.eval(small.value)
                case cst.Pass():
                    pass
                case _:
                    raise Stop(f"`{_print(small)}` can't be evaluated in a rule's body")
        return None

    def assign(self, target: cst.BaseExpression, value: Value) -> None:
        if isinstance(target, cst.Name):
            self.env[target.value] = self.named(target.value, value)
            return
        if not isinstance(target, (cst.Tuple, cst.List)):
            raise Stop(f"`{_print(target)}` can't be assigned in a rule's body")
        parts = self.unpacked(value, len(target.elements))
        for element, part in zip(target.elements, parts, strict=True):
            self.assign(element.value, part)

    def truth(self, test: cst.BaseExpression) -> bool:
        value = self.eval(test)
        match value:
            case Known():
                return bool(value.value)
            case Items():
                return bool(value.items)
        raise Stop(f"the rule has to know whether `{_print(test)}`, which the source does not tell")
