"""A BUILD file as a tree that keeps every byte: Starlark as BUILD files use it is Python to LibCST."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import libcst as cst
from libcst import metadata

from parity.errors import BadInputError


@dataclasses.dataclass(frozen=True)
class Target:
    """One rule or macro at the top of a file.

    Attributes:
      rule: what is called, as written.
      name: its name.
      call: the call.
      statement: the statement that it is.
    """

    rule: str
    name: str
    call: cst.Call
    statement: cst.SimpleStatementLine

    def value(self, attribute: str) -> cst.BaseExpression | None:
        """What an attribute is set to; None where it is not."""
        for arg in self.call.args:
            if arg.keyword is not None and arg.keyword.value == attribute:
                return arg.value
        return None

    def strings(self, attribute: str) -> list[str] | None:
        """The strings of an attribute; None where it is absent or not a plain list."""
        value = self.value(attribute)
        if not isinstance(value, cst.List):
            return None
        found = [e.value.evaluated_value for e in value.elements if isinstance(e.value, cst.SimpleString)]
        return [str(item) for item in found] if len(found) == len(value.elements) else None


class BuildFile:
    """A BUILD file.

    Args:
      text: of the file.
      path: how messages name it.

    Raises:
      BadInputError: it can't be parsed; the line is in the error.
    """

    def __init__(self, text: str, path: str):
        self.text, self.path = text, path
        try:
            parsed = cst.parse_module(text)
        except cst.ParserSyntaxError as error:
            raise BadInputError("is not a BUILD file that can be parsed", path, error.raw_line) from error
        wrapper = metadata.MetadataWrapper(parsed, unsafe_skip_copy=True)
        self.module = wrapper.module
        self._positions = wrapper.resolve(metadata.PositionProvider)

    @property
    def targets(self) -> list[Target]:
        """Targets whose names are written out, in the order of the file."""
        return list(self._targets())

    def _targets(self) -> Iterator[Target]:
        for statement in self.module.body:
            if not isinstance(statement, cst.SimpleStatementLine) or not isinstance(statement.body[0], cst.Expr):
                continue
            call = statement.body[0].value
            if not isinstance(call, cst.Call):
                continue
            for arg in call.args:
                named = arg.keyword is not None and arg.keyword.value == "name"
                if named and isinstance(arg.value, cst.SimpleString):
                    rule = self.module.code_for_node(call.func)
                    yield Target(rule, str(arg.value.evaluated_value), call, statement)

    def target(self, name: str) -> Target | None:
        """The target of a name."""
        return next((target for target in self.targets if target.name == name), None)

    def with_source(self, file: str, *rules: str) -> Target | None:
        """The first target of some rules that has a file of this package among its sources."""
        for target in self.targets:
            if target.rule in rules and {file, f":{file}"} & set(target.strings("srcs") or ()):
                return target
        return None

    def line(self, target: Target) -> int:
        """The line that a target begins at."""
        return self._positions[target.call].start.line

    def last_line(self, target: Target) -> int:
        """The line that it ends at."""
        return self._positions[target.call].end.line

    def after(self, target: Target, text: str) -> str:
        """The file with more text after a target, a blank line between."""
        lines = self.text.splitlines(keepends=True)
        end = self.last_line(target)
        head = "".join(lines[:end])
        return f"{head if head.endswith(chr(10)) else head + chr(10)}\n{text}{''.join(lines[end:])}"

    def replaced(self, old: cst.CSTNode, new: cst.CSTNode) -> str:
        """The file with another node in the place of one."""
        return self.module.deep_replace(old, new).code  # type: ignore[arg-type, attr-defined]

    def with_attribute(self, target: Target, name: str, value: cst.BaseExpression) -> str:
        """The file with one more attribute at the end of a target."""
        lines = self.text.splitlines(keepends=True)
        row = f"    {name} = {self.module.code_for_node(value)},\n"
        end = self.last_line(target) - 1
        if end > self.line(target) - 1 and lines[end].startswith(")"):
            return "".join([*lines[:end], row, *lines[end:]])
        last = target.call.args[-1]
        more = cst.Arg(value, keyword=cst.Name(name))
        comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
        call = target.call.with_changes(args=[*target.call.args[:-1], last.with_changes(comma=comma), more])
        return self.replaced(target.call, call)


def quoted(value: str) -> str:
    """A string as Starlark writes it."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
