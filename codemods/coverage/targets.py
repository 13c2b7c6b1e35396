"""What a rule's body comes to, in words for a table: its expression where that is short, else the functions it calls."""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from collections.abc import Callable, Iterable
from typing import Any

from codemods.engine import rule as rules

_SHORT = 70


def target(*bodies: Callable[..., Any] | None, helpers: Iterable[Any] = ()) -> str:
    """Markdown for what these bodies give together."""
    found = [body for body in bodies if body is not None]
    own = [helper.__name__ for helper in helpers]
    names = list(dict.fromkeys(name for body in found for name in _names(body)))
    if len(found) == 1:
        only = _only_expression(found[0])
        if only is not None and (len(only) <= _SHORT or not names) and not own:
            return "left out" if only == "None" else f"`{only}`"
    listed = [f"`{name}`" for name in names] + [f"`{name}`, written into the output" for name in own]
    if listed:
        return ", ".join(listed)
    results = list(dict.fromkeys(text for body in found for text in _results(body)))
    return " or ".join(f"`{text}`" for text in results if text != "None" or len(results) == 1)


@functools.cache
def _definition(body: Callable[..., Any]) -> ast.FunctionDef:
    tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(body))))
    return next(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def _only_expression(body: Callable[..., Any]) -> str | None:
    """What a body that is one `return` gives."""
    statements = [s for s in _definition(body).body if not isinstance(s, ast.Expr)]
    if len(statements) == 1 and isinstance(statements[0], ast.Return):
        value = statements[0].value
        return "None" if value is None else ast.unparse(value)
    return None


def _results(body: Callable[..., Any]) -> list[str]:
    """What the `return`s of a body give, refusals aside."""
    values = [node.value for node in ast.walk(_definition(body)) if isinstance(node, ast.Return)]
    texts = [ast.unparse(value) for value in values if value is not None]
    return [text for text in texts if not text.startswith("refuse(")]


def _names(body: Callable[..., Any], depth: int = 0) -> list[str]:
    """The target's functions that a body names, those of bodies inlined in it too."""
    found: list[str] = []
    for node in ast.walk(_definition(body)):
        if isinstance(node, ast.Attribute):
            text = ast.unparse(node)
            root = text.partition(".")[0]
            if root in rules.IMPORTS and root not in ("functools", "math", "operator"):
                if all(part.isidentifier() for part in text.split(".")):
                    found.append(text)
        elif isinstance(node, ast.Name) and node.id in rules.INLINED and depth < 2:
            found += _names(rules.INLINED[node.id], depth + 1)
    longest = [name for name in found if not any(other.startswith(f"{name}.") for other in found)]
    return [name for name in dict.fromkeys(longest) if not _is_dtype(name)]


def _is_dtype(name: str) -> bool:
    return name.removeprefix("jnp.") in (
        "float32",
        "int32",
        "bool_",
        "uint8",
        "int8",
        "bfloat16",
        "float16",
        "complex64",
    )
