"""Makes requests of what a port leaves: one for each statement that rules can't rewrite."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from agent.reading import names_read
from agent.records import Cause, Request, Subject
from agent.regions import Region, Source, grouped, source_of
from codemods.engine import rule as rules
from codemods.passes.printing.leftovers import WAITS
from codemods.port import Port

#: Facts of one run that are told of one definition.
_MOST_FACTS = 8


@dataclasses.dataclass(frozen=True)
class Asked:
    """A request, and where its region stands.

    Attributes:
      request: what is asked.
      file: the file, as residuals name it.
      region: the statement in the file's text.
      residuals: those in it, as the port lists them.
      after: definitions with requests of their own that this one's reads; to be asked about first.
    """

    request: Request
    file: str
    region: Region
    residuals: tuple[Mapping[str, Any], ...]
    after: tuple[str, ...] = ()

    @property
    def settles(self) -> Literal["rule", "edit"]:
        """Is each of its symbols one without a rule? Where there is one, it is the use of it that rules do not know."""
        symbols = {residual["symbol"] for residual in self.residuals}
        is_api = [s.startswith("tf.") and s not in rules.RULES and s not in rules.OBJECTS for s in symbols]
        return "rule" if all(is_api) else "edit"

    @property
    def place(self) -> dict[str, int]:
        """Where its residuals stand, from the first to the last."""
        first, last = self.residuals[0], self.residuals[-1]
        begin = {name: first[name] for name in ("line", "column")}
        return begin | {name: last[name] for name in ("end_line", "end_column")}

    @property
    def key(self) -> str:
        return self.request.subject.key


def asked(port: Port, sources: Mapping[str, str]) -> list[Asked]:
    """The requests of a port, in the order of the source.

    Args:
      port: with its residuals.
      sources: the text of each file that is ported, by the names that residuals use.
    """
    residuals = [r for r in port.residuals()["residuals"] if not r["reason"].startswith(WAITS)]
    signatures = _signatures(port)
    definitions = {r["function"].split(".")[0] for r in residuals}
    read = names_read(port.unit.module.code) if residuals else {}
    found = []
    for file, text in sources.items():
        here = [r for r in residuals if r["file"] == file]
        if not here:
            continue
        source = source_of(text)
        for region, causes in grouped(source, here).items():
            subject = _subject(source, region, causes)
            own = subject.function.split(".")[0]
            # By the module's names, which are not the file's where several are ported together.
            reads = read.get(own) or {n.id for n in ast.walk(_tree(subject.definition)) if isinstance(n, ast.Name)}
            reads = reads - {own}
            request = Request(
                subject=subject,
                reasons=tuple(c["reason"] for c in causes),
                dependencies=tuple(text for name, text in signatures.items() if name in reads),
                facts=tuple(_facts(port.trace, own)),
            )
            found.append(Asked(request, file, region, tuple(causes), tuple(sorted(reads & definitions))))
    return found


def _subject(source: Source, region: Region, causes: list[Mapping[str, Any]]) -> Subject:
    start, end = region.definition
    first_line, first_column = source.lines.place(start)
    line, column = source.lines.place(region.start)
    return Subject(
        function=region.function,
        definition=source.text[start:end],
        region=source.text[region.start : region.end],
        line=line - first_line,
        column=column - first_column if line == first_line else column,
        causes=tuple(
            Cause(
                symbol=c["symbol"],
                text=source.text[
                    source.lines.offset(c["line"], c["column"]) : source.lines.offset(c["end_line"], c["end_column"])
                ],
                line=c["line"] - first_line,
                column=c["column"],
            )
            for c in causes
        ),
    )


def _tree(code: str) -> ast.AST:
    try:
        return ast.parse(code)
    except SyntaxError:  # a statement of a class, cut out
        return ast.Module([], [])


def _signatures(port: Port) -> dict[str, str]:
    """What is ported already, without its bodies."""
    found = {}
    for node in ast.parse(port.source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name not in port.output.failed:
            found[node.name] = _without_body(node)
    return found


def _without_body(node: ast.FunctionDef | ast.ClassDef) -> str:
    if isinstance(node, ast.FunctionDef):
        head = ast.unparse(
            ast.FunctionDef(**{**_fields(node), "body": [ast.Expr(ast.Constant(...))], "decorator_list": []})
        )
        return head.replace("\n    ...", " ...")
    methods = [_without_body(n) for n in node.body if isinstance(n, ast.FunctionDef)]
    bases = ", ".join(ast.unparse(base) for base in node.bases)
    return "\n    ".join([f"class {node.name}({bases}):", *methods])


def _fields(node: ast.AST) -> dict[str, Any]:
    return {**dict(ast.iter_fields(node)), "lineno": 1, "col_offset": 0}


def _facts(trace: Mapping[str, Any], name: str) -> Iterator[str]:
    """What one run of the original showed of a class: shapes of inputs and outputs, and its variables."""
    objects = [o for o in trace.get("objects", ()) if o["class"] == name and o.get("user")][:1]
    lines = []
    for entry in objects:
        for call in entry.get("calls", ())[:2]:
            method = call.get("method") or "call"
            lines.append(
                f"{name}.{method} was called with {_shape(call.get('inputs'))} and gave {_shape(call.get('outputs'))}"
            )
        for variable in entry.get("variables", ()):
            kind = "a weight" if variable["trainable"] else "a variable that is not trained"
            lines.append(f"self.{variable['attr']} is {kind}, {variable['dtype']}{variable['shape']}")
    yield from lines[:_MOST_FACTS]


def _shape(tree: Any) -> str:
    if isinstance(tree, Mapping) and "shape" in tree and "dtype" in tree:
        return f"{tree['dtype']}{tree['shape']}"
    if isinstance(tree, Mapping):
        return "{" + ", ".join(f"{key!r}: {_shape(value)}" for key, value in tree.items()) + "}"
    if isinstance(tree, list):
        return "[" + ", ".join(map(_shape, tree)) + "]"
    return repr(tree)
