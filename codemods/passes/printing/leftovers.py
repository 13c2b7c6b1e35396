"""What can't be ported, and what is left of the framework in what was."""

from __future__ import annotations

import re
from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine.walk import findall
from codemods.passes.names import Reads, assigned_names
from codemods.passes.printing.header import is_import
from codemods.passes.printing.undefined import MODULE, undefined_names

#: How the reason of a residual begins whose cause is another's.
WAITS = "waits for "


class Leftovers:
    """Finds definitions that stay TensorFlow, and code that the port broke."""

    def _failed(self) -> set[str]:
        """Definitions that hold a residual, and those that depend on them."""
        failed = {function.split(".")[0] for function, _ in self.unit.residuals}
        definitions = {**self.unit.classes, **self.unit.functions}
        #: Statements of the module that use what failed, by identity, and the names that they bind.
        self.left: dict[int, str] = {}
        bound: set[str] = set()
        changed = True
        while changed:
            changed = False
            for statement in self.unit.module.body:
                if id(statement) in self.left or _defines(statement):
                    continue
                uses = self._globals_read(statement) & (failed & definitions.keys() | bound)
                if uses:
                    self.left[id(statement)] = sorted(uses)[0]
                    bound |= assigned_names(statement)
                    changed = True
            for name, node in definitions.items():
                uses = self._globals_read(node) & (failed & definitions.keys() | bound)
                if name not in failed and uses:
                    failed.add(name)
                    other = sorted(uses)[0]
                    self.unit.residual(name, node.name, other, f"{WAITS}{other}, which stays TensorFlow for now")
                    changed = True
            # A class whose layers a builder makes stays with it.
            left = {name for name, builder in self.porter.functional.items() if builder in failed} - failed
            failed |= left
            changed |= bool(left)
        return failed

    def _globals_read(self, node: Any) -> set[str]:
        """Names of the module that a definition reads, its own names left out."""
        reads = Reads()
        reads.visit(node)
        return reads.reads - reads.writes

    def _check(self, name: str, statement: Any, new: list[Any]) -> None:
        """What is left of the framework, or of our own markers, in code that should be ported.

        Where the statement has a residual already, that is the cause: what it left behind is no second one.
        """
        if self._is_marked(name, statement):
            return
        reads = Reads()
        for part in new:
            reads.visit(part)
        for left in sorted(reads.reads - reads.writes):
            if left in self.framework_names - self.unit.helpers.keys() or re.fullmatch(r"__[a-z]+_\d+__", left):
                reason = (
                    f"`{left}` is left in the ported code"
                    if left in self.framework_names
                    else "made where the port can't follow it"
                )
                self.unit.residual(name, statement, left if left in self.framework_names else name, reason)

    def _is_marked(self, name: str, statement: Any) -> bool:
        """Is there a residual of this definition, or, at module level, of this statement?"""
        if name != MODULE:
            return any(owner.split(".")[0] == name for owner, _ in self.unit.residuals)
        span = self.unit.span(statement)
        return any(
            owner == MODULE and r.span is not None and span.line <= r.span.line <= (span.end_line or span.line)
            for owner, r in self.unit.residuals
        )

    def _check_names(self, source: str) -> None:
        """Names that the port reads and nothing binds any more."""
        if self.drop_failed:
            return
        missing = undefined_names(source)
        before = undefined_names(self.unit.module.code) if missing else {}
        lost = set().union(*before.values(), set())
        for owner, names in sorted(missing.items()):
            statement = self.origin.get(owner)
            function = getattr(getattr(statement, "name", None), "value", MODULE)
            if function != MODULE and any(owner.split(".")[0] == function for owner, _ in self.unit.residuals):
                continue
            places = [statement] if statement is not None else [
                s for s in self.unit.module.body if not isinstance(s, cst.ClassDef | cst.FunctionDef)
            ]  # fmt: skip
            for name in sorted(names - lost):
                node = next((found for place in places for found in findall(place, m.Name(name))), self.unit.module)
                self.unit.residual(function, node, name, f"`{name}` is read here, and the port no longer defines it")

    def _waiting(self, statement: Any) -> Any:
        """The original of a statement of the module, with a comment that says what it waits for."""
        comment = cst.EmptyLine(comment=cst.Comment(f"# jaxport: {WAITS}{self.left[id(statement)]}"))
        return statement.with_changes(leading_lines=[*statement.leading_lines, comment])

    def _marked(self, statement: Any) -> Any:
        """The original, with a comment that says why it was left."""
        name = statement.name.value
        comments = []
        for function, residual in self.unit.residuals:
            if function.split(".")[0] == name and residual.span is not None:
                comments.append(f"# jaxport: line {residual.span.line}: {residual.symbol}: {residual.reason}")
        lines = [cst.EmptyLine(comment=cst.Comment(" ".join(c.split()))) for c in comments]
        return statement.with_changes(leading_lines=[*statement.leading_lines, *lines])


def _defines(statement: Any) -> bool:
    """Is this a definition, or does it import?"""
    return isinstance(statement, cst.ClassDef | cst.FunctionDef) or is_import(statement)
