"""Values to try for an argument of a rule."""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

from codemods.engine import rule as rules
from codemods.engine.rule import Rule

_MOST = 5
_DTYPES = ("float32", "int32", "int64", "bfloat16")


def is_axis(name: str) -> bool:
    """Is this the name of a parameter that takes an axis, or several?"""
    return name in ("axis", "axes", "dim", "dims", "reduction_indices") or name.endswith(("_axis", "_axes", "_dims"))


def candidates(rule: Rule, name: str, value: Any) -> list[Any]:
    """Other values for the argument `name`, which has `value`, a few of the most telling.

    First those that the body compares it with, then those that its type suggests, then those that samples give:
    the rule's own, and of words and flags those of any rule for a parameter of this name. Numbers of others would
    be of another scale, and a number that is out of an API's range is nobody's to agree on.
    """
    found: list[Any] = []
    own = () if type(value) in (int, float) else _of_samples(rule, name)
    words = _words(name) if (value is None or isinstance(value, (bool, str))) and not _is_dtype(name) else ()
    for other in (*compared(rule.function, name), *_similar(name, value), *own, *words):
        if not any(_same(other, x) for x in (value, *found)):
            found.append(other)
    if value is None and not found:
        return [1]
    return found[:_MOST]


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and repr(one) == repr(other)


def _is_dtype(name: str) -> bool:
    return "dtype" in name or name.endswith("_type")


def _similar(name: str, value: Any) -> Iterator[Any]:
    if _is_dtype(name):
        yield from _DTYPES
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (value + 1, value - 1)
    elif isinstance(value, float):
        yield value * 0.75 or 0.01
    elif isinstance(value, (list, tuple)) and value and all(type(v) in (int, float) for v in value):
        if list(value) != sorted(value):  # what is sorted may have to be
            yield type(value)([*value][::-1])
        yield type(value)([value[0] + 1, *value[1:]])


@functools.cache
def compared(function: Callable[..., Any], name: str) -> tuple[Any, ...]:
    """Constants that a body compares a parameter with, and numbers next to them."""
    return compared_in(ast.parse(textwrap.dedent(inspect.getsource(function))), name)


def compared_in(tree: ast.AST, name: str) -> tuple[Any, ...]:
    """The same of a body's code: `mode.lower() == "reflect"` compares `mode`, too."""
    found: list[Any] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and any(_about(side, name) for side in (node.left, *node.comparators)):
            for side in (node.left, *node.comparators):
                try:
                    value = ast.literal_eval(side)
                except (ValueError, TypeError):
                    continue
                found += value if isinstance(value, (list, tuple, set)) else [value]
                found += [value + 1] if type(value) in (int, float) else []
    return tuple(sorted({repr(v): v for v in found}.values(), key=repr))


def _about(node: ast.expr, name: str) -> bool:
    while isinstance(node, (ast.Call, ast.Attribute)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return isinstance(node, ast.Name) and node.id == name


def _of_samples(rule: Rule, name: str) -> list[Any]:
    """Constants that a rule's samples give to a parameter."""
    bounds = [rule.signature.bind(*sample.args, **sample.kwargs).arguments for sample in rule.samples]
    return [bound[name] for bound in bounds if name in bound and _is_plain(bound[name])]


@functools.cache
def _words(name: str) -> tuple[Any, ...]:
    """Words and flags that samples give to a parameter of this name, the most frequent first."""
    counted: dict[str, list[Any]] = {}
    for rule in (*rules.RULES.values(), *rules.METHODS.values()):
        for value in _of_samples(rule, name) if name in rule.signature.parameters else ():
            if value is None or isinstance(value, (bool, str)):
                counted.setdefault(repr(value), []).append(value)
    return tuple(values[0] for _, values in sorted(counted.items(), key=lambda item: (-len(item[1]), item[0])))


def _is_plain(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, (bool, int, float, str))
