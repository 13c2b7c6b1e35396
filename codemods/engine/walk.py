"""Walks over trees that change nothing; LibCST's visitors copy every node that they pass."""

from __future__ import annotations

import dataclasses
import functools
import operator
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import libcst as cst
import libcst.matchers as m

Node = TypeVar("Node", bound=cst.CSTNode)
Answer = TypeVar("Answer")

#: Fields that hold whitespace and punctuation only.
_LAYOUT = ("whitespace", "lpar", "rpar", "leading", "lines_after", "semicolon", "comma", "header", "footer", "indent")
#: Fields of nodes that LibCST does not declare in the order of the source.
_ORDER: dict[type[cst.CSTNode], tuple[str, ...]] = {
    cst.FunctionDef: ("decorators", "asynchronous", "name", "type_parameters", "params", "returns", "body"),
    cst.ClassDef: ("decorators", "name", "type_parameters", "bases", "keywords", "body"),
    cst.IfExp: ("body", "test", "orelse"),
    cst.Parameters: ("posonly_params", "posonly_ind", "params", "star_arg", "kwonly_params", "star_kwarg"),
}


#: How many answers of one kind are kept, for a file of any length.
_KEPT = 1 << 15
_KEEPING: list[Any] = []


def kept(function: Callable[[Any], Answer]) -> Callable[[Any], Answer]:
    """Keeps what a function says of a node: nodes never change and are told apart by identity, so that it holds."""
    keeping = functools.lru_cache(_KEPT)(function)
    _KEEPING.append(keeping)
    return keeping


def root_name(node: cst.CSTNode | None) -> str:
    """`a` of `a.b.c`; empty where no name is at the root."""
    while isinstance(node, cst.Attribute):
        node = node.value
    return node.value if isinstance(node, cst.Name) else ""


def forget() -> None:
    """Drops what is kept, and with it the trees: a file is done."""
    for keeping in _KEEPING:
        keeping.cache_clear()


@functools.cache
def _fields(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    return _ORDER.get(kind) or tuple(f.name for f in dataclasses.fields(kind) if not f.name.startswith(_LAYOUT))


class _Nodes(dict[Any, bool]):
    """Is a type one of nodes? `isinstance` asks their metaclass, which is slow."""

    def __missing__(self, kind: Any) -> bool:
        self[kind] = issubclass(kind, cst.CSTNode)
        return self[kind]


class _Values(dict[type[cst.CSTNode], Callable[[Any], tuple[Any, ...]]]):
    """By type of node: what reads the fields that may hold parts."""

    def __missing__(self, kind: type[cst.CSTNode]) -> Callable[[Any], tuple[Any, ...]]:
        fields = _fields(kind)
        get = operator.attrgetter(*fields) if fields else None
        # Of one name, `attrgetter` gives the bare value.
        self[kind] = get if get and len(fields) > 1 else (lambda node: (get(node),)) if get else (lambda node: ())
        return self[kind]


_IS_NODE = _Nodes()
_VALUES = _Values()


def children(node: cst.CSTNode) -> list[Any]:
    """A node's parts, in the order of the source, without layout; faster than `node.children`."""
    found: list[Any] = []
    for value in _VALUES[type(node)](node):
        kind = type(value)
        if kind is list or kind is tuple:
            found += [item for item in value if _IS_NODE[type(item)]]
        elif _IS_NODE[kind]:
            found.append(value)
    return found


def mapped(node: Node, function: Callable[[Any], Any]) -> Node:
    """The node with `function` of each part in the part's place; the node itself where nothing is new.

    LibCST's transformers copy whole trees; trees that share what did not change are cheap to make and to ask again.
    """
    changes: dict[str, Any] = {}
    kind = type(node)
    for field, value in zip(_fields(kind), _VALUES[kind](node), strict=True):
        kind_of_value = type(value)
        if kind_of_value is list or kind_of_value is tuple:
            items = [function(item) if _IS_NODE[type(item)] else item for item in value]
            if any(new is not old for new, old in zip(items, value, strict=True)):
                changes[field] = items
        elif _IS_NODE[kind_of_value]:
            new = function(value)
            if new is not value:
                changes[field] = new
    return node.with_changes(**changes) if changes else node


class Rewriter(cst.CSTTransformer):
    """A transformer that is shown the top of a tree alone and gives the new tree."""

    def rewritten(self, node: Any) -> Any:
        raise NotImplementedError

    def on_visit(self, node: cst.CSTNode) -> bool:
        return False

    def on_leave(self, original_node: Any, updated_node: Any) -> Any:  # type: ignore[override]
        return self.rewritten(original_node)


@functools.cache
def _all_values(kind: type[cst.CSTNode]) -> Callable[[Any], tuple[Any, ...]]:
    fields = [field.name for field in dataclasses.fields(kind)]
    return operator.attrgetter(*fields, "__class__", "__class__")


@kept
def marked(node: cst.CSTNode) -> bool:
    """May a tree's source hold a line break or a brace?"""
    return _marked(node)


def _marked(node: cst.CSTNode) -> bool:
    if type(node) in _BRACED:
        return True
    for value in _all_values(type(node))(node):
        kind = type(value)
        if kind is str:
            if "\n" in value or "{" in value:
                return True
        elif kind is list or kind is tuple:
            if any(marked(item) for item in value):
                return True
        elif _IS_NODE[kind] and (marked(value) if isinstance(value, cst.BaseExpression) else _marked(value)):
            return True
    return False


_BRACED = frozenset(
    {cst.Dict, cst.DictComp, cst.Set, cst.SetComp, cst.FormattedString, cst.ParenthesizedWhitespace, cst.EmptyLine}
)


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


@kept
def _by_type(node: cst.CSTNode) -> dict[type, list[tuple[int, Any]]]:
    """The nodes of a tree, by type, each with its place in the order of `walk`."""
    found: dict[type, list[tuple[int, Any]]] = {}
    for i, part in enumerate(walk(node)):
        found.setdefault(type(part), []).append((i, part))
    return found


def nodes_of(node: cst.CSTNode, *kinds: type) -> list[Any]:
    """The nodes of a tree that are of one of these types, in the order of `walk`."""
    nodes = _by_type(node)
    found = [entry for kind in kinds for entry in nodes.get(kind, ())]
    return [part for _, part in sorted(found, key=operator.itemgetter(0))]


def findall(node: cst.CSTNode, pattern: m.BaseMatcherNode) -> list[Any]:
    """What `libcst.matchers.findall` gives for a pattern of code."""
    kinds = _kinds(pattern)
    parts = walk(node) if kinds is None else nodes_of(node, *dict.fromkeys(kinds))
    return [part for part in parts if m.matches(part, pattern)]


@kept
def identifiers(node: cst.CSTNode) -> frozenset[str]:
    """All names in code, whatever they stand for."""
    return frozenset(part.value for part in walk(node) if type(part) is cst.Name)


@kept
def names_in(node: cst.CSTNode) -> frozenset[str]:
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
    return frozenset(found)
