"""Puts the ported file together: imports, helpers, definitions in their order."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine import rule as rules
from codemods.engine.precedence import parenthesised
from codemods.engine.walk import Rewriter, findall, identifiers, mapped
from codemods.engine.walk import names_in as _all_names
from codemods.layout.format import formatted
from codemods.linking.unlink import imports_of, own_names
from codemods.passes.late_imports import with_late_imports
from codemods.passes.names import Reads, ReplaceNames
from codemods.passes.porter import Porter
from codemods.passes.signatures import with_signatures
from codemods.passes.tables import table_statements
from codemods.passes.undefined import MODULE, defined_names, undefined_names
from codemods.passes.values import text

_WIDTH = 128
#: Metadata of a weight that tells its penalty.
_PENALTY = m.DictElement(m.SimpleString('"penalty"')) | m.Arg(keyword=m.Name("penalty"))
#: Order of import lines, as a formatter would sort them.
_STANDARD = ("functools", "math", "operator")


class Output:
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
            for name in _bound(cst.SimpleStatementLine([small]))
        }  # fmt: skip
        self.failed = self._failed()
        self.ported: list[str] = []
        #: The statement of the original that a definition of the port comes from.
        self.origin: dict[str, Any] = {}

    # -- what can't be ported --------------------------------------------------------------------

    def _failed(self) -> set[str]:
        """Definitions that hold a residual, and those that depend on them."""
        failed = {function.split(".")[0] for function, _ in self.unit.residuals}
        definitions = {**self.unit.classes, **self.unit.functions}
        changed = True
        while changed:
            changed = False
            for name, node in definitions.items():
                uses = self._globals_read(node) & failed & definitions.keys()
                if name not in failed and uses:
                    failed.add(name)
                    other = sorted(uses)[0]
                    self.unit.residual(name, node.name, other, f"waits for {other}, which stays TensorFlow for now")
                    changed = True
        return failed

    def _globals_read(self, node: Any) -> set[str]:
        """Names of the module that a definition reads, its own names left out."""
        reads = Reads()
        reads.visit(node)
        return reads.reads - reads.writes

    # -- assembly --------------------------------------------------------------------------------

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
                source = _format(
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
        imports_at: int | None = next((i for i, s in enumerate(body) if _is_import(s)), None)
        reads = set().union(*[_all_names(s) for s in body], set())
        self._tables = table_statements(reads, self.unit.wrapper.module)
        kept_imports = [s for s in body if _is_import(s)]
        lines = self._import_lines(body, kept_imports)
        if imports_at is None:
            imports_at = _after_docstring(body)
        kept, body = self._drop_unused_imports(body, original)
        imports_at = min(imports_at, len(body))
        header = [cst.parse_statement(line) for line in lines]
        block = _sorted_imports([*header, *[s for s in body if _is_import(s)]])
        rest = [s for s in body if not _is_import(s)]
        at = _after_docstring(rest)
        extra = self._helpers()
        new_body = [*rest[:at], *block, *self._partial_statements(), *self._tables, *extra, *rest[at:]]
        tree = module.with_changes(body=[parenthesised(s) for s in new_body])
        return _format(tree.code)

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
        if name not in self.failed and not _is_import(statement):
            self._check(name, statement, new)
        return new

    def _check(self, name: str, statement: Any, new: list[Any]) -> None:
        """What is left of the framework, or of our own markers, in code that should be ported."""
        reads = Reads()
        for part in new:
            reads.visit(part)
        for left in sorted(reads.reads - reads.writes):
            if left in self.framework_names or re.fullmatch(r"__[a-z]+_\d+__", left):
                reason = (
                    f"`{left}` is left in the ported code"
                    if left in self.framework_names
                    else "made where the port can't follow it"
                )
                self.unit.residual(name, statement, left if left in self.framework_names else name, reason)

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

    def _nested(self, name: str) -> list[Any]:
        """Classes of Sequential models that are written inside a definition."""
        found = []
        for spec in self.unit.specs.values():
            if (
                spec.kind == "sequential"
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
            if name in self.porter.absorbed:
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
        new = self.porter.port_statement(statement)
        return [*self._nested("<module>"), *new]

    def _marked(self, statement: Any) -> Any:
        """The original, with a comment that says why it was left."""
        name = statement.name.value
        comments = []
        for function, residual in self.unit.residuals:
            if function.split(".")[0] == name and residual.span is not None:
                comments.append(f"# jaxport: line {residual.span.line}: {residual.symbol}: {residual.reason}")
        lines = [cst.EmptyLine(comment=cst.Comment(" ".join(c.split()))) for c in comments]
        return statement.with_changes(leading_lines=[*statement.leading_lines, *lines])

    # -- imports ---------------------------------------------------------------------------------

    def _import_lines(self, body: list[Any], kept: list[Any]) -> list[str]:
        reads = set().union(*[_all_names(s) for s in body if not _is_import(s)], set())
        helpers = self._helper_source()
        reads |= _all_names(cst.parse_module(helpers)) if helpers else set()
        reads |= set().union(*[_all_names(table) for table in self._tables], set())
        reads |= {name for line in self._partial_lines() for name in _all_names(cst.parse_module(line))}
        bound = {name for s in kept for name in _bound(s)}
        return sorted({line for name, line in rules.IMPORTS.items() if name in reads and name not in bound})

    def _drop_unused_imports(self, body: list[Any], original: list[Any]) -> tuple[set[str], list[Any]]:
        """Imports that only TensorFlow code used go; those never used were the author's choice and stay."""
        before = set().union(*[_all_names(s) for s in original if not _is_import(s)], set())
        after = set().union(*[_all_names(s) for s in body if not _is_import(s)], set())
        result = []
        for statement in body:
            if _is_import(statement):
                names = _bound(statement)
                if names and names <= before and not names & after:
                    continue
            result.append(statement)
        return after, result

    # -- helpers and partials ----------------------------------------------------------------------

    def _helpers_read(self, body: list[Any]) -> list[str]:
        """Helpers that statements read, and those that helpers read."""
        helpers = self.unit.helpers
        found = set().union(*[_all_names(s) for s in body if not _is_import(s)], set()) & helpers.keys()
        if "penalties" in helpers and any(m.findall(s, _PENALTY) for s in body):
            found.add("penalties")  # for a loss of the user's own
        todo = list(found)
        while todo:
            inner = _all_names(cst.parse_module(inspect.getsource(helpers[todo.pop()]))) & helpers.keys() - found
            found |= inner
            todo += inner
        return sorted(found)

    def _helper_source(self) -> str:
        helpers, used = self.unit.helpers, self._wanted
        return "\n\n\n".join(inspect.getsource(helpers[name]).rstrip().replace("  # fmt: skip", "") for name in used)

    def _helpers(self) -> list[Any]:
        source = self._helper_source()
        if not source:
            return []
        statements = list(cst.parse_module(source + "\n").body)
        return [s.with_changes(leading_lines=[cst.EmptyLine(indent=False)] * 2) for s in statements]  # type: ignore

    def _partials(self, body: list[Any]) -> list[Any]:
        """States keywords that are there because defaults differ once, at the top."""
        self._hoisted: dict[str, tuple[str, dict[str, str]]] = {}
        here = set().union(*[{text(c.func) for c in findall(s, m.Call())} for s in body if not _is_import(s)], set())
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
        return [s if _is_import(s) or not self._hoisted else s.visit(_UsePartials(self._hoisted)) for s in body]

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


def _free(statement: Any) -> set[str]:
    reads = Reads()
    reads.visit(statement)
    return reads.reads - reads.writes


def _is_import(statement: Any) -> bool:
    return isinstance(statement, cst.SimpleStatementLine) and all(
        isinstance(s, cst.Import | cst.ImportFrom) for s in statement.body
    )


def _bound(statement: Any) -> set[str]:
    names: set[str] = set()
    for small in statement.body:
        if isinstance(small.names, cst.ImportStar):
            continue
        for alias in small.names:
            if alias.asname is not None:
                names.add(alias.asname.name.value)
            else:
                node = alias.name
                while isinstance(node, cst.Attribute):
                    node = node.value
                names.add(node.value)
    return names


def _after_docstring(body: list[Any]) -> int:
    first = body[0] if body else None
    is_doc = (
        isinstance(first, cst.SimpleStatementLine) and isinstance(first.body[0], cst.Expr)
        and isinstance(first.body[0].value, cst.SimpleString | cst.ConcatenatedString)
    )  # fmt: skip
    return 1 if is_doc else 0


def _sorted_imports(statements: list[Any]) -> list[Any]:
    """`__future__`, the standard library, then the rest, each sorted, a blank line between."""
    import sys

    def root(statement: Any) -> str:
        small = statement.body[0]
        node = small.module if isinstance(small, cst.ImportFrom) else small.names[0].name
        while isinstance(node, cst.Attribute):
            node = node.value
        return node.value if node is not None else "."

    def key(statement: Any) -> tuple[Any, ...]:
        small = statement.body[0]
        relative = isinstance(small, cst.ImportFrom) and bool(small.relative)
        name = "" if relative else root(statement)
        group = 0 if name == "__future__" else 1 if name in sys.stdlib_module_names else 3 if relative else 2
        module = text(small.module) if isinstance(small, cst.ImportFrom) and small.module is not None else (
            text(small.names[0].name) if isinstance(small, cst.Import) else "")  # fmt: skip
        return group, isinstance(small, cst.ImportFrom), module.lower()

    ordered = sorted(statements, key=key)
    result: list[Any] = []
    for i, statement in enumerate(ordered):
        comments = [line for line in statement.leading_lines if line.comment is not None]
        blank = i == 0 or key(statement)[0] != key(ordered[i - 1])[0]
        result.append(statement.with_changes(leading_lines=([cst.EmptyLine(indent=False)] if blank else []) + comments))
    return result


def _format(source: str) -> str:
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
