"""Comprehensions that make layers and call them, as loops."""

from __future__ import annotations

from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine.walk import findall, walk
from codemods.passes.expressions.parts import map_children
from codemods.passes.frame import Frame


class SpreadComprehensions:
    """Writes such a comprehension as the loop that it stands for."""

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


def _free(name: str, frame: Frame) -> str:
    while name in frame.env:
        name += "_"
    return name
