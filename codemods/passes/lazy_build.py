"""Modules that make their weights at the first call: `if not self.is_built: self.w = tf.Variable(...)`.

The block becomes part of the constructor, which in Flax knows the sizes of the inputs; the flag goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine.walk import findall, nodes_of
from codemods.passes.frame import Frame
from codemods.passes.modules import LAZY, ModuleSpec
from codemods.passes.penalties import Penalised
from codemods.passes.printing.layout import tight
from codemods.passes.values import Value, text

_CALLS = ("call", "__call__")


class LazyBuild(Penalised):
    """Moves what a call makes once into the constructor."""

    def start(self) -> None:
        for name, node in list(self.unit.classes.items()):
            if self.unit.is_module_class(name):
                new = self.opened_class(node)
                if new is not None:
                    self.unit.same_place(new, node)
                    self.unit.classes[name] = new
        super().start()

    def opened_class(self, node: cst.ClassDef) -> cst.ClassDef | None:
        """A class whose call makes things at first, with a method for that; None for any other."""
        methods = {s.name.value: s for s in node.body.body if isinstance(s, cst.FunctionDef)}
        call = next((methods[name] for name in _CALLS if name in methods), None)
        if call is None or not isinstance(call.body, cst.IndentedBlock):
            return None
        statements = list(call.body.body)
        at = 1 if call.get_docstring() is not None else 0
        block = statements[at] if len(statements) > at else None
        if not isinstance(block, cst.If) or block.orelse is not None or not isinstance(block.body, cst.IndentedBlock):
            return None
        flag = _flag(block.test)
        if flag is None or not _sets(block.body.body, flag) or not self._asked_once(node, flag, block):
            return None
        made = [s for s in block.body.body if not _is_flag(s, flag, "True")]
        if any(m.matches(s, _BUILDS) for s in made):
            if len(made) > 1 or "build" not in methods:
                return None
            made = []
        rest = [*statements[:at], *statements[at + 1 :]]
        if at == 0 and rest:
            first = tight(rest)[0]
            self.unit.same_place(first, rest[0])
            rest[0] = first
        new_call = call.with_changes(body=call.body.with_changes(body=rest or [cst.SimpleStatementLine([cst.Pass()])]))
        self.unit.same_place(new_call, call)
        body: list[Any] = []
        for statement in node.body.body:
            if statement is call:
                if made:
                    lazy = cst.FunctionDef(cst.Name(LAZY), call.params, block.body.with_changes(body=made))
                    self.unit.same_place(lazy, block)
                    body.append(lazy)
                body.append(new_call)
            elif isinstance(statement, cst.FunctionDef) and statement.name.value == "__init__":
                kept = [s for s in statement.body.body if not _is_flag(s, flag, "False", "None")]
                new = statement.with_changes(
                    body=statement.body.with_changes(body=kept or [cst.SimpleStatementLine([cst.Pass()])])
                )
                self.unit.same_place(new, statement)
                body.append(new)
            else:
                body.append(statement)
        return node.with_changes(body=node.body.with_changes(body=body))

    def _asked_once(self, node: cst.ClassDef, flag: str, block: cst.If) -> bool:
        """Is a flag read nowhere but where it is asked whether everything is made? A weight may be read after it."""
        if "is None" in text(block.test) or "hasattr" in text(block.test):
            return True
        reads = findall(node, m.Attribute(m.Name("self"), m.Name(flag)))
        targets = {id(t.target) for assign in nodes_of(node, cst.Assign) for t in assign.targets}
        asked = {id(part) for part in nodes_of(block.test, cst.Attribute)}
        return all(id(read) in targets | asked for read in reads)

    def run_lazy(self, spec: ModuleSpec, arguments: dict[str, Value], init: Frame) -> None:
        """What the first call makes runs at the end of the constructor, and knows the sizes of the inputs."""
        node = self.method_node(spec, LAZY)
        if node is None:
            return
        frame = init.child(function=f"{spec.source}.{LAZY}", as_init=True)
        frame.env.update(arguments)
        frame.env[node.params.params[0].name.value] = Value(cst.Name("self"), special="self")
        spec.init = spec.init + self.run(node.body.body, frame).init


_BUILDS = m.SimpleStatementLine([m.Expr(m.Call(m.Attribute(m.Name("self"), m.Name("build"))))])


def _flag(test: cst.BaseExpression) -> str | None:
    """The attribute that tells whether everything is made."""
    own = m.Attribute(m.Name("self"), m.Name())
    if m.matches(test, m.UnaryOperation(m.Not(), own)):
        return test.expression.attr.value  # type: ignore[attr-defined]
    if m.matches(test, m.Comparison(own, [m.ComparisonTarget(m.Is(), m.Name("None"))])):
        return test.left.attr.value  # type: ignore[attr-defined]
    asks = m.Call(m.Name("hasattr"), [m.Arg(m.Name("self")), m.Arg(m.SimpleString())])
    if m.matches(test, m.UnaryOperation(m.Not(), asks)):
        return str(test.expression.args[1].value.evaluated_value)  # type: ignore[attr-defined]
    return None


def _sets(statements: Sequence[cst.BaseStatement], flag: str) -> bool:
    """Do statements set an attribute, at their own level?"""
    target = m.AssignTarget(m.Attribute(m.Name("self"), m.Name(flag)))
    return any(m.matches(s, m.SimpleStatementLine([m.Assign([target])])) for s in statements)


def _is_flag(statement: Any, flag: str, *values: str) -> bool:
    target = m.AssignTarget(m.Attribute(m.Name("self"), m.Name(flag)))
    value = m.OneOf(*[m.Name(v) for v in values]) if len(values) > 1 else m.Name(values[0])
    return m.matches(statement, m.SimpleStatementLine([m.Assign([target], value)]))
