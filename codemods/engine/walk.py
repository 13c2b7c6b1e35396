"""Walks over trees that change nothing; LibCST's visitors copy every node that they pass."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator
from typing import Any

import libcst as cst
import libcst.matchers as m

#: Fields that hold whitespace and punctuation only.
_LAYOUT = ("whitespace", "lpar", "rpar", "leading", "lines_after", "semicolon", "comma", "header", "footer", "indent")
#: Fields of nodes that LibCST does not declare in the order of the source.
_ORDER: dict[type[cst.CSTNode], tuple[str, ...]] = {
    cst.FunctionDef: ("decorators", "asynchronous", "name", "type_parameters", "params", "returns", "body"),
    cst.ClassDef: ("decorators", "name", "type_parameters", "bases", "keywords", "body"),
    cst.IfExp: ("body", "test", "orelse"),
    cst.Parameters: ("posonly_params", "posonly_ind", "params", "star_arg", "kwonly_params", "star_kwarg"),
}


@functools.cache
def _fields(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    return _ORDER.get(kind) or tuple(f.name for f in dataclasses.fields(kind) if not f.name.startswith(_LAYOUT))


class _Nodes(dict[Any, bool]):
    """Is a type one of nodes? `isinstance` asks their metaclass, which is slow."""

    def __missing__(self, kind: Any) -> bool:
        self[kind] = issubclass(kind, cst.CSTNode)
        return self[kind]


_IS_NODE = _Nodes()


def children(node: cst.CSTNode) -> list[Any]:
    """A node's parts, in the order of the source, without layout; faster than `node.children`."""
    found: list[Any] = []
    for field in _fields(type(node)):
        value = getattr(node, field)
        kind = type(value)
        if kind is list or kind is tuple:
            found += [item for item in value if _IS_NODE[type(item)]]
        elif _IS_NODE[kind]:
            found.append(value)
    return found


def walk(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The node and all below it, without layout, each before its parts."""
    todo = [node]
    while todo:
        node = todo.pop()
        yield node
        todo += reversed(children(node))


def _kinds(pattern: m.BaseMatcherNode) -> tuple[type, ...] | None:
    """The types of node that a pattern can match, None if it does not say."""
    if isinstance(pattern, m.OneOf):
        parts = [_kinds(option) for option in pattern.options]
        return None if None in parts else tuple(kind for part in parts for kind in part or ())
    kind = getattr(cst, type(pattern).__name__, None)
    return (kind,) if isinstance(kind, type) else None


def findall(node: cst.CSTNode, pattern: m.BaseMatcherNode) -> list[Any]:
    """What `libcst.matchers.findall` gives for a pattern of code."""
    kinds = _kinds(pattern)
    return [n for n in walk(node) if (kinds is None or type(n) in kinds) and m.matches(n, pattern)]


def identifiers(node: cst.CSTNode) -> set[str]:
    """All names in code, whatever they stand for."""
    return {part.value for part in walk(node) if type(part) is cst.Name}


def names_in(node: cst.CSTNode) -> set[str]:
    """All names in code, attributes and keywords aside."""
    found: set[str] = set()
    todo: list[Any] = [node]
    while todo:
        part = todo.pop()
        kind = type(part)
        if kind is cst.Name:
            found.add(part.value)
        elif kind is cst.Attribute or kind is cst.Arg:
            todo.append(part.value)
        else:
            todo += children(part)
    return found
