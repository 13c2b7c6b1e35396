"""`with`, `try`, and definitions inside functions."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst
import libcst.matchers as m

from codemods.engine.handled import handled
from codemods.engine.walk import findall
from codemods.passes.frame import Frame
from codemods.passes.pieces import PASS
from codemods.passes.placing.staging import Item, Staged, block
from codemods.passes.statements.branches import nodes_of
from codemods.passes.values import Value

_SCOPES = handled(
    "tf.name_scope",
    "tf.compat.v1.name_scope",
    "tf.keras.backend.name_scope",
    "tf.keras.name_scope",
    "tf.init_scope",
    becomes="left out: nothing is named in a graph",
    only="as a `with` statement",
    sample="""
    def f(x):
        with SYMBOL("block"):
            x = tf.abs(x)
        return x
    """,
)


_NOTHING = Value(cst.Name("_"))


class Blocks:
    """Statements that hold other statements, but `if` and loops."""

    def _exec_With(self, node: cst.With, frame: Frame) -> Staged:
        kept = []
        for item in node.items:
            if self.is_name_scope(item.item, frame):
                continue
            value = self.eval(item.item, frame)
            if item.asname is not None and isinstance(item.asname.name, cst.Name):
                frame.env[item.asname.name.value] = value.with_code(item.asname.name)
            kept.append(item.with_changes(item=value.code))
        staged = self.run(node.body.body, frame)  # type: ignore[arg-type]
        if not kept:
            return _with_leading(staged, node.leading_lines)
        body = nodes_of(staged, frame)
        code = node.with_changes(items=kept, body=node.body.with_changes(body=body or [PASS]))
        return Staged([code]) if frame.mode == "init" else Staged(staged.init, [Item(code)])

    def is_name_scope(self, node: cst.BaseExpression, frame: Frame) -> bool:
        """Scopes that only name things in a graph."""
        target = node.func if isinstance(node, cst.Call) else node
        symbol = self.unit.symbol(target)
        if symbol is not None:
            return symbol in _SCOPES
        return (
            isinstance(target, cst.Attribute) and target.attr.value == "name_scope"
            and isinstance(target.value, cst.Name) and frame.env.get(target.value.value, _NOTHING).special == "self"
        )  # fmt: skip

    def _exec_Try(self, node: cst.Try, frame: Frame) -> Staged:
        staged, inner = self.branch(node.body, frame)
        self.merge(frame, frame.child(env=dict(frame.env)), inner)
        handlers = []
        for handler in node.handlers:
            other, _ = self.branch(handler.body, frame)
            handlers.append(handler.with_changes(body=block(nodes_of(other, frame))))
        code = node.with_changes(body=block(nodes_of(staged, frame)), handlers=handlers)
        return Staged([code]) if frame.mode == "init" else Staged([], [Item(code, config=frame.mode == "staged")])

    def _exec_FunctionDef(self, node: cst.FunctionDef, frame: Frame) -> Staged:
        if self.lift(node, frame):
            return Staged()
        inner = frame.child(env=dict(frame.env), returns=[])
        for param in [*node.params.params, *node.params.kwonly_params]:
            inner.env[param.name.value] = Value(param.name)
        staged = self.run(node.body.body, inner)  # type: ignore[arg-type]
        if frame.mode == "staged" and frame.spec is not None and self.makes_anew(node, frame.spec.node):
            why = "makes layers each time it is called: write it at module level, with what it reads as arguments"
            frame.unit.residual(frame.function, node, node.name.value, why)
        code = node.with_changes(body=node.body.with_changes(body=nodes_of(staged, frame)))
        frame.env[node.name.value] = Value(node.name, special=("local_function", node, inner.returns))
        if frame.mode == "init":
            return Staged([code])
        sizes = frame.mode == "staged" and not any(value.is_tensor or value.has_layers for value in inner.returns)
        return Staged([*staged.init, code] if sizes and inner.returns else staged.init, [Item(code, config=False)])

    def makes_anew(self, node: cst.FunctionDef, around: cst.CSTNode) -> bool:
        """Does a function that stays inside another make layers, and run more than once? The port would make them once."""
        if not any(self.makes_layer(call) and self.keeps_something(call) for call in findall(node, m.Call())):
            return False
        called = m.Call(func=m.Name(node.name.value))
        loops = findall(around, m.For() | m.While() | m.ListComp() | m.GeneratorExp())
        return len(findall(around, called)) > 1 or any(findall(loop, called) for loop in loops)

    def _exec_ClassDef(self, node: cst.ClassDef, frame: Frame) -> Staged:
        frame.unit.residual(frame.function, node, "class", "a class inside a function is not ported")
        return Staged([], [Item(node)])


def _with_leading(staged: Staged, lines: Sequence[cst.EmptyLine]) -> Staged:
    if lines and staged.init:
        first = staged.init[0]
        staged.init[0] = first.with_changes(leading_lines=[*lines, *first.leading_lines])  # type: ignore[attr-defined]
    elif lines and staged.call:
        first = staged.call[0].node
        staged.call[0].node = first.with_changes(leading_lines=[*lines, *first.leading_lines])  # type: ignore[attr-defined]
    return staged
