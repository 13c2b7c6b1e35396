"""`tf.GradientTape`: what is recorded becomes a function, its gradients `nnx.value_and_grad` or `nnx.vjp`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine.walk import findall
from codemods.passes.frame import Frame
from codemods.passes.names import assigned_names, read_names
from codemods.passes.placing.staging import Item, Staged
from codemods.passes.training_records import (
    Records,
    Wanted,
    _comments,
    _distinct,
)
from codemods.passes.training_values import Gradients
from codemods.passes.values import TensorType, Value, text


class Tapes(Records):
    """Recorded computations."""

    def start(self) -> None:
        super().start()
        self.bodies: dict[str, cst.CSTNode] = {}
        self.taken_gradients: dict[int, Value] = {}

    def run(self, body: Sequence[cst.BaseStatement], frame: Frame) -> Staged:
        if frame.mode != "plain" or not any(self.tape_names(s) for s in body):
            return super().run(body, frame)
        staged = Staged()
        dropped: set[int] = set()
        for i, statement in enumerate(body):
            if id(statement) in dropped:
                continue
            names = self.tape_names(statement)
            if not names:
                staged.extend(self.statement(statement, frame))
                continue
            assert isinstance(statement, cst.With)
            found = self.wanted(names, body[i + 1 :], frame)
            if found is None:
                reason = "gradients of this tape that are taken elsewhere, or of something else than a model's trainable variables"
                frame.unit.residual(frame.function, statement, "tf.GradientTape", reason)
                staged.call.append(Item(statement))
                continue
            dropped |= {id(s) for s, w in found if w.whole} | {id(s) for s in body if self.is_del(s, names)}
            statements = self.tape(statement, [w for _, w in found], body[i + 1 :], frame)
            staged.extend(Staged(call=[Item(s) for s in statements]))
        return staged

    # -- what is asked -----------------------------------------------------------------------------

    # -- the function ------------------------------------------------------------------------------

    def tape(
        self, node: cst.With, wanted: list[Wanted], rest: Sequence[cst.BaseStatement], frame: Frame
    ) -> list[cst.BaseStatement]:
        before = set(frame.env)
        inside = [s for s in node.body.body if not self.is_watch(s)]
        own = assigned_names(node.body)
        taken = _read_first(inside) & own & (before | {w.inputs[0] for w in wanted if w.inputs})
        early: list[Any] = []
        if taken:  # a function can't bind its data anew: what needs no model comes before it
            early, inside = self.before_models(inside, wanted, frame)
            early = [item.node for item in self.run(early, frame).call]
            taken = _read_first(inside) & assigned_names(cst.IndentedBlock(inside)) & taken
        if taken - {w.inputs[0] for w in wanted if w.inputs}:
            frame.unit.residual(
                frame.function, node, "tf.GradientTape", f"`{sorted(taken)[0]}` is changed while the tape records"
            )
            return [node]
        body = [item.node for item in self.run(inside, frame).call]  # type: ignore[arg-type]
        losses = [self.eval(w.loss, frame) for w in wanted]
        outer = self.reads_outside(node, wanted, frame)
        aux = [n for n in _in_order(body) if n in (own & outer) - {text(v.code) for v in losses}]
        sources = _distinct([text(v.code) for w in wanted for v in w.models] + [n for w in wanted for n in w.inputs])
        arguments = self.arguments_of(sources, body, losses, frame)
        for w in wanted:
            models = tuple(text(v.code) for v in w.models)
            special = Gradients(models) if models else None
            value = Value(w.target, special=special, tensor=None if models else TensorType(), staged=True)
            if isinstance(w.target, cst.Name):
                frame.env[w.target.value] = value
            if not w.whole:
                self.taken_gradients[id(w.call)] = value
        for name in own:
            if name not in outer and name in frame.env and name not in before:
                del frame.env[name]
        self.unit.imports |= {"nnx"}
        if len(wanted) == 1:
            lines = self.single(node, wanted[0], losses[0], body, aux, arguments, outer, frame)
        else:
            lines = self.several(wanted, losses, body, aux, arguments, sources, outer, frame)
        lines = [*early, *lines]
        lines[0] = lines[0].with_changes(leading_lines=[*node.leading_lines, *_comments(lines[0])])  # type: ignore[call-arg]
        return lines

    def before_models(
        self, body: Sequence[cst.BaseStatement], wanted: list[Wanted], frame: Frame
    ) -> tuple[list[cst.BaseStatement], list[cst.BaseStatement]]:
        """The first statements of a block, as far as they call only the framework and read no source; and the rest."""
        watched = {name for w in wanted for name in w.inputs}
        count = 0
        for statement in body:
            small = statement.body[0] if isinstance(statement, cst.SimpleStatementLine) else None
            reads = read_names(statement)
            calls = findall(statement, m.Call())
            known = all(self.unit.symbol(call.func) is not None for call in calls)  # type: ignore[attr-defined]
            held = any(self.is_object(name, frame) for name in reads)
            if not isinstance(small, cst.Assign | cst.AugAssign) or held or not known or reads & watched:
                break
            count += 1
        return list(body[:count]), list(body[count:])

    def _eval_Call(self, node: cst.Call, frame: Frame) -> Value:
        found = self.taken_gradients.get(id(node))
        return found if found is not None else super()._eval_Call(node, frame)

    def reads_outside(self, node: cst.With, wanted: list[Wanted], frame: Frame) -> set[str]:
        """Names that the rest of the function reads, the gradient calls aside."""
        skipped = {id(node), *[id(w.call) for w in wanted]}
        function = self.bodies.get(frame.function) or self.unit.functions.get(frame.function)
        tree: cst.CSTNode = function.body if isinstance(function, cst.FunctionDef) else self.unit.module
        visitor = _Outside(skipped)
        tree.visit(visitor)
        return visitor.reads | self.also_read(frame)

    def also_read(self, frame: Frame) -> set[str]:
        """Names that generated statements of a function read."""
        return set()

    def arguments_of(
        self, sources: list[str], body: Sequence[cst.CSTNode], losses: list[Value], frame: Frame
    ) -> list[str]:
        """What the function is given: the sources, then every other object whose state it may change."""
        reads = set().union(*[read_names(s) for s in body], *[read_names(v.code) for v in losses])
        objects = [n for n in [*frame.env, *self.unit.globals] if n in reads and self.is_object(n, frame)]
        if "rngs" in reads:
            objects.append("rngs")
        roots = {s.split(".")[0] for s in sources if "." in s}
        return _distinct([*sources, *[n for n in objects if n not in roots]])


class _Outside(cst.CSTVisitor):
    """Names that are read, some nodes aside."""

    def __init__(self, skipped: set[int]):
        self.skipped = skipped
        self.reads: set[str] = set()

    def on_visit(self, node: cst.CSTNode) -> bool:
        if id(node) in self.skipped:
            return False
        if isinstance(node, cst.AssignTarget) and isinstance(node.target, cst.Name | cst.Tuple):
            return False
        return super().on_visit(node)

    def visit_Attribute(self, node: cst.Attribute) -> bool:
        node.value.visit(self)
        return False

    def visit_Arg(self, node: cst.Arg) -> bool:
        node.value.visit(self)
        return False

    def visit_Name(self, node: cst.Name) -> None:
        self.reads.add(node.value)


def _read_first(body: Sequence[cst.BaseStatement]) -> set[str]:
    """Names that a block reads before it has bound them."""
    bound: set[str] = set()
    found: set[str] = set()
    for statement in body:
        found |= read_names(statement) - bound
        bound |= assigned_names(statement)
    return found


def _in_order(body: Sequence[cst.CSTNode]) -> list[str]:
    """Names that a block binds, in its order."""
    found: list[str] = []
    for statement in body:
        names = assigned_names(statement)
        found += [n.value for n in findall(statement, m.Name()) if n.value in names]  # type: ignore[attr-defined]
    return _distinct(found)
