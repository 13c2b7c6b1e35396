"""`if`: on tensors, on configuration, and where the branches make different layers."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import libcst as cst

from codemods.passes.frame import Frame
from codemods.passes.modules import Placement
from codemods.passes.names import read_names
from codemods.passes.pieces import assign_name
from codemods.passes.placing.staging import Item, Staged, block, nodes, prune
from codemods.passes.values import UNKNOWN, Value, same_dim


class Branches:
    """Branches, and what is known after them."""

    def branch(self, node: cst.BaseSuite | None, frame: Frame) -> tuple[Staged, Frame]:
        inner = frame.child(env=dict(frame.env))
        body = node.body if isinstance(node, cst.IndentedBlock) else []
        staged = self.run(body, inner)  # type: ignore[arg-type]
        return staged, inner

    def merge(self, frame: Frame, *branches: Frame) -> None:
        names = set().union(*[branch.env.keys() for branch in branches])
        for name in names:
            values = [branch.env[name] for branch in branches if name in branch.env]
            joined = values[0]
            for value in values[1:]:
                joined = self.join(joined, value, frame)
            symbols = frame.spec.symbols if frame.spec else self.plain_symbols
            unset = joined.dim is None and not joined.is_tensor and not joined.has_layers and joined.known is UNKNOWN
            if unset and any(value.dim is not None for value in values) and frame.mode != "call":
                joined = dataclasses.replace(joined, dim=symbols.of_code(name))
            frame.env[name] = joined

    def _exec_If(self, node: cst.If, frame: Frame) -> Staged:
        outer_prelude, frame.prelude = frame.prelude, []
        outer_extra, frame.extra = frame.extra, []
        test = self.eval(node.test, frame)
        prelude, frame.prelude = frame.prelude, outer_prelude
        extra, frame.extra = frame.extra, outer_extra
        init_test = None
        if frame.mode == "staged" and not test.is_tensor:
            init_test = self.eval(node.test, frame.child(as_init=True, extra=[], prelude=[])).code
        before = len(frame.scope.created)
        then, then_frame = self.branch(node.body, frame)
        middle = len(frame.scope.created)
        orelse, else_frame = Staged(), frame.child(env=dict(frame.env))
        if isinstance(node.orelse, cst.If):
            inner = frame.child(env=dict(frame.env))
            orelse = self._exec_If(node.orelse, inner)
            else_frame = inner
        elif isinstance(node.orelse, cst.Else):
            orelse, else_frame = self.branch(node.orelse.body, frame)
        live = self.live_branches(test, then_frame, else_frame, node)
        if frame.mode == "staged" and len(live) == 2 and not test.is_tensor:
            self.join_widths(then, orelse, then_frame, else_frame, frame)
        self.merge(frame, *live)
        made_then = frame.scope.created[before:middle]
        made_else = frame.scope.created[middle:]
        if frame.mode != "staged":
            items = list(prelude) + [self.if_node(node, test.code, nodes_of(then, frame), nodes_of(orelse, frame))]
            init = extra + [*then.init, *orelse.init] if frame.mode == "call" else []
            return Staged(init, [Item(i) for i in items]) if frame.mode != "init" else Staged(extra + items)
        return self.staged_if(node, test, init_test, then, orelse, made_then, made_else, frame)

    def join_widths(self, then: Staged, orelse: Staged, then_frame: Frame, else_frame: Frame, frame: Frame) -> None:
        """A tensor whose width depends on the branch taken: the constructor keeps the width in a variable."""
        symbols = frame.spec.symbols  # type: ignore[union-attr]
        for name in sorted(then_frame.env.keys() & else_frame.env.keys()):
            self.join_lists(name, (then, then_frame), (orelse, else_frame), frame=frame)
            a, b = then_frame.env[name].tensor, else_frame.env[name].tensor
            if a is None or b is None or not a.shape or not b.shape or same_dim(a.last, b.last):
                continue
            codes = symbols.code(a.last), symbols.code(b.last)
            if None in codes:
                continue
            width = self.width_name(name, frame)
            if width in frame.spec.dims:  # type: ignore[union-attr]
                width = f"{name}_features"
            symbols.local.add(width)
            for staged, inner, code in ((then, then_frame, codes[0]), (orelse, else_frame, codes[1])):
                if code != width:
                    staged.init.append(assign_name(width, str(code)))
                inner.env[name] = self.rewidth(inner.env[name], symbols.of_code(width), symbols)
            frame.env[width] = Value(cst.Name(width), dim=symbols.of_code(width))

    def live_branches(self, test: Value, then: Frame, orelse: Frame, node: cst.If) -> list[Frame]:
        if isinstance(test.known, bool) and not test.is_tensor:
            return [then if test.known else orelse]
        if always_leaves(node.body):
            return [orelse]
        if isinstance(node.orelse, cst.Else) and always_leaves(node.orelse.body):
            return [then]
        return [then, orelse]

    def staged_if(
        self, node: cst.If, test: Value, init_test: cst.BaseExpression | None, then: Staged, orelse: Staged,
        made_then: list[Placement], made_else: list[Placement], frame: Frame,
    ) -> Staged:  # fmt: skip
        config = all(item.config for item in [*then.call, *orelse.call])
        if test.is_tensor:
            init = [*then.init, *orelse.init]
            call = [self.if_node(node, test.code, nodes(prune(then.call, ["*"])), nodes(orelse.call))]
            return Staged(init, [Item(item) for item in call])
        assert init_test is not None
        result = Staged()
        then_init = then.init if leaves(then.init) else then.init + [self.keep_none(p, frame) for p in made_else]
        else_init = orelse.init if leaves(orelse.init) else orelse.init + [self.keep_none(p, frame) for p in made_then]
        if then_init or else_init:
            result.init.append(self.if_node(node, init_test, then_init, else_init))
        if config:
            result.call.append(Item(self.if_node(node, test.code, nodes(then.call), nodes(orelse.call)), config=True))
            return result
        test_code: cst.BaseExpression = test.code
        reads_tensor = any(frame.env[name].is_tensor for name in read_names(node.test) if name in frame.env)
        if made_then and (reads_tensor or not isinstance(test.code, cst.Name)):
            test_code = cst.parse_expression(f"{self.read_code(made_then[0], frame)} is not None")
        elif made_else and reads_tensor:
            test_code = cst.parse_expression(f"{self.read_code(made_else[0], frame)} is None")
        if isinstance(node.orelse, cst.Else) and always_leaves(node.body):
            result.call.append(Item(self.if_node(node, test_code, nodes(then.call), [])))
            result.call.extend(orelse.call)
            return result
        call = self.if_node(node, test_code, nodes(then.call), nodes(orelse.call))
        result.call.append(Item(call))
        return result

    def if_node(
        self, node: cst.If, test: cst.BaseExpression, then: list[cst.BaseStatement], orelse: list[cst.BaseStatement]
    ) -> cst.If:
        if isinstance(node.orelse, cst.If) and len(orelse) > 1:
            orelse = pushed_down(orelse)
        body = node.body.with_changes(body=then) if then and isinstance(node.body, cst.IndentedBlock) else block(then)
        new_else: Any = None
        if orelse:
            if isinstance(node.orelse, cst.If) and len(orelse) == 1 and isinstance(orelse[0], cst.If):
                new_else = orelse[0]
            elif isinstance(node.orelse, cst.Else):
                new_else = node.orelse.with_changes(body=block(orelse))
            else:
                new_else = cst.Else(block(orelse))
        return node.with_changes(test=test, body=body, orelse=new_else)

    def leaves_early(self, node: cst.If, frame: Frame) -> bool:
        """`if CONFIGURATION: return ...` in a function that makes layers."""
        if frame.mode != "staged" or node.orelse is not None or not always_leaves(node.body):
            return False
        last = node.body.body[-1]
        return isinstance(last, cst.SimpleStatementLine) and isinstance(last.body[-1], cst.Return)


def always_leaves(body: cst.BaseSuite) -> bool:
    """Does a block always leave the function?"""
    last = body.body[-1] if body.body else None
    return isinstance(last, cst.SimpleStatementLine) and isinstance(last.body[-1], cst.Return | cst.Raise)


def leaves(statements: Sequence[cst.BaseStatement]) -> bool:
    """Do these statements end in one that leaves the function?"""
    return bool(statements) and always_leaves(cst.IndentedBlock(list(statements)))


def pushed_down(statements: Sequence[cst.BaseStatement]) -> list[cst.BaseStatement]:
    """An `if` and what follows it, as one `if` whose branches end in that: so that it can stay an `elif`."""
    first, *rest = statements
    simple = all(isinstance(s, cst.SimpleStatementLine) for s in rest)
    if not isinstance(first, cst.If) or not isinstance(first.body, cst.IndentedBlock) or not simple:
        return list(statements)
    then = list(first.body.body)
    orelse: Any = first.orelse
    if isinstance(orelse, cst.If):
        below = pushed_down([orelse, *rest])
        if len(below) > 1:
            return list(statements)
        new: Any = below[0]
    else:
        other = list(orelse.body.body) if orelse is not None else []
        new = (orelse or cst.Else(block([]))).with_changes(body=block(other if leaves(other) else [*other, *rest]))
    body = first.body.with_changes(body=then if leaves(then) else [*_without_pass(then), *rest])
    return [first.with_changes(body=body, orelse=new)]


def _without_pass(statements: Sequence[cst.BaseStatement]) -> list[cst.BaseStatement]:
    return [s for s in statements if not (isinstance(s, cst.SimpleStatementLine) and isinstance(s.body[0], cst.Pass))]


def nodes_of(staged: Staged, frame: Frame) -> list[cst.BaseStatement]:
    return staged.init if frame.mode == "init" else nodes(staged.call)
