"""Keywords that state where defaults differ from Flax's: said once, at the top."""

from __future__ import annotations

from collections import Counter
from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine.walk import Rewriter, findall, identifiers, mapped
from codemods.engine.walk import names_in as _all_names
from codemods.passes.printing.header import is_import
from codemods.passes.values import text


class Partials:
    """`Linear = functools.partial(nnx.Linear, ...)` for keywords that all calls share."""

    def _partials(self, body: list[Any]) -> list[Any]:
        """States keywords that are there because defaults differ once, at the top."""
        self._hoisted: dict[str, tuple[str, dict[str, str]]] = {}
        here = set().union(*[{text(c.func) for c in findall(s, m.Call())} for s in body if not is_import(s)], set())
        calls = Counter(text(call.func) for call, _ in self.porter.made_calls)
        taken = set().union(*[_all_names(s) for s in body], set())
        for target in sorted(calls.keys() & here):
            every = [(call, ledger) for call, ledger in self.porter.made_calls if text(call.func) == target]
            name = target.rsplit(".", 1)[-1]
            if not target.startswith("nnx.") or name in taken - {"nnx"} or not name[:1].isupper():
                continue
            common = frozenset.intersection(
                *[ledger | {a.keyword.value for a in call.args if a.keyword} for call, ledger in every]
            )
            stated: dict[str, str] = {}
            for keyword in sorted(common):
                values = {
                    text(a.value) for call, ledger in every if keyword in ledger
                    for a in call.args if a.keyword is not None and a.keyword.value == keyword
                }  # fmt: skip
                if len(values) == 1:
                    stated[keyword] = values.pop()
            if stated:
                self._hoisted[target] = (name, stated)
        return [s if is_import(s) or not self._hoisted else s.visit(_UsePartials(self._hoisted)) for s in body]

    def _partial_lines(self) -> list[str]:
        lines = []
        for target, (name, stated) in self._hoisted.items():
            keywords = ", ".join(f"{keyword}={value}" for keyword, value in stated.items())
            lines.append(f"{name} = functools.partial({target}, {keywords})")
        return lines

    def _partial_statements(self) -> list[Any]:
        lines = self._partial_lines()
        if not lines:
            return []
        source = "# Keras defaults that differ from Flax's.\n" + "\n".join(lines) + "\n"
        statements = list(cst.parse_module(source).body)
        comment = cst.EmptyLine(comment=cst.Comment("# Keras defaults that differ from Flax's."))
        statements[0] = cst.parse_statement(lines[0]).with_changes(leading_lines=[cst.EmptyLine(indent=False), comment])  # type: ignore
        return statements


class _UsePartials(Rewriter):
    """`nnx.Linear(a, b, kernel_init=K)` to `Linear(a, b)`, where `Linear` states `kernel_init=K`."""

    def __init__(self, hoisted: dict[str, tuple[str, dict[str, str]]]):
        self.hoisted = hoisted

    def rewritten(self, node: Any) -> Any:
        if "nnx" not in identifiers(node):
            return node
        node = mapped(node, self.rewritten)
        found = self.hoisted.get(text(node.func)) if isinstance(node, cst.Call) else None
        if found is None:
            return node
        name, stated = found
        given = {arg.keyword.value: text(arg.value) for arg in node.args if arg.keyword is not None}
        if not any(given.get(keyword) == value for keyword, value in stated.items()):
            return node
        args = [arg for arg in node.args if arg.keyword is None or stated.get(arg.keyword.value) != text(arg.value)]
        args[-1] = args[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        return node.with_changes(func=cst.Name(name), args=args)
