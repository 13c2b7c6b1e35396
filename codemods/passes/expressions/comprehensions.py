"""Comprehensions and lambdas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine.precedence import parenthesised
from codemods.engine.walk import findall
from codemods.passes.frame import Frame
from codemods.passes.names import ReplaceNames
from codemods.passes.values import UNKNOWN, Value


class Comprehensions:
    """Evaluation of expressions that bind names of their own."""

    def _comprehension(self, node: Any, frame: Frame) -> tuple[cst.CompFor, Frame, list[Any] | None]:
        inner = frame.child(env=dict(frame.env))
        unrolled: list[Any] | None = None

        def walk(part: cst.CompFor, first: bool) -> cst.CompFor:
            nonlocal unrolled
            source = self.eval(part.iter, inner)
            elements = self.elements(source)
            if first and part.inner_for_in is None and not part.ifs:
                unrolled = elements
            self.bind_target(part.target, self.element_of(source, inner), inner)
            ifs = [test.with_changes(test=self.eval(test.test, inner).code) for test in part.ifs]
            changes: dict[str, Any] = {"iter": source.code, "ifs": ifs}
            if part.inner_for_in is not None:
                changes["inner_for_in"] = walk(part.inner_for_in, False)
            return part.with_changes(**changes)

        return walk(node.for_in, True), inner, unrolled

    def _eval_ListComp(self, node: cst.ListComp, frame: Frame) -> Value:
        for_in, inner, unrolled = self._comprehension(node, frame)
        listed = self.comprehension_widths(node, inner, frame)
        element = self.eval(node.elt, inner)
        code = node.with_changes(elt=element.code, for_in=for_in)
        if listed is not None:
            return Value(code, item=element, special=self.mapped_widths(listed, element, frame))
        items = None
        if unrolled is not None and element.is_tensor and not element.has_layers:
            items = [self._unroll(node, node.elt, item, frame) for item in unrolled]
        return Value(code, item=element, items=items)

    def _eval_GeneratorExp(self, node: cst.GeneratorExp, frame: Frame) -> Value:
        return self._eval_ListComp(node, frame)  # type: ignore[arg-type]

    _eval_SetComp = _eval_ListComp

    def _unroll(self, node: Any, elt: cst.BaseExpression, item: Value, frame: Frame) -> Value:
        inner = frame.child(env=dict(frame.env))
        self.bind_target(node.for_in.target, item, inner)
        return self.eval(elt, inner)

    def _eval_DictComp(self, node: cst.DictComp, frame: Frame) -> Value:
        for_in, inner, unrolled = self._comprehension(node, frame)
        key, value = self.eval(node.key, inner), self.eval(node.value, inner)
        code = node.with_changes(key=key.code, value=value.code, for_in=for_in)
        if unrolled is not None:
            mapping = {}
            for item in unrolled:
                inner = frame.child(env=dict(frame.env))
                self.bind_target(node.for_in.target, item, inner)
                known = self.eval(node.key, inner).known
                if known is UNKNOWN:
                    return Value(code, item=value, staged=value.is_tensor)
                mapping[known] = self.eval(node.value, inner)
            return Value(code, mapping=mapping)
        return Value(code, item=value, staged=value.is_tensor)

    def _eval_Lambda(self, node: cst.Lambda, frame: Frame) -> Value:
        if id(node) in self.given_lambdas:
            return Value(node, special=("function", self.given_lambdas[id(node)]))
        inner = frame.child(env=dict(frame.env), prelude=[])
        params = []
        for param in node.params.params:
            inner.env[param.name.value] = Value(param.name)
            default = self.eval(param.default, frame).code if param.default is not None else None
            params.append(param.with_changes(default=default))
        body = self.eval(node.body, inner)
        changed = node.params.with_changes(params=params)
        special = ("lambda", node, frame)
        whole = _as_expression(inner.prelude, body.code)
        if whole is not None:
            return Value(node.with_changes(params=changed, body=whole), special=special)
        # Statements have to come first: it becomes a function.
        name = next(name for name in ("apply", "apply_", "apply__") if name not in frame.env)
        block = [*inner.prelude, cst.SimpleStatementLine([cst.Return(body.code)])]
        frame.prelude.append(cst.FunctionDef(cst.Name(name), changed, cst.IndentedBlock(block)))
        frame.env[name] = Value(cst.Name(name))
        return Value(cst.Name(name), special=special)


def _as_expression(statements: Sequence[cst.BaseStatement], code: cst.BaseExpression) -> cst.BaseExpression | None:
    """`n = x.shape[0]` and an expression in one, where what is named costs nothing to say again, or is said once."""
    for statement in reversed(statements):
        small = statement.body[0] if isinstance(statement, cst.SimpleStatementLine) else None
        if not isinstance(small, cst.Assign) or not isinstance(small.targets[0].target, cst.Name):
            return None
        name = small.targets[0].target.value
        if len(findall(code, m.Name(name))) > 1 and not m.matches(small.value, _CHEAP):
            return None
        new: Any = code.visit(ReplaceNames({name: small.value}))
        code = parenthesised(new)
    return code


_CHEAP = m.Subscript(m.Attribute(m.Name(), m.Name("shape"))) | m.Name() | m.Integer()
