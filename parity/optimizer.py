"""Finds the optimizer that a file trains with, as an expression that stands alone."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from parity.frameworks import Frameworks
from parity.resolver import Canonical, Resolver, scoped

_CLASSES = frozenset(
    "SGD RMSprop Adam AdamW Adadelta Adagrad Adamax Adafactor Nadam Ftrl Lion Lamb Muon LossScaleOptimizer".split()
)


@dataclasses.dataclass(frozen=True)
class Optimizer:
    """An optimizer of the original.

    Attributes:
      expression: makes it; names of the module and `tf` are all it needs.
      line: where the original makes it.
      assumed: names of which only a value of the right kind is known, with that value.
    """

    expression: str
    line: int
    assumed: Mapping[str, Any]


def find(tree: ast.Module, names: Mapping[str, Any], frameworks: Frameworks) -> Optimizer | None:
    """The first optimizer that `compile` is given, else the first that is made anywhere.

    Args:
      tree: the file.
      names: globals of its module.
      frameworks: TensorFlow and Keras, to name its classes canonically.

    Returns:
      None where there is none, or none whose arguments are known outside a real run.
    """
    for node, scope in [*_compiled(tree), *_constructed(tree)]:
        resolver = Resolver(scope, names, frameworks)
        try:
            expression = resolver.resolve(node)
            text = ast.unparse(ast.fix_missing_locations(expression))
            if isinstance(expression, ast.Constant) and isinstance(expression.value, str):
                made = frameworks.keras.optimizers.get(expression.value)
                text = f"{frameworks.name_of(type(made))}()"
            else:
                made = evaluate(text, names, frameworks)
        except Exception:  # noqa: S112 - the next candidate may be made of what is known here
            continue
        if isinstance(made, frameworks.keras.optimizers.Optimizer):
            return Optimizer(text, resolver.line or node.lineno, resolver.assumed)
    return None


def evaluate(expression: str, names: Mapping[str, Any], frameworks: Frameworks) -> Any:
    """Makes an optimizer afresh from its expression."""
    scope = {**names, "tf": Canonical(frameworks)}
    return eval(compile(expression, "<optimizer>", "eval", dont_inherit=True), scope)  # noqa: S307


def compile_calls(tree: ast.Module) -> Iterator[tuple[ast.Call, tuple[Any, ...]]]:
    """Calls of a method `compile`, each with the functions around it."""
    for node, scope in scoped(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "compile":
            yield node, scope


def _compiled(tree: ast.Module) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    for node, scope in compile_calls(tree):
        for keyword in node.keywords:
            if keyword.arg == "optimizer":
                yield keyword.value, scope
        if node.args and not isinstance(node.args[0], ast.Starred):
            yield node.args[0], scope


def _constructed(tree: ast.Module) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    for node, scope in scoped(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in _CLASSES:
                yield node, scope
