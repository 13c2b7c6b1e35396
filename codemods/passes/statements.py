"""Evaluates statements."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine.api import is_module
from codemods.engine.handled import handled
from codemods.engine.walk import findall, names_in, walk
from codemods.passes.expressions import Expressions, map_children
from codemods.passes.frame import Frame, Scope
from codemods.passes.modules import OUT_FEATURES, ModuleSpec, Placement, Thread
from codemods.passes.names import RenameMarkers, assigned_names, read_names
from codemods.passes.placing import Placing
from codemods.passes.staging import Item, Staged, block, nodes, prune
from codemods.passes.values import UNKNOWN, TensorType, Value, same_dim


class Statements(Placing, Expressions):
    """Statements, in every mode of `Frame`."""

    def run(self, body: Sequence[cst.BaseStatement], frame: Frame) -> Staged:
        """A block, in order."""
        staged = Staged()
        for i, statement in enumerate(body):
            if isinstance(statement, cst.If) and i + 1 < len(body) and self.leaves_early(statement, frame):
                # The constructor has no way out in the middle: what follows is the other branch.
                rest = cst.Else(cst.IndentedBlock(body[i + 1 :]))
                staged.extend(self._exec_If(statement.with_changes(orelse=rest), frame))
                return staged
            staged.extend(self.statement(statement, frame))
        return staged

    def leaves_early(self, node: cst.If, frame: Frame) -> bool:
        """`if CONFIGURATION: return ...` in a function that makes layers."""
        if frame.mode != "staged" or node.orelse is not None or not _ends(node.body):
            return False
        last = node.body.body[-1]
        return isinstance(last, cst.SimpleStatementLine) and isinstance(last.body[-1], cst.Return)

    def statement(self, node: cst.BaseStatement, frame: Frame) -> Staged:
        method = getattr(self, f"_exec_{type(node).__name__}", None)
        if method is None:
            frame.unit.residual(
                frame.function, node, type(node).__name__.lower(), "this kind of statement is not ported"
            )
            return Staged(call=[Item(node)])
        return method(node, frame)

    def _exec_SimpleStatementLine(self, node: cst.SimpleStatementLine, frame: Frame) -> Staged:
        result = Staged()
        spread = self.spread_comprehensions(node, frame)
        if spread is not None:
            return self.run(spread, frame)
        for i, small in enumerate(node.body):
            line = node.with_changes(body=[small.with_changes(semicolon=cst.MaybeSentinel.DEFAULT)])
            if i:
                line = line.with_changes(leading_lines=[])
            result.extend(self.small(line, small, frame))
        return result

    def spread_comprehensions(self, node: cst.SimpleStatementLine, frame: Frame) -> list[cst.BaseStatement] | None:
        """A comprehension that makes layers and calls them becomes a loop that fills a list."""
        if frame.mode != "staged" or not node.body or len(node.body) > 1:
            return None
        found: list[Any] = findall(node, m.ListComp() | m.GeneratorExp())
        made = [comp for comp in found if self.makes_and_calls(comp)]
        if not made:
            return None
        first, small = made[0], node.body[0]
        alone = isinstance(small, cst.Assign) and small.value is first and isinstance(small.targets[0].target, cst.Name)
        name = small.targets[0].target.value if alone else _free("parts", frame)  # type: ignore
        inner: cst.BaseStatement = cst.parse_statement(f"{name}.append(_)")
        inner = inner.with_changes(
            body=[cst.Expr(cst.Call(cst.Attribute(cst.Name(name), cst.Name("append")), [cst.Arg(first.elt)]))]
        )  # type: ignore[call-arg]
        loops: list[cst.CompFor] = [first.for_in]
        while loops[-1].inner_for_in is not None:
            loops.append(loops[-1].inner_for_in)
        for part in reversed(loops):
            for test in part.ifs:
                inner = cst.If(test.test, cst.IndentedBlock([inner]))
            inner = cst.For(part.target, part.iter, cst.IndentedBlock([inner]))  # type: ignore[arg-type]
        start = cst.parse_statement(f"{name} = []")
        start = start.with_changes(leading_lines=node.leading_lines)  # type: ignore[call-arg]
        if alone:
            return [start, inner]  # type: ignore[list-item]
        rest = self.swapped(node, first, cst.Name(name)).with_changes(leading_lines=[])
        return [start, inner, rest]  # type: ignore[list-item]

    def swapped(self, node: Any, old: cst.CSTNode, new: cst.CSTNode) -> Any:
        """A tree with one node replaced; the others keep their places in the file."""
        if node is old:
            return new
        if not any(part is old for part in walk(node)):
            return node
        changed = map_children(node, lambda child: self.swapped(child, old, new))
        self.unit.same_place(changed, node)
        return changed

    def makes_and_calls(self, comp: Any) -> bool:
        """Does a comprehension hold calls of layers that are made in it, or of helpers that make some?"""
        calls: list[Any] = findall(comp.elt, m.Call())
        return any(
            isinstance(call.func, cst.Call)
            and self.makes_layer(call.func)
            and self.keeps_something(call.func)  # type: ignore[attr-defined]
            or self.is_helper_call(call)  # type: ignore[attr-defined]
            for call in calls
        )

    def small(self, line: cst.SimpleStatementLine, node: cst.BaseSmallStatement, frame: Frame) -> Staged:
        outer = frame.extra, frame.prelude
        frame.extra, frame.prelude = [], []
        method = getattr(self, f"_small_{type(node).__name__}", self._small_other)
        items, config = method(node, frame)
        result = Staged()
        new_init = list(frame.extra)
        statements: list[cst.BaseStatement] = list(frame.prelude)
        for item in items:
            statements.append(item if isinstance(item, cst.BaseStatement) and not isinstance(item, cst.BaseSmallStatement)
                              else line.with_changes(body=[item]))  # fmt: skip
        if statements and frame.prelude and items:
            statements[-1] = statements[-1].with_changes(leading_lines=[])
            statements[0] = statements[0].with_changes(leading_lines=line.leading_lines)
        frame.extra, frame.prelude = outer
        if frame.mode == "init":
            result.init = new_init + statements
        elif frame.mode == "staged" and config:
            result.init = new_init + self.as_init_statement(line, node, statements, frame)
            result.call = [Item(s, config=True) for s in statements]
        else:
            if new_init and not statements:
                new_init[0] = new_init[0].with_changes(leading_lines=line.leading_lines)
            result.init = new_init
            result.call = [Item(s) for s in statements]
        return result

    def as_init_statement(
        self,
        line: cst.SimpleStatementLine,
        node: cst.BaseSmallStatement,
        statements: list[cst.BaseStatement],
        frame: Frame,
    ) -> list[cst.BaseStatement]:
        """The same statement as constructor code: sizes read from tensors become constructor expressions."""
        inner = frame.child(as_init=True, extra=[], prelude=[], env=dict(frame.env), binding=assigned_names(line))
        items, _ = getattr(self, f"_small_{type(node).__name__}", self._small_other)(node, inner)
        return [*inner.prelude, *[line.with_changes(body=[item]) for item in items]]

    # -- simple statements -------------------------------------------------------------------

    def _small_Assign(self, node: cst.Assign, frame: Frame) -> tuple[list[Any], bool]:
        target = node.targets[0].target
        hint = (
            target.value
            if isinstance(target, cst.Name)
            else target.attr.value
            if isinstance(target, cst.Attribute)
            else None
        )
        symbol = self.unit.symbol(node.value)
        if symbol is not None and is_module(symbol):
            return [], False  # an alias of a framework module
        value = self.eval(node.value, self.aimed(frame, hint))
        if value.special == "dropped":
            return [], False
        before = frame.env.get(hint) if isinstance(target, cst.Name) and hint else None
        if before is not None and not before.is_tensor and not before.has_layers:
            self.keep_widths(str(hint), frame)
        if len(node.targets) > 1 and value.has_layers:
            frame.unit.residual(frame.function, node, "a = b = layer", "one layer given two names in one statement")
        for each in node.targets:
            statements = self.assign(each.target, value, node, frame)
            if statements is not None:
                return statements
        return self.assigned(node, value, frame)

    def aimed(self, frame: Frame, hint: str | None) -> Frame:
        frame.target = hint
        return frame

    def assigned(self, node: cst.Assign, value: Value, frame: Frame) -> tuple[list[Any], bool]:
        targets = []
        for each in node.targets:
            if isinstance(each.target, cst.Subscript | cst.Attribute):
                targets.append(each.with_changes(target=self.eval(each.target, frame).code))
            else:
                targets.append(each)
        config = self.is_config(value, frame)
        return [node.with_changes(targets=targets, value=value.code)], config

    def assign(
        self, target: cst.BaseExpression, value: Value, node: cst.Assign, frame: Frame
    ) -> tuple[list[Any], bool] | None:
        """Binds a target. Statements where the assignment becomes something else, else None."""
        if isinstance(target, cst.Attribute) and isinstance(target.value, cst.Name):
            base = frame.env.get(target.value.value)
            if base is not None and base.special == "self":
                return self.assign_attribute(target, value, node, frame)
        if isinstance(target, cst.Name):
            if frame.mode in ("staged", "call", "init") and frame.spec is not None:
                placed = self.keep_local(target.value, value, frame)
                if placed is not None:
                    return placed
            if isinstance(value.special, tuple) and value.special[0] == "input" and isinstance(node.value, cst.Name):
                self.bind_target(target, dataclasses.replace(value, special=("alias", value)), frame)
                frame.spec.aliases.add(target.value)  # type: ignore[union-attr]
                return None  # another name for it, which may be bound again
            if isinstance(value.special, tuple) and value.special[0] in ("model", "input"):
                frame.env[target.value] = value.with_code(target)
                return [], False
            if value.special is not None and type(value.special).__name__ in ("Chain", "Finished"):
                frame.env[target.value] = value
                return [], False
        if self.only_inputs(value):
            self.bind_target(target, value, frame)
            return [], False
        if isinstance(target, cst.Tuple) and frame.mode == "staged" and value.items is not None and value.is_tensor:
            for element, part in zip(target.elements, value.items, strict=False):
                code = frame.spec.symbols.code(part.dim) if part.dim is not None and not part.is_tensor else None  # type: ignore
                if code is not None and isinstance(element.value, cst.Name) and code != element.value.value:
                    frame.extra.append(_assign(element.value.value, code))
        self.bind_target(target, value, frame)
        return None

    def only_inputs(self, value: Value) -> bool:
        if isinstance(value.special, tuple) and value.special[0] == "input":
            return True
        parts = list(value.items or ()) + list((value.mapping or {}).values())
        return bool(parts) and all(self.only_inputs(part) for part in parts)

    def is_config(self, value: Value, frame: Frame) -> bool:
        return frame.mode == "staged" and not value.is_tensor and not value.has_layers

    def _small_AugAssign(self, node: cst.AugAssign, frame: Frame) -> tuple[list[Any], bool]:
        value = self.eval(node.value, frame)
        target = self.eval(node.target, frame)
        code = node.with_changes(target=target.code, value=value.code)
        if isinstance(node.target, cst.Name):
            operators = {"AddAssign": cst.Add, "SubtractAssign": cst.Subtract, "MultiplyAssign": cst.Multiply,
                         "DivideAssign": cst.Divide, "FloorDivideAssign": cst.FloorDivide}  # fmt: skip
            kind = operators.get(type(node.operator).__name__)
            if kind is not None and target.code is not None:
                operation = cst.BinaryOperation(node.target, kind(), value.code)
                from codemods.passes import abstract

                result = self.combine(operation, abstract.BINARY.get(kind), [target, value], frame)
                if result.tensor is None and not result.is_tensor and frame.spec is not None:
                    # The name has a new value from here on: what the code says is a new symbol.
                    self.keep_widths(node.target.value, frame)
                    result = dataclasses.replace(
                        result, dim=frame.spec.symbols.renewed(node.target.value), known=UNKNOWN
                    )
                frame.env[node.target.value] = result.with_code(node.target)
                return [code], self.is_config(result, frame)
        return [code], self.is_config(value, frame) and not target.is_tensor

    def keep_widths(self, name: str, frame: Frame) -> None:
        """Widths that are written with a variable of the constructor, before it changes, get one of their own."""
        if frame.mode != "staged" or frame.as_init or frame.spec is None:
            return
        symbols = frame.spec.symbols
        for tensor, value in sorted(frame.env.items()):
            last = value.tensor.last if value.tensor is not None else None
            code = symbols.code(last) if last is not None and not isinstance(last, int) else None
            if code is None or name not in names_in(cst.parse_expression(code)):
                continue
            width = self.width_name(tensor, frame)
            if code != width:
                frame.extra.append(_assign(width, code))
            symbols.local.add(width)
            frame.env[tensor] = self.rewidth(value, symbols.renewed(width), symbols)
            frame.env[width] = Value(cst.Name(width), dim=symbols.of_code(width))

    def _small_AnnAssign(self, node: cst.AnnAssign, frame: Frame) -> tuple[list[Any], bool]:
        if node.value is None:
            return [], False
        assign = cst.Assign([cst.AssignTarget(node.target)], node.value)
        return self._small_Assign(assign, frame)

    def _small_Expr(self, node: cst.Expr, frame: Frame) -> tuple[list[Any], bool]:
        if isinstance(node.value, cst.SimpleString | cst.ConcatenatedString):
            return [node], False
        value = self.eval(node.value, self.aimed(frame, None))
        if value.special == "dropped":
            return [], False
        if isinstance(value.special, tuple) and value.special[0] == "statements":
            return value.special[1], False
        return [node.with_changes(value=value.code)], self.is_config(value, frame)

    def _small_Return(self, node: cst.Return, frame: Frame) -> tuple[list[Any], bool]:
        if node.value is None:
            return [node], False
        value = self.eval(node.value, self.aimed(frame, None))
        value = self.finish(value, frame)
        self.note_width(value, frame)
        frame.returns.append(value)
        return [node.with_changes(value=value.code)], False

    def note_width(self, value: Value, frame: Frame) -> None:
        """One of several ways out: the constructor notes how wide the output is, should they differ."""
        if frame.mode != "staged" or frame.spec is None or value.tensor is None or not value.tensor.shape:
            return
        code = frame.spec.symbols.code(value.tensor.last)
        if code is not None and len(findall(frame.spec.node, m.Return())) > 1:
            frame.extra.append(_assign(RETURNED, code))

    def settle_returns(self, spec: ModuleSpec, frame: Frame) -> None:
        """Where the ways out differ in width, the one taken is a variable of the constructor."""
        widths = [value.tensor.last if value.tensor is not None else None for value in frame.returns]
        if spec.result is None or spec.result.tensor is None or not spec.result.tensor.shape:
            return
        symbols = spec.symbols
        codes = [symbols.code(width) if width is not None else None for width in widths]
        if len(set(codes)) == 1 or None in codes or len(widths) < 2:
            return
        spec.init = [statement.visit(RenameMarkers({RETURNED: OUT_FEATURES})) for statement in spec.init]  # type: ignore
        symbols.local.add(OUT_FEATURES)
        spec.result = self.rewidth(spec.result, symbols.of_code(OUT_FEATURES), symbols)

    def _small_Assert(self, node: cst.Assert, frame: Frame) -> tuple[list[Any], bool]:
        test = self.eval(node.test, frame)
        if test.known is True and frame.mode == "staged":
            return [], False
        if frame.mode == "init" and frame.as_init and "input_shape" in read_names(node.test):
            return [], False  # JAX's own errors name the shapes
        changes: dict[str, Any] = {"test": test.code}
        if node.msg is not None:
            changes["msg"] = self.eval(node.msg, frame).code
        return [node.with_changes(**changes)], self.is_config(test, frame)

    def _small_Pass(self, node: cst.Pass, frame: Frame) -> tuple[list[Any], bool]:
        return [node], frame.mode == "staged"

    def _small_Import(self, node: Any, frame: Frame) -> tuple[list[Any], bool]:
        if self.unit.is_framework_import(node):
            return [], False
        return [node], frame.mode == "staged"

    _small_ImportFrom = _small_Import

    def _small_Raise(self, node: cst.Raise, frame: Frame) -> tuple[list[Any], bool]:
        exc = self.eval(node.exc, frame) if node.exc is not None else None
        return [node.with_changes(exc=exc.code) if exc else node], frame.mode == "staged"

    def _small_other(self, node: cst.BaseSmallStatement, frame: Frame) -> tuple[list[Any], bool]:
        return [node], frame.mode == "staged"

    # -- compound statements -------------------------------------------------------------------

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
                    staged.init.append(_assign(width, str(code)))
                inner.env[name] = self.rewidth(inner.env[name], symbols.of_code(width), symbols)
            frame.env[width] = Value(cst.Name(width), dim=symbols.of_code(width))

    def live_branches(self, test: Value, then: Frame, orelse: Frame, node: cst.If) -> list[Frame]:
        if _ends(node.body):
            return [orelse]
        if isinstance(node.orelse, cst.Else) and _ends(node.orelse.body):
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
        then_init = then.init + [self.keep_none(p, frame) for p in made_else]
        else_init = orelse.init + [self.keep_none(p, frame) for p in made_then]
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
        if isinstance(node.orelse, cst.Else) and _ends(node.body):
            result.call.append(Item(self.if_node(node, test_code, nodes(then.call), [])))
            result.call.extend(orelse.call)
            return result
        call = self.if_node(node, test_code, nodes(then.call), nodes(orelse.call))
        result.call.append(Item(call))
        return result

    def if_node(
        self, node: cst.If, test: cst.BaseExpression, then: list[cst.BaseStatement], orelse: list[cst.BaseStatement]
    ) -> cst.If:
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

    def _exec_For(self, node: cst.For, frame: Frame) -> Staged:
        source = self.eval(node.iter, frame)
        elements = self.elements(source)
        if frame.mode in ("staged", "call") and elements and self.mixed_layers(elements):
            return self.unroll(node, elements, frame)
        if frame.mode == "staged":
            return self.staged_for(node, source, frame)
        held = self.held_layers(node, source, frame)
        if held is not None and frame.mode == "call":
            return self.loop_over_layers(node, source, held, frame)
        carried = self.carry(node, source, frame)
        inner = frame.child(env=dict(frame.env))
        self.bind_target(node.target, self.element_of(source, frame), inner)
        staged = self.run(node.body.body, inner)  # type: ignore[arg-type]
        self.merge(frame, frame.child(env=dict(frame.env)), inner)
        body = nodes_of(staged, frame)
        code = node.with_changes(iter=source.code, body=node.body.with_changes(body=body or [_PASS]))
        if frame.mode == "init":
            return Staged([code])
        self.check_carried(node, carried, inner, frame)
        return Staged(staged.init if frame.mode == "call" else [], [Item(code)])

    def held_layers(self, node: cst.For, source: Value, frame: Frame) -> tuple[str, list[Value]] | None:
        """The attribute that a loop runs over, and the layers it holds."""
        if not isinstance(node.target, cst.Name) or frame.spec is None:
            return None
        code = source.code
        if (
            not isinstance(code, cst.Attribute)
            or not isinstance(code.value, cst.Name)
            or code.value.value != frame.self_name
        ):
            return None
        if isinstance(source.special, tuple) and source.special[0] == "layers":
            return (code.attr.value, source.special[2]) if source.special[2] else None
        if source.item is not None and source.item.has_layers:
            return code.attr.value, [source.item]
        return None

    def loop_over_layers(self, node: cst.For, source: Value, held: tuple[str, list[Value]], frame: Frame) -> Staged:
        """`for block in self.blocks: x = block(x)`: a width that changes on the way is threaded by the constructor."""
        attribute, layers = held
        spec, symbols = frame.spec, frame.spec.symbols  # type: ignore[union-attr]
        changed: set[str] = set()
        entry = dict(frame.env)
        for layer in layers:
            trial = frame.child(env=dict(entry), emit=False, extra=[], prelude=[])
            residuals = list(frame.unit.residuals)
            self.bind_target(node.target, layer, trial)
            self.run(node.body.body, trial)  # type: ignore[arg-type]
            self.drop_trial(frame.function, residuals, frame.unit.imports)
            for name, before in entry.items():
                after = trial.env.get(name)
                if before.tensor is not None and after is not None and after.tensor is not None and after is not before:
                    if not same_dim(before.tensor.last, after.tensor.last):
                        changed.add(name)
        result: Staged | None = None
        symbol = None
        if len(changed) > 1:
            frame.unit.residual(frame.function, node, f"self.{attribute}", "several widths change in this loop")
        inner = frame.child(env=dict(frame.env))
        for name in sorted(changed)[:1]:
            width = "in_features" if "in_features" not in spec.dims and not spec.threads else f"{attribute}_features"  # type: ignore
            symbol = symbols.of_code(width)
            thread = Thread(attribute, width, entry[name].tensor.last)  # type: ignore[union-attr]
            for layer in layers:
                loop = frame.child(env=dict(entry))
                loop.env[name] = self.rewidth(entry[name], symbol, symbols)
                self.bind_target(node.target, layer, loop)
                staged = self.run(node.body.body, loop)  # type: ignore[arg-type]
                result = result or staged
                made = layer.layer or layer.module
                if made is not None and loop.env[name].tensor is not None:
                    thread.after[made.marker] = loop.env[name].tensor.last  # type: ignore[union-attr]
                inner = loop
            spec.threads.append(thread)  # type: ignore[union-attr]
            inner.env[name] = self.rewidth(inner.env[name], symbol, symbols)
        if not changed:
            for layer in layers:
                loop = frame.child(env=dict(entry))
                self.bind_target(node.target, layer, loop)
                staged = self.run(node.body.body, loop)  # type: ignore[arg-type]
                result = result or staged
                inner = loop
        assert result is not None
        for name in assigned_names(node):
            if name in inner.env and name in frame.env:
                frame.env[name] = (
                    inner.env[name] if name in changed else self.join(frame.env[name], inner.env[name], frame)
                )
                if name not in changed and inner.env[name].tensor is not None:
                    frame.env[name] = inner.env[name]
            elif name in inner.env:
                frame.env[name] = inner.env[name]
        code = node.with_changes(iter=source.code, body=node.body.with_changes(body=nodes_of(result, frame) or [_PASS]))
        return Staged(result.init, [Item(code)])

    def rewidth(self, value: Value, dim: Any, symbols: Any) -> Value:
        """A tensor of the same rank whose last dimension is `dim`."""
        shape = value.tensor.shape if value.tensor is not None else None
        if not shape:
            return value
        dims = (*[d if i == 0 else symbols.unknown("d") for i, d in enumerate(shape[:-1])], dim)
        return dataclasses.replace(value, tensor=TensorType(dims, value.tensor.dtype))  # type: ignore[union-attr]

    def mixed_layers(self, elements: list[Value]) -> bool:
        layers = [element for element in elements if element.layer is not None or element.module is not None]
        return len(layers) > 1 and len({(e.layer.symbol if e.layer else e.module.spec.name) for e in layers}) > 1  # type: ignore[union-attr]

    def unroll(self, node: cst.For, elements: list[Value], frame: Frame) -> Staged:
        """A loop over a list of different layers: each is called in its own way."""
        result = Staged()
        for element in elements:
            assert isinstance(node.target, cst.Name)
            frame.env[node.target.value] = element
            result.extend(self.run(node.body.body, frame))  # type: ignore[arg-type]
        return result

    def carry(self, node: cst.For, source: Value, frame: Frame) -> dict[str, Value]:
        """Generalises what changes from one iteration to the next, before the body is evaluated."""
        trial = frame.child(
            env=dict(frame.env), emit=False, extra=[], prelude=[], scopes=[*frame.scopes[:-1], Scope(frame.scope.path)]
        )
        residuals = list(frame.unit.residuals)
        snapshot = self.snapshot(frame)
        self.bind_target(node.target, self.element_of(source, frame), trial)
        self.bind_widths(node, trial, frame)
        self.run(node.body.body, trial)  # type: ignore[arg-type]
        self.restore(snapshot, frame)
        self.drop_trial(frame.function, residuals, frame.unit.imports)
        carried: dict[str, Value] = {}
        symbols = frame.spec.symbols if frame.spec else self.plain_symbols
        for name, before in list(frame.env.items()):
            after = trial.env.get(name)
            if after is None or after is before:
                continue
            if before.items is not None and after.items is not None and len(before.items) != len(after.items):
                # A list that grows: from here on only what its items look like is known.
                frame.env[name] = self.grown(name, before, after.items[-1], frame)
            elif before.items is not None and after.items is None and after.item is not None:
                frame.env[name] = self.grown(name, before, after.item, frame)
            elif before.known is not UNKNOWN and before.tensor is None and not _same_known(before, after):
                frame.env[name] = dataclasses.replace(before, known=UNKNOWN, dim=symbols.of_code(name))
            elif before.dim is not None and before.tensor is None and not same_dim(before.dim, after.dim):
                frame.env[name] = dataclasses.replace(before, dim=symbols.of_code(name), known=UNKNOWN)
            elif before.tensor is not None and before.tensor.shape is not None:
                shape = after.tensor.shape if after.tensor is not None else None
                if shape is None or len(shape) != len(before.tensor.shape):
                    frame.env[name] = dataclasses.replace(before, tensor=TensorType())
                    continue
                dims = []
                for i, (x, y) in enumerate(zip(before.tensor.shape, shape, strict=True)):
                    if same_dim(x, y):
                        dims.append(x)
                    elif i == len(shape) - 1:
                        carried[name] = before
                        dims.append(symbols.unknown("carried"))
                    else:
                        dims.append(symbols.unknown("d"))
                frame.env[name] = dataclasses.replace(before, tensor=TensorType(tuple(dims), before.tensor.dtype))
        return carried

    def check_carried(self, node: cst.For, carried: dict[str, Value], inner: Frame, frame: Frame) -> None:
        """Class bodies: a width that changes in a loop over layers is threaded by the constructor pass."""
        for name, before in carried.items():
            frame.env[name] = inner.env.get(name, before)
            if frame.emit and frame.spec is not None:
                self.threads.append((frame.spec, node, before, inner.env.get(name)))

    def staged_for(self, node: cst.For, source: Value, frame: Frame) -> Staged:
        """A loop that makes layers and calls them: a loop in the constructor and one in the call."""
        result = Staged()
        before_loop = dict(frame.env)
        carried = self.carry(node, source, frame)
        symbols = frame.spec.symbols  # type: ignore[union-attr]
        for name in sorted(self.width_names(frame).keys() - self.width_names(frame.child(env=before_loop)).keys()):
            started = self.start_widths(name, before_loop[name], frame)
            if started is not None:
                result.init.append(started)
        for name, before in carried.items():
            width = self.width_name(name, frame)
            entry_code = symbols.code(before.tensor.last)  # type: ignore[union-attr]
            if entry_code is None:
                continue
            if entry_code != width:
                result.init.append(_assign(width, entry_code))
            frame.env[width] = Value(cst.Name(width), dim=symbols.of_code(width))
            tensor = frame.env[name].tensor
            frame.env[name] = dataclasses.replace(
                frame.env[name],
                tensor=TensorType((*tensor.shape[:-1], symbols.of_code(width)), tensor.dtype),  # type: ignore
            )
        scope = self.loop_scope(frame)
        inner = frame.child(env=dict(frame.env), scopes=[*frame.scopes, scope])
        element = self.element_of(source, frame)
        self.bind_target(node.target, element, inner)
        init_target = self.bind_widths(node, inner, frame)
        staged = self.run(node.body.body, inner)  # type: ignore[arg-type]
        for name in carried:
            width = self.width_name(name, frame)
            after = inner.env[name].tensor
            code = symbols.code(after.last) if after is not None and after.shape else None
            if code is None:
                frame.unit.residual(
                    frame.function,
                    node,
                    name,
                    f"the last dimension of `{name}` changes in this loop in a way that can't be expressed",
                )
            elif code != width:
                staged.init.append(_assign(width, code))
            if code is not None and self.runs(source, node) and self.is_fixed(after.last, node, frame):  # type: ignore[union-attr]
                continue
            if width in frame.env:
                tensor = inner.env[name].tensor
                inner.env[name] = dataclasses.replace(
                    inner.env[name],
                    tensor=TensorType((*tensor.shape[:-1], symbols.of_code(width)), tensor.dtype),  # type: ignore
                )
        for name in assigned_names(node) - assigned_names_of_target(node.target):
            if name in inner.env:
                frame.env[name] = inner.env[name]
        return self.close_loop(node, init_target, source, staged, scope, inner, frame, result)

    def runs(self, source: Value, node: cst.For) -> bool:
        """Does a loop run at least once, whatever the configuration?"""
        if self.elements(source):
            return True
        call = node.iter
        counted = isinstance(call, cst.Call) and isinstance(call.func, cst.Name) and call.func.value == "range"
        if not counted or len(call.args) != 1:  # type: ignore[attr-defined]
            return False
        count = call.args[0].value  # type: ignore[attr-defined]
        return isinstance(count, cst.Integer) and count.evaluated_value > 0

    def is_fixed(self, dim: Any, node: cst.For, frame: Frame) -> bool:
        """Is a size made of nothing that a loop changes?"""
        if isinstance(dim, int):
            return True
        symbols = frame.spec.symbols  # type: ignore[union-attr]
        codes = {symbols.code_of(name) for name in symbols.names(dim)}
        changed = assigned_names(node) | symbols.local
        return all(code is not None and "[-1]" not in code and not names_in(cst.parse_expression(code)) & changed
                   for code in codes)  # fmt: skip

    def _exec_While(self, node: cst.While, frame: Frame) -> Staged:
        test = self.eval(node.test, frame)
        staged, inner = self.branch(node.body, frame)
        self.merge(frame, frame.child(env=dict(frame.env)), inner)
        if test.is_tensor and frame.mode in ("call", "staged"):
            frame.unit.residual(frame.function, node.test, "while", "a loop that depends on tensor values")
        code = node.with_changes(test=test.code, body=node.body.with_changes(body=nodes_of(staged, frame) or [_PASS]))
        return Staged([code]) if frame.mode == "init" else Staged(staged.init, [Item(code)])

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
        code = node.with_changes(items=kept, body=node.body.with_changes(body=body or [_PASS]))
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
        inner = frame.child(env=dict(frame.env), returns=[])
        for param in [*node.params.params, *node.params.kwonly_params]:
            inner.env[param.name.value] = Value(param.name)
        staged = self.run(node.body.body, inner)  # type: ignore[arg-type]
        code = node.with_changes(body=node.body.with_changes(body=nodes_of(staged, frame)))
        frame.env[node.name.value] = Value(node.name, special=("local_function", node, inner.returns))
        return Staged([code]) if frame.mode == "init" else Staged(staged.init, [Item(code, config=False)])

    def _exec_ClassDef(self, node: cst.ClassDef, frame: Frame) -> Staged:
        frame.unit.residual(frame.function, node, "class", "a class inside a function is not ported")
        return Staged([], [Item(node)])


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
#: Stands for the width that a function returns, until it is known whether all its ways out have one.
RETURNED = "__returned_features__"
_PASS = cst.SimpleStatementLine([cst.Pass()])
_NOTHING = Value(cst.Name("_"))


def nodes_of(staged: Staged, frame: Frame) -> list[cst.BaseStatement]:
    return staged.init if frame.mode == "init" else nodes(staged.call)


def _free(name: str, frame: Frame) -> str:
    while name in frame.env:
        name += "_"
    return name


def _assign(name: str, code: str) -> cst.BaseStatement:
    return cst.parse_statement(f"{name} = {code}")


def _ends(body: cst.BaseSuite) -> bool:
    """Does a block always leave the function?"""
    last = body.body[-1] if body.body else None
    return isinstance(last, cst.SimpleStatementLine) and isinstance(last.body[-1], cst.Return | cst.Raise)


def _same_known(a: Value, b: Value) -> bool:
    return b.known is not UNKNOWN and type(a.known) is type(b.known) and a.known == b.known


def assigned_names_of_target(target: cst.BaseExpression) -> set[str]:
    return assigned_names(cst.Assign([cst.AssignTarget(target)], cst.Name("_")))


def _with_leading(staged: Staged, lines: Sequence[cst.EmptyLine]) -> Staged:
    if lines and staged.init:
        first = staged.init[0]
        staged.init[0] = first.with_changes(leading_lines=[*lines, *first.leading_lines])  # type: ignore[attr-defined]
    elif lines and staged.call:
        first = staged.call[0].node
        staged.call[0].node = first.with_changes(leading_lines=[*lines, *first.leading_lines])  # type: ignore[attr-defined]
    return staged
