"""Puts the ported file together: imports, helpers, definitions in their order."""

from __future__ import annotations

from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine.precedence import parenthesised
from codemods.engine.walk import names_in as _all_names
from codemods.layout.format import formatted
from codemods.linking.unlink import imports_of, own_names
from codemods.passes.names import ReplaceNames
from codemods.passes.porter import Porter
from codemods.passes.printing.header import Header, after_docstring, bound_names, is_import, sorted_imports
from codemods.passes.printing.late_imports import with_late_imports
from codemods.passes.printing.leftovers import Leftovers
from codemods.passes.printing.partials import Partials
from codemods.passes.printing.signatures import with_signatures
from codemods.passes.printing.tables import table_statements
from codemods.passes.printing.undefined import defined_names, undefined_names


class Output(Leftovers, Partials, Header):
    """The text of the ported module, and what it took."""

    def __init__(self, porter: Porter, drop_failed: bool = False):
        """`drop_failed`: leave out what can't be ported, for a module that holds the ported part alone."""
        self.porter = porter
        self.unit = porter.unit
        self.drop_failed = drop_failed
        self.printed: list[Any] = []
        self.framework_names = {
            name for s in self.unit.module.body if isinstance(s, cst.SimpleStatementLine)
            for small in s.body if isinstance(small, cst.Import | cst.ImportFrom) and self.unit.is_framework_import(small)
            for name in bound_names(cst.SimpleStatementLine([small]))
        }  # fmt: skip
        self.failed = self._failed()
        self.ported: list[str] = []
        #: The statement of the original that a definition of the port comes from.
        self.origin: dict[str, Any] = {}

    def text(self) -> str:
        """The port as one module."""
        self.bodies = [self._statement(statement) for statement in self.unit.module.body]
        formatted = self._assembled([part for body in self.bodies for part in body], list(self.unit.module.body))
        self._check_names(formatted)
        return formatted

    def texts(self) -> dict[str, str]:
        """The port as one module per file; after `text`, which finds what is wrong with it as a whole."""
        linked = self.unit.linked
        if linked is None:
            return {
                self.unit.file: self._assembled([p for body in self.bodies for p in body], list(self.unit.module.body))
            }
        starts = [sum(linked.statements[:i]) for i in range(len(linked.files))]
        ends = [*starts[1:], len(self.bodies)]
        parts = {
            file.path: ([p for body in self.bodies[a:b] for p in body], list(self.unit.module.body[a:b]))
            for file, a, b in zip(linked.files, starts, ends, strict=True)
        }
        first = {path: self._assembled(*part) for path, part in parts.items()}
        homes = {name: path for path, source in first.items() for name in defined_names(source)}
        result = {}
        for file in linked.files:
            body, original = parts[file.path]
            missing = set().union(*undefined_names(first[file.path]).values(), set())
            lines = imports_of(linked, file, missing, homes)
            source = self._assembled([*[cst.parse_statement(line) for line in lines], *body], original)
            own = own_names(linked, file.path)
            if own:
                source = format_module(
                    cst.parse_module(source).visit(ReplaceNames({a: cst.Name(b) for a, b in own.items()})).code
                )  # type: ignore[union-attr]
            if source.strip() or file.path == self.unit.file:  # nothing is left of a file that only passes names on
                result[file.path] = source
        return result

    def _assembled(self, body: list[Any], original: list[Any]) -> str:
        """Statements with the imports, helpers and partials that they need."""
        module = self.unit.module
        body = self._partials(body)
        self._wanted = self._helpers_read(body)
        imports_at: int | None = next((i for i, s in enumerate(body) if is_import(s)), None)
        reads = set().union(*[_all_names(s) for s in body], set())
        self._tables = table_statements(reads, self.unit.wrapper.module)
        kept_imports = [s for s in body if is_import(s)]
        lines = self._import_lines(body, kept_imports)
        if imports_at is None:
            imports_at = after_docstring(body)
        kept, body = self._drop_unused_imports(body, original)
        imports_at = min(imports_at, len(body))
        header = [cst.parse_statement(line) for line in lines]
        block = sorted_imports([*header, *[s for s in body if is_import(s)]])
        rest = [s for s in body if not is_import(s)]
        at = after_docstring(rest)
        extra = self._helpers()
        new_body = [*rest[:at], *block, *self._partial_statements(), *self._tables, *extra, *rest[at:]]
        tree = module.with_changes(body=[parenthesised(s) for s in new_body])
        return format_module(tree.code)

    def _statement(self, statement: Any) -> list[Any]:
        new = [] if _sets_docstring(statement) else self._ported(statement)
        if isinstance(statement, cst.ClassDef | cst.FunctionDef) and statement.name.value not in self.failed:
            new = [with_signatures(part, self.unit) for part in new]
            if statement.name.value in self.unit.specs:
                lines = self.porter.imports_of(statement.name.value)
                new = [with_late_imports(part, lines) for part in new] if lines else new
        name = statement.name.value if isinstance(statement, cst.ClassDef | cst.FunctionDef) else "<module>"
        for part in new:
            self.origin.setdefault(
                part.name.value if isinstance(part, cst.ClassDef | cst.FunctionDef) else "", statement
            )
        if name not in self.failed and not is_import(statement) and id(statement) not in self.left:
            self._check(name, statement, new)
        return new

    def _nested(self, name: str) -> list[Any]:
        """Classes of Sequential models and of helpers that are written inside a definition."""
        found = []
        for spec in self.unit.specs.values():
            if (
                (spec.kind == "sequential" or spec.source in self.porter.lifted)
                and spec.source.startswith(f"{name}.")
                and spec.analysed
                and spec not in self.printed
            ):
                self.printed.append(spec)
                self.porter.finalise(spec)
                found.extend(self.porter.emit(spec))
        return [part.with_changes(leading_lines=[cst.EmptyLine(indent=False)] * 2) for part in found]

    def _ported(self, statement: Any) -> list[Any]:
        if isinstance(statement, cst.SimpleStatementLine) and any(
            isinstance(s, cst.Import | cst.ImportFrom) and self.unit.is_framework_import(s) for s in statement.body
        ):
            if self.failed and not self.drop_failed:
                return [statement]
            rest = [s for s in statement.body if not self.unit.is_framework_import(s)]  # type: ignore[arg-type]
            return [statement.with_changes(body=rest)] if rest else []
        if isinstance(statement, cst.ClassDef | cst.FunctionDef):
            name = statement.name.value
            if name in self.porter.absorbed and (name not in self.porter.functional or name not in self.failed):
                return []
            if name in self.failed:
                return [] if self.drop_failed else [self._marked(statement)]
            self.ported.append(name)
            spec = self.unit.specs.get(name)
            if spec is not None and spec.analysed:
                new = self._nested(name) + self.porter.emit(spec)
                lead = statement.leading_lines
                for i, part in enumerate(new):
                    new[i] = part.with_changes(leading_lines=lead if i == 0 else [cst.EmptyLine(indent=False)] * 2)  # type: ignore
                return [*new, *self.porter.moved_functions(name)]
            if isinstance(statement, cst.FunctionDef):
                ported = self.porter.port_function(statement)
                return [*self._nested(name), *ported]
            return self.porter.port_class(statement)
        if self.drop_failed and isinstance(statement, cst.If):
            return []
        if id(statement) in self.left:
            return [] if self.drop_failed else [self._waiting(statement)]
        new = self.porter.port_statement(statement)
        return [*self._nested("<module>"), *new]


_WIDTH = 128


def format_module(source: str) -> str:
    """Line breaks as a formatter would set them; the author's quotes stay."""
    try:
        return formatted(source, _WIDTH)
    except Exception:
        return source


def _sets_docstring(statement: Any) -> bool:
    """`f.__doc__ = TEXT`, or the same by `setattr`: the definition's own docstring stays."""
    target = m.AssignTarget(target=m.Attribute(attr=m.Name("__doc__")))
    setting = m.Call(
        func=m.Name("setattr"), args=[m.DoNotCare(), m.Arg(value=m.SimpleString('"__doc__"')), m.DoNotCare()]
    )
    return m.matches(
        statement, m.SimpleStatementLine(body=[m.OneOf(m.Assign(targets=[target]), m.Expr(value=setting))])
    )
