"""Simple statements but assignments: expressions, returns, assertions, imports."""

from __future__ import annotations

from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine.walk import findall
from codemods.passes.frame import Frame
from codemods.passes.modules import OUT_FEATURES, ModuleSpec
from codemods.passes.names import RenameMarkers, assigned_names, read_names
from codemods.passes.pieces import assign_name
from codemods.passes.placing.staging import Item, Staged
from codemods.passes.values import Value

#: Stands for the width that a function returns, until it is known whether all its ways out have one.
RETURNED = "__returned_features__"


class SimpleStatements:
    """Statements of one line."""

    def _exec_SimpleStatementLine(self, node: cst.SimpleStatementLine, frame: Frame) -> Staged:
        result = Staged()
        spread = self.spread_comprehensions(node, frame)
        if spread is not None:
            return self.run(spread, frame)
        parts = [part for small in node.body for part in self.told_apart(small, frame)]
        for i, small in enumerate(parts):
            line = node.with_changes(body=[small.with_changes(semicolon=cst.MaybeSentinel.DEFAULT)])
            if i:
                line = line.with_changes(leading_lines=[])
            if i < len(parts) - 1:
                line = line.with_changes(trailing_whitespace=cst.TrailingWhitespace())
            result.extend(self.small(line, small, frame))
        return result

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
            frame.extra.append(assign_name(RETURNED, code))

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
