"""Calls that a rule rewrites: arguments bound, the body inlined, its imports and helpers taken over."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from types import FunctionType
from typing import Any

import jax
import libcst as cst

from codemods.engine import rule as rules
from codemods.engine.outcome import Residual, Rewritten
from codemods.engine.template import DYNAMIC, Arg, inline
from codemods.engine.walk import names_in
from codemods.passes.calls.inputs import Argument
from codemods.passes.calls.lambdas import ReplaceName, applied
from codemods.passes.frame import Frame
from codemods.passes.values import UNKNOWN, Value

#: Kinds of values that are functions.
_FUNCTIONS = frozenset({"function", "lambda", "local_function", "self_method", "class", "initializer", "given"})


class RuleCalls:
    """Rewrites by rules."""

    def bind(
        self, signature: inspect.Signature, arguments: Sequence[Argument], what: str, node: cst.CSTNode, frame: Frame
    ) -> inspect.BoundArguments | None:
        names = [name for name, _ in arguments if name is not None]
        if len(set(names)) != len(names):
            frame.unit.residual(frame.function, node, what, "an argument is given twice")
            return None
        try:
            return signature.bind(
                *[value for name, value in arguments if name is None],
                **{name: value for name, value in arguments if name},
            )
        except TypeError as error:
            frame.unit.residual(frame.function, node, what, f"the call does not fit the signature of {what}: {error}")
            return None

    def apply_rule(
        self, entry: rules.Rule, symbol: str, arguments: Sequence[Argument], node: cst.BaseExpression, frame: Frame
    ) -> Value:
        bound = self.bind(entry.signature, arguments, symbol, node, frame)
        if bound is None:
            return Value(node)
        args = {name: self.argument(value) for name, value in bound.arguments.items()}
        for value in bound.arguments.values():
            for part in value if isinstance(value, tuple) else (value,):
                self.escape(part)
        taken = frozenset(frame.env)
        found = inline(entry.function, args, given=frozenset(args), symbol=symbol, taken=taken, helpers=entry.helpers)
        if isinstance(found, Residual):
            frame.unit.residual(frame.function, node, symbol, found.reason)
            return Value(node)
        code = self.accept(found, entry, node, frame)
        self.note_rule(entry, symbol, bound.arguments, frame.unit.span(node), frame)  # type: ignore[attr-defined]
        flat: dict[str, Value] = {}
        for name, value in bound.arguments.items():
            parts = value if isinstance(value, tuple) else (value,)
            flat |= {name if part is value else f"{name}_{i}": part for i, part in enumerate(parts)}
        return self.rule_value(entry, flat, code, frame, bound)

    def accept(self, found: Rewritten, entry: Any, node: cst.CSTNode, frame: Frame) -> cst.BaseExpression:
        """Takes over a rewrite: its imports, prelude and notes; returns the code."""
        frame.unit.imports |= found.imports
        frame.prelude.extend(found.prelude)
        for note in found.notes:
            frame.unit.note(node, note)
        self.accept_helpers(found, entry)
        code = applied(found.code)
        if "rngs" in names_in(code):
            code = self.with_rngs(code, frame)
        return code

    def with_rngs(self, code: cst.BaseExpression, frame: Frame) -> cst.BaseExpression:
        """Points the free name `rngs` at where keys come from here."""
        frame.flags.add("rngs")
        if (
            frame.spec is not None
            and frame.self_name is not None
            and frame.mode in ("call", "staged")
            and not frame.as_init
        ):
            frame.spec.random = True
            new = cst.parse_expression(f"{frame.self_name}.rngs")
            return code.visit(ReplaceName("rngs", new))  # type: ignore[return-value]
        return code

    def argument(self, value: Value) -> Arg:
        if isinstance(value, tuple):
            return Arg(
                cst.Tuple([cst.Element(item.code) for item in value]), items=[self.argument(item) for item in value]
            )
        if isinstance(value, dict):
            return Arg(cst.Name("None"), None)
        if value.layer is not None and value.wrapped is not None:
            return Arg(value.code, value.wrapped)
        known = value.known if value.known is not UNKNOWN else DYNAMIC
        items = [self.argument(item) for item in value.items] if value.items is not None and known is DYNAMIC else None
        tensor = value.tensor
        if tensor is not None:
            rank = len(tensor.shape) if tensor.shape is not None else None
            return Arg(value.code, type=jax.Array, ndim=rank, dtype=tensor.dtype)
        kind: type | None = int if known is DYNAMIC and value.sure else None
        if isinstance(value.special, tuple) and value.special[0] in _FUNCTIONS:
            kind = FunctionType
        if value.mapping is not None or isinstance(value.special, tuple) and value.special[0] == "dict":
            kind = dict
        if items is not None and (
            not isinstance(value.code, cst.List | cst.Tuple) or len(value.code.elements) != len(items)
        ):
            items = None
        if kind is None and known is DYNAMIC and value.items is not None and items is None:
            kind = tuple
        return Arg(value.code, known, type=kind, items=items)

    def accept_helpers(self, found: Rewritten, entry: Any) -> None:
        if not found.helpers:
            return
        known = {
            helper.__name__: helper
            for rule in (*rules.OBJECTS.values(), *rules.RULES.values())
            for helper in rule.helpers
        }
        for name in found.helpers:
            self.unit.helpers[name] = known[name]
