"""Evaluates statements."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from codemods.passes.expressions.expressions import Expressions
from codemods.passes.frame import Frame
from codemods.passes.placing.placing import Placing
from codemods.passes.placing.staging import Item, Staged
from codemods.passes.statements.assignments import Assignments
from codemods.passes.statements.blocks import Blocks
from codemods.passes.statements.branches import Branches
from codemods.passes.statements.counted_loops import CountedLoops
from codemods.passes.statements.layer_loops import LayerLoops
from codemods.passes.statements.loops import Loops
from codemods.passes.statements.simple import SimpleStatements
from codemods.passes.statements.spread import SpreadComprehensions


class Statements(
    Assignments,
    SimpleStatements,
    SpreadComprehensions,
    Branches,
    CountedLoops,
    Loops,
    LayerLoops,
    Blocks,
    Placing,
    Expressions,
):
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

    def statement(self, node: cst.BaseStatement, frame: Frame) -> Staged:
        method = getattr(self, f"_exec_{type(node).__name__}", None)
        if method is None:
            frame.unit.residual(
                frame.function, node, type(node).__name__.lower(), "this kind of statement is not ported"
            )
            return Staged(call=[Item(node)])
        return method(node, frame)
