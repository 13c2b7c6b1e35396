"""Finds the optimizer that a file trains with, as an expression that stands alone."""

from __future__ import annotations

import ast
import builtins
import copy
import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from parity.frameworks import Frameworks

_CLASSES = frozenset(
    "SGD RMSprop Adam AdamW Adadelta Adagrad Adamax Adafactor Nadam Ftrl Lion Lamb Muon LossScaleOptimizer".split()
)
#: Values for names whose value only a real run knows, by a word in the name.
_GUESSES: tuple[tuple[tuple[str, ...], int | float], ...] = (
    (("lr", "rate"), 1e-3),
    (("len", "num", "count", "examples", "n", "total"), 10000),
    (("steps", "step", "size", "batches"), 100),
    (("epochs", "epoch"), 10),
)
_Function = ast.FunctionDef | ast.AsyncFunctionDef


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
        resolver = _Resolver(scope, names, frameworks)
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
    scope = {**names, "tf": _Canonical(frameworks)}
    return eval(compile(expression, "<optimizer>", "eval", dont_inherit=True), scope)  # noqa: S307


class _Canonical:
    """`tf` of an expression, with the Keras that the original runs on below it."""

    def __init__(self, frameworks: Frameworks):
        self.keras = frameworks.keras
        self._tf = frameworks.tf

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tf, name)


def _scoped(tree: ast.Module) -> Iterator[tuple[ast.AST, tuple[Any, ...]]]:
    """All nodes in the order of the source, each with the functions around it, innermost last."""

    def walk(node: ast.AST, scope: tuple[Any, ...]) -> Iterator[tuple[ast.AST, tuple[Any, ...]]]:
        for child in ast.iter_child_nodes(node):
            yield child, scope
            yield from walk(child, (*scope, child) if isinstance(child, _Function) else scope)

    yield from walk(tree, (tree,))


def _compiled(tree: ast.Module) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    for node, scope in _scoped(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "compile":
            for keyword in node.keywords:
                if keyword.arg == "optimizer":
                    yield keyword.value, scope
            if node.args and not isinstance(node.args[0], ast.Starred):
                yield node.args[0], scope


def _constructed(tree: ast.Module) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    for node, scope in _scoped(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in _CLASSES:
                yield node, scope


class _Resolver(ast.NodeTransformer):
    """Puts values and canonical names in the place of names that only the enclosing functions know."""

    def __init__(self, scope: tuple[Any, ...], names: Mapping[str, Any], frameworks: Frameworks):
        self._scope = scope
        self._names = names
        self._frameworks = frameworks
        self._depth = 0
        self.assumed: dict[str, Any] = {}
        self.line: int | None = None

    def resolve(self, node: Any) -> Any:
        """The expression with everything local resolved."""
        return self.visit(copy.deepcopy(node))

    def visit_Call(self, node: ast.Call) -> Any:
        name = self._canonical(node.func)
        if self.line is None and name is not None and name.startswith("tf.keras.optimizers."):
            self.line = node.lineno
        if isinstance(node.func, ast.Name) and node.func.id == "len" and not _constant(node.args[0]):
            return self._guess("len", ast.unparse(node))
        self.generic_visit(node)
        if self.line is None and isinstance(node.func, ast.Name) and node.func.id in self._names:
            self.line = node.lineno
        return node

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        canonical = self._canonical(node)
        if canonical is not None:
            return ast.copy_location(ast.parse(canonical, mode="eval").body, node)
        if isinstance(node.value, ast.Name) and node.value.id not in self._names:
            return self._guess(node.attr, ast.unparse(node))
        self.generic_visit(node)
        return node

    def visit_Name(self, node: ast.Name) -> Any:
        local = self._local(node.id)
        if local is not None and self._depth < 20:
            self._depth += 1
            try:
                return self.visit(copy.deepcopy(local))
            finally:
                self._depth -= 1
        if local is None and node.id in self._names and not self._is_parameter(node.id):
            canonical = self._canonical(node)
            value = self._names[node.id]
            if canonical is not None:
                return ast.copy_location(ast.parse(canonical, mode="eval").body, node)
            if isinstance(value, (bool, int, float, str)) or value is None:
                return ast.copy_location(ast.Constant(value), node)
            return node
        if hasattr(builtins, node.id) and not self._is_parameter(node.id):
            return node
        return self._guess(node.id, node.id)

    def _guess(self, name: str, shown: str) -> Any:
        words = name.lower().replace("_", " ").split()
        for marks, value in _GUESSES:
            if any(word in marks for word in words):
                self.assumed[shown] = value
                return ast.Constant(value)
        raise LookupError(name)

    def _canonical(self, node: ast.expr) -> str | None:
        try:
            value = eval(ast.unparse(node), dict(self._names))  # noqa: S307 - a dotted name of the module
        except Exception:
            return None
        return self._frameworks.name_of(value) if isinstance(node, (ast.Name, ast.Attribute)) else None

    def _is_parameter(self, name: str) -> bool:
        return any(name in _parameters(function) for function in self._scope[1:])

    def _local(self, name: str) -> Any:
        """What a name stands for in the functions around: its last assignment, or a parameter's default."""
        for function in self._scope[:0:-1]:
            assigned = [
                node.value
                for node in ast.walk(function)
                if isinstance(node, ast.Assign)
                and any(isinstance(target, ast.Name) and target.id == name for target in node.targets)
            ]
            if assigned:
                return assigned[0]
            if name in _parameters(function):
                return _parameters(function)[name]
        if name not in self._names:  # set under `if __name__ == "__main__"`, which does not run
            for node in ast.walk(self._scope[0]):
                if isinstance(node, ast.Assign) and any(getattr(target, "id", "") == name for target in node.targets):
                    return node.value
        value = self._names.get(name)
        if isinstance(value, self._frameworks.keras.optimizers.Optimizer):
            made = [
                node.value
                for node in self._scope[0].body
                if isinstance(node, ast.Assign) and any(getattr(target, "id", "") == name for target in node.targets)
            ]
            return made[-1] if made else None
        return None


def _parameters(function: Any) -> dict[str, Any]:
    """Names of a function's parameters with the expressions of their defaults, None where there are none."""
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(positional) - len(arguments.defaults)) + arguments.defaults
    named = {argument.arg: default for argument, default in zip(positional, defaults, strict=True)}
    named.update({a.arg: d for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)})
    return named


def _constant(node: ast.expr) -> bool:
    return all(isinstance(part, (ast.Constant, ast.List, ast.Tuple, ast.Load)) for part in ast.walk(node))
