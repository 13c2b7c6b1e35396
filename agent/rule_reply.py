"""Reads a reply that proposes a rule, and looks at its code before anything of it is run."""

from __future__ import annotations

import ast
import json

from agent.errors import EditError
from agent.forbidden import BUILTINS, CALLBACKS, OUTSIDE

SCHEMA = {
    "type": "object",
    "properties": {"rule": {"type": "string"}, "refusal": {"type": "string"}},
    "required": ["rule"],
}
#: What a proposed rule may import: the names that ported code may use, and what rules are made with.
_IMPORTS = frozenset(
    "import functools|import math|import operator|import jax|import jax.numpy as jnp|import jax.scipy as jsp|"
    "from jax import lax|import numpy as np|from __future__ import annotations".split("|")
)
_ENGINE = "codemods.engine.rule"
#: Not what would let a rule off a check: differences, randomness, a loose signature.
_OF_ENGINE = frozenset({"Array", "boolean", "f32", "i32", "known", "refuse", "rule", "sample"})
_IN_SAMPLES = frozenset({"Array", "boolean", "f32", "i32", "sample"})
_MOST_SAMPLES, _MOST_LINES, _LARGEST = 40, 80, 64


def parsed(raw: str, symbol: str) -> str:
    """The code of the one rule that a reply proposes, screened.

    Args:
      raw: the reply.
      symbol: that the rule is asked for.

    Raises:
      EditError: there is none, or it holds what a rule has no use for.
    """
    try:
        reply = json.loads(raw.strip())
        code, refusal = reply["rule"], reply.get("refusal", "")
    except (ValueError, TypeError, KeyError, AttributeError):
        raise EditError("form", 'the reply is not the JSON asked for, {"rule": "...", "refusal": ""}') from None
    if not isinstance(code, str) or not code.strip():
        raise EditError("form", f"the reply has no rule{': ' + str(refusal) if refusal else ''}")
    _look(code, symbol)
    return code.strip() + "\n"


def _look(code: str, symbol: str) -> None:
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError) as error:
        raise EditError("parses", f"the rule does not parse: {error}") from None
    if len(code.splitlines()) > _MOST_LINES:
        raise EditError("screen", f"the rule has more than {_MOST_LINES} lines")
    functions = []
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            _look_at_import(node)
        elif isinstance(node, ast.FunctionDef):
            functions.append(node)
        elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            raise EditError("screen", f"line {node.lineno}: a rule file holds imports and one function, nothing else")
    if len(functions) != 1:
        raise EditError("screen", f"give one function, the rule of {symbol}; here are {len(functions)}")
    _look_at_decorator(functions[0], symbol)
    for inner in ast.walk(functions[0]):
        _look_at(inner)


def _look_at_import(node: ast.Import | ast.ImportFrom) -> None:
    if isinstance(node, ast.ImportFrom) and node.module == _ENGINE and not node.level:
        if other := {alias.name for alias in node.names} - _OF_ENGINE:
            raise EditError("screen", f"a proposed rule may not use `{min(other)}` of {_ENGINE}")
        if renamed := [alias.name for alias in node.names if alias.asname]:
            raise EditError("screen", f"import `{renamed[0]}` under its own name")
    elif ast.unparse(node) not in _IMPORTS:
        raise EditError("screen", f"`{ast.unparse(node)}`: a rule may import {', '.join(sorted(_IMPORTS))}")


def _look_at_decorator(function: ast.FunctionDef, symbol: str) -> None:
    form = f'@rule("{symbol}", samples=[sample(...), ...])'
    match function.decorator_list:
        case [
            ast.Call(
                func=ast.Name(id="rule"),
                args=[ast.Constant(value=named)],
                keywords=[ast.keyword(arg="samples", value=ast.List(elts=samples))],
            )
        ] if named == symbol:
            pass
        case _:
            raise EditError("screen", f"decorate the function with {form} and nothing else")
    if len(samples) > _MOST_SAMPLES:
        raise EditError("screen", f"give at most {_MOST_SAMPLES} samples")
    for node in (inner for part in samples for inner in ast.walk(part)):
        if isinstance(node, ast.Call) and not (isinstance(node.func, ast.Name) and node.func.id in _IN_SAMPLES):
            raise EditError("screen", f"`{ast.unparse(node)}`: samples are made of {', '.join(sorted(_IN_SAMPLES))}")
        if isinstance(node, ast.Call) and node.func.id in ("f32", "i32", "boolean"):  # type: ignore[attr-defined]
            sizes = [a.value for a in node.args if isinstance(a, ast.Constant)]
            if any(isinstance(size, int) and size > _LARGEST for size in sizes):
                raise EditError("screen", f"`{ast.unparse(node)}`: sizes of samples are at most {_LARGEST}")


def _look_at(node: ast.AST) -> None:
    if isinstance(node, ast.Import | ast.ImportFrom | ast.Global | ast.ClassDef | ast.While):
        raise EditError("screen", f"`{ast.unparse(node).splitlines()[0]}`: a rule's body has no use for that")
    if isinstance(node, ast.Name) and (node.id in BUILTINS or node.id.startswith("__")):
        raise EditError("screen", f"uses `{node.id}`, which a rule has no use for")
    if isinstance(node, ast.Attribute):
        chain = ast.unparse(node)
        if node.attr.startswith("_") or node.attr in CALLBACKS or OUTSIDE.search(chain):
            raise EditError("screen", f"uses `{chain}`, which a rule has no use for")
