"""Puts defects into ports, as a careless author might: one in each copy."""

from __future__ import annotations

import ast
import copy
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

#: Methods that every module has.
_ALWAYS = ("__init__", "__call__", "setup")


@dataclasses.dataclass(frozen=True)
class Defect:
    """A port with one defect.

    Attributes:
      kind: of defect.
      place: the line of the sound port, and what stood there.
      text: the port with it.
    """

    kind: str
    place: str
    text: str


def defects(port: str) -> Iterator[Defect]:
    """All defects of one port, in the order of its code."""
    tree = ast.parse(port)
    for index, node in enumerate(ast.walk(tree)):
        for kind, change in _changes(node):
            changed = copy.deepcopy(tree)
            target = list(ast.walk(changed))[index]
            change(target)
            for parent in ast.walk(changed):
                if isinstance(getattr(parent, "body", None), list) and not parent.body:  # type: ignore[attr-defined]
                    parent.body.append(ast.Pass())  # type: ignore[attr-defined]
            try:
                text = ast.unparse(ast.fix_missing_locations(changed))
                ast.parse(text)
            except SyntaxError:
                continue
            yield Defect(kind, f"{getattr(node, 'lineno', 0)}: {ast.unparse(node).splitlines()[0]}", text)


Change = tuple[str, Callable[[Any], None]]


def _changes(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.Module | ast.ClassDef):
        for i, inner in enumerate(node.body):
            if isinstance(inner, ast.ClassDef):
                yield "class dropped", lambda n, i=i: n.body.pop(i)
            elif isinstance(inner, ast.FunctionDef) and inner.name not in _ALWAYS:
                yield "function dropped", lambda n, i=i: n.body.pop(i)
    if isinstance(node, ast.FunctionDef):
        yield from _of_arguments(node.args)
        for i, inner in enumerate(node.body):
            if isinstance(inner, ast.If):
                yield "branch dropped", lambda n, i=i: n.body.__setitem__(slice(i, i + 1), n.body[i].body)
            elif isinstance(inner, ast.Raise) or (isinstance(inner, ast.Assign) and isinstance(inner.value, ast.Call)):
                yield "statement dropped", lambda n, i=i: n.body.pop(i)
    if isinstance(node, ast.Call):
        for i, keyword in enumerate(node.keywords):
            if isinstance(keyword.value, ast.Constant) and keyword.value.value not in (None, True, False):
                yield "keyword dropped", lambda n, i=i: n.keywords.pop(i)
            elif keyword.arg is not None and _is_number(keyword.value):
                yield "number changed", lambda n, i=i: setattr(n.keywords[i], "value", _another(n.keywords[i].value))
        for i, argument in enumerate(node.args):
            if _is_number(argument):
                yield "number changed", lambda n, i=i: n.args.__setitem__(i, _another(n.args[i]))
            elif isinstance(argument, ast.Constant) and isinstance(argument.value, str) and argument.value.strip():
                yield "string changed", lambda n, i=i: n.args.__setitem__(i, ast.Constant("qqq"))


def _of_arguments(arguments: ast.arguments) -> Iterator[Change]:
    offset = len(arguments.args) - len(arguments.defaults)
    for i, default in enumerate(arguments.defaults):
        if isinstance(default, ast.Constant):
            yield "default changed", lambda n, i=i: n.args.defaults.__setitem__(i, _another(n.args.defaults[i]))
        yield "argument dropped", lambda n, i=i: (n.args.args.pop(offset + i), n.args.defaults.pop(i))


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) in (int, float) and node.value not in (0, 1, 2)


def _another(node: ast.Constant) -> ast.Constant:
    value = node.value
    if isinstance(value, bool):
        return ast.Constant(not value)
    if isinstance(value, int | float):
        return ast.Constant(value * 3 + 41)
    return ast.Constant("qqq" if isinstance(value, str) else 4141)
