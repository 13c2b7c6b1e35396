"""Defaults of the functions and classes that rules use."""

from __future__ import annotations

import functools
import inspect
import types
from typing import Any

import libcst as cst

from codemods.engine.rule import IMPORTS, _namespace

_MISSING = object()


@functools.cache
def namespace() -> dict[str, Any]:
    """The names that rule bodies may use, by what they stand for."""
    return _namespace()


def dotted(node: cst.BaseExpression) -> str | None:
    """`jax.nn.relu` of a chain that starts at an import, else None."""
    parts: list[str] = []
    while isinstance(node, cst.Attribute):
        parts.insert(0, node.attr.value)
        node = node.value
    return ".".join([node.value, *parts]) if isinstance(node, cst.Name) and node.value in IMPORTS else None


def resolved(path: str) -> Any:
    """The object at a dotted path over `IMPORTS`, None where there is none."""
    root, *rest = path.split(".")
    return functools.reduce(lambda value, name: getattr(value, name, None), rest, namespace().get(root))


@functools.cache
def _paths() -> dict[int, str]:
    modules = ("jnp", "jax.nn", "lax", "jnp.linalg", "jax.image", "jsp.special", "nnx", "optax")
    found: dict[int, str] = {}
    for module in reversed(modules):
        found |= {id(value): f"{module}.{name}" for name, value in vars(resolved(module)).items() if callable(value)}
    return found


def path_of(value: Any) -> str | None:
    """How to write a function or class of the target libraries that a body got hold of as a value."""
    return _paths().get(id(value)) if is_target(value) else None


def is_target(value: Any) -> bool:
    """Is this a function or class of the target libraries, or made of one?"""
    module = str(getattr(value, "__module__", None) or getattr(type(value), "__module__", ""))
    return callable(value) and (module.startswith(("jax", "flax", "optax")) or isinstance(value, functools.partial))


@functools.cache
def _parameters(target: Any) -> dict[str, Any]:
    try:
        # The metaclass of NNX modules hides the constructor's signature.
        signature = inspect.signature(getattr(target, "__init__") if isinstance(target, type) else target)  # noqa: B009
    except (TypeError, ValueError):  # not a Python function: nothing is left out
        return {}
    found = {p.name: p.default for p in signature.parameters.values() if p.default is not p.empty}
    hands_on = any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())
    if isinstance(target, type) and target.__mro__[1:] and hands_on:
        return _parameters(target.__mro__[1]) | found
    return found


def is_default(path: str, keyword: str, value: Any) -> bool:
    """Does the target take this value for the keyword when it is left out?"""
    return _same(_parameters(resolved(path)).get(keyword, _MISSING), value)


def is_helper_default(helper: Any, keyword: str, value: Any) -> bool:
    """Does a helper of a rule, or what it hands its keywords on to, take this value when it is left out?"""
    return _same(_parameters(helper).get(keyword, _MISSING), value)


def _same(default: Any, value: Any) -> bool:
    if default is value:
        return True
    if isinstance(default, types.MappingProxyType):  # what Flax has for metadata: a dict that can't change
        return bool(default == value)
    if default is _MISSING or type(default) is not type(value):
        return False
    if isinstance(value, types.FunctionType):
        return default.__code__ is value.__code__ and _same_parts(_captured(default), _captured(value))
    try:
        return bool(default == value) and repr(default) == repr(value)
    except Exception:  # arrays and such
        return False


def _captured(function: types.FunctionType) -> tuple[Any, ...]:
    """All that tells apart two functions that one `def` made."""
    cells = tuple(cell.cell_contents for cell in function.__closure__ or ())
    return *cells, *(function.__defaults__ or ()), *sorted((function.__kwdefaults__ or {}).items())


def _same_parts(a: tuple[Any, ...], b: tuple[Any, ...]) -> bool:
    return len(a) == len(b) and all(_same(x, y) for x, y in zip(a, b, strict=True))
