"""Mutants of a rule's body: one thing changed, as a careless author might have written it.

A change that can't be told from the original is not made, for one of these reasons: a function that does not care
for the order of its arguments; a keyword with the value that the target takes without it; a hint that changes the speed
alone; a parameter that the body does not use; the text of a refusal; `known`, which is true wherever a body runs; the sign of noise around 0.
"""

from __future__ import annotations

import ast
import copy
import dataclasses
import inspect
from collections.abc import Callable, Iterator
from typing import Any

from codemods.engine.defaults import is_default, resolved
from parity.rule_oracle.candidates import compared_in
from parity.rule_oracle.unknowing import compiled, definition_of

#: Functions that are easily taken for each other; what is left of a pair becomes what is right of it, and back.
PAIRS = (
    "max min", "maximum minimum", "argmax argmin", "sum prod", "mean median", "std var", "all any", "add subtract",
    "multiply divide", "greater greater_equal", "less less_equal", "equal not_equal", "logical_and logical_or",
    "floor ceil", "sin cos", "sinh cosh", "exp expm1", "log log1p", "tril triu", "cumsum cumprod", "zeros ones",
    "zeros_like ones_like", "arcsin arccos", "arcsinh arccosh", "relu relu6", "elu selu", "softmax log_softmax",
    "sigmoid tanh", "flip roll", "sort argsort", "segment_max segment_min", "segment_sum segment_prod",
    "fft ifft", "rfft irfft", "fft2 ifft2", "erf erfc", "sqrt square", "isnan isinf", "hstack vstack", "normal uniform",
    "fftshift ifftshift", "hanning hamming",
)  # fmt: skip
_OTHER = {a: b for pair in PAIRS for a, b in (pair.split(), pair.split()[::-1])}
_COMMUTE = ("maximum", "minimum", "add", "multiply", "equal", "not_equal", "logical_and", "logical_or", "logical_xor",
            "bitwise_and", "bitwise_or", "bitwise_xor", "logaddexp", "hypot", "max", "min")  # fmt: skip
_OPERATORS: dict[type, type] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Pow: ast.Mult,
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Mutant:
    """One changed body.

    Attributes:
      operator: what kind of change.
      change: the changed code, before and after.
      function: the body, to run.
      default: of a wrong default, the parameter and the value.
    """

    operator: str
    change: str
    function: Callable[..., Any]
    default: tuple[str, Any] | None = None

    def __str__(self) -> str:
        return f"{self.operator}: {self.change}"


def mutants(function: Callable[..., Any]) -> list[Mutant]:
    """All mutants of a body, in the order of its code."""
    definition = definition_of(function)
    found, seen = [], {ast.unparse(definition)}
    for index, node in enumerate(_nodes(definition)):
        for operator, change in _changes(node, definition):
            copied = copy.deepcopy(definition)
            target = _nodes(copied)[index]
            change(target)
            text = ast.unparse(copied)
            if text not in seen:
                seen.add(text)
                shown = _difference(ast.unparse(definition), text)
                made = compiled(copied, function.__globals__)
                found.append(Mutant(operator, shown, made, _changed_default(function, made)))
    return found


def _nodes(definition: ast.FunctionDef) -> list[ast.AST]:
    """The definition, and its nodes outside of refusals and `known(...)`."""
    found: list[ast.AST] = [definition]
    todo: list[ast.AST] = list(definition.body)
    while todo:
        node = todo.pop(0)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("refuse", "known"):
            continue
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):  # docstring
            continue
        if isinstance(node, ast.keyword) and node.arg in HINTS:
            continue
        found.append(node)
        todo = [*ast.iter_child_nodes(node), *todo]
    return found


Change = tuple[str, Callable[[Any], None]]


def _changes(node: ast.AST, definition: ast.FunctionDef) -> Iterator[Change]:
    match node:
        case ast.FunctionDef():
            yield from _defaults(node)
        case ast.Call():
            yield from _calls(node)
        case ast.Constant(value=bool() | int() | float() as value):
            yield "constant", lambda n: setattr(n, "value", _another(value))
        case ast.BinOp(op=ast.Add() | ast.Sub(), right=right) if _is_noise(right):
            pass
        case ast.BinOp(op=op) if type(op) in _OPERATORS:
            yield "operator", lambda n: setattr(n, "op", _OPERATORS[type(op)]())
            if isinstance(op, (ast.Sub, ast.Div, ast.FloorDiv, ast.Pow, ast.Mod)):
                yield "swapped arguments", _swap_sides
        case ast.Compare(ops=[op]) if type(op) in _OPERATORS:
            yield "operator", lambda n: setattr(n, "ops", [_OPERATORS[type(op)]()])
        case ast.BoolOp(op=op) if not _asks_known(node):
            yield "operator", lambda n: setattr(n, "op", ast.Or() if isinstance(op, ast.And) else ast.And())
        case ast.UnaryOp(op=ast.USub(), operand=ast.Name() | ast.Attribute() | ast.Call()):
            yield "operator", lambda n: setattr(n, "op", ast.UAdd())
        case ast.If(test=ast.Name() | ast.Attribute() | ast.Call()):
            yield "operator", lambda n: setattr(n, "test", ast.UnaryOp(ast.Not(), n.test))
        case ast.IfExp():
            yield "swapped arguments", _swap_branches


def _is_noise(node: ast.expr) -> bool:
    """Values that are drawn from an interval around 0."""
    limits = {k.arg: ast.unparse(k.value) for n in ast.walk(node) if isinstance(n, ast.Call) for k in n.keywords}
    if "minval" in limits and limits["minval"] == f"-{limits.get('maxval')}":
        return True
    return any(f"random.{name}" in ast.unparse(node) for name in ("normal", "truncated_normal"))


def _asks_known(node: ast.BoolOp) -> bool:
    """`known(x) and ...`: with `or` it is the body that never asks, and `not known(x) or ...` the one that always does."""
    asks = ["known(" in ast.unparse(value) for value in node.values]
    return all(asks) or any(asks) and len(asks) == 2


def _defaults(definition: ast.FunctionDef) -> Iterator[Change]:
    used = {n.id for statement in definition.body for n in ast.walk(statement) if isinstance(n, ast.Name)}
    arguments = definition.args
    positional = [*arguments.posonlyargs, *arguments.args]
    start = len(positional) - len(arguments.defaults)
    for i, default in enumerate(arguments.defaults):
        name = positional[start + i].arg
        if name in used and (other := _other_default(default, definition, name)) is not None:
            yield "wrong default", lambda n, i=i, other=other: n.args.defaults.__setitem__(i, other)
    for i, (parameter, default) in enumerate(zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)):
        if default is None or parameter.arg not in used:
            continue
        if (other := _other_default(default, definition, parameter.arg)) is not None:
            yield "wrong default", lambda n, i=i, other=other: n.args.kw_defaults.__setitem__(i, other)


def _other_default(node: ast.expr, definition: ast.FunctionDef, name: str) -> ast.expr | None:
    """Another value: one that the body compares the parameter with, where it does; a number that it never looks at is none."""
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return None
    if value is None or isinstance(value, str):
        words = [word for word in compared_in(definition, name) if isinstance(word, str) and word != value]
        if words or isinstance(value, str):
            return ast.Constant(words[0]) if words else None
        return ast.Constant(1)
    return ast.Constant(_another(value)) if isinstance(value, (bool, int, float)) else None


def _another(value: bool | int | float) -> bool | int | float:
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int) else value * 1.5 + 0.25


#: Keywords that tell the compiler something, or check something, and change no result.
HINTS = (
    "indices_are_sorted", "unique_indices", "optimize", "preferred_element_type", "precision", "strict", "unroll",
)  # fmt: skip


def _calls(call: ast.Call) -> Iterator[Change]:
    path = ast.unparse(call.func)
    name = path.rsplit(".", 1)[-1]
    for i in range(len(call.args) - 1):
        one, other = call.args[i : i + 2]
        if isinstance(one, ast.Starred) or isinstance(other, ast.Starred) or name in _COMMUTE and "." in path:
            continue
        if name in ("isinstance", "getattr") or name == "swapaxes" and i == 1:
            continue
        yield "swapped arguments", lambda n, i=i: n.args.__setitem__(slice(i, i + 2), [n.args[i + 1], n.args[i]])
    for i, keyword in enumerate(call.keywords):
        if keyword.arg is None or keyword.arg in HINTS or _is_default(path, keyword):
            continue
        yield "dropped keyword", lambda n, i=i: n.keywords.pop(i)
    if isinstance(call.func, ast.Attribute) and name in _OTHER:
        prefix = path[: -len(name)]
        if resolved(path) is not None and resolved(prefix + _OTHER[name]) is not None:
            yield "another function", lambda n: setattr(n.func, "attr", _OTHER[n.func.attr])


def _is_default(path: str, keyword: ast.keyword) -> bool:
    try:
        return is_default(path, keyword.arg or "", ast.literal_eval(keyword.value))
    except ValueError:
        return False


def _swap_sides(node: ast.BinOp) -> None:
    node.left, node.right = node.right, node.left


def _swap_branches(node: ast.IfExp) -> None:
    node.body, node.orelse = node.orelse, node.body


def _changed_default(one: Callable[..., Any], other: Callable[..., Any]) -> tuple[str, Any] | None:
    before, after = inspect.signature(one).parameters, inspect.signature(other).parameters
    changed = [
        (name, after[name].default) for name in before if repr(before[name].default) != repr(after[name].default)
    ]
    return changed[0] if changed else None


def _difference(before: str, after: str) -> str:
    """The lines that differ."""
    lines = zip(before.splitlines(), after.splitlines(), strict=False)
    return "; ".join(f"`{one.strip()}` to `{other.strip()}`" for one, other in lines if one != other)
