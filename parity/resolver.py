"""Puts what is known outside of a real run in the place of names that only functions know."""

from __future__ import annotations

import ast
import builtins
import copy
from collections.abc import Iterator, Mapping
from typing import Any

from parity.frameworks import Frameworks

#: Values for names whose value only a real run knows, by a word in the name.
_GUESSES: tuple[tuple[tuple[str, ...], int | float], ...] = (
    (("lr", "rate"), 1e-3),
    (("len", "num", "count", "examples", "n", "total"), 10000),
    (("steps", "step", "size", "batches"), 100),
    (("epochs", "epoch"), 10),
)
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def guess(name: str) -> int | float | None:
    """A value of the right kind for a name whose value only a real run knows; None where its words say nothing."""
    words = name.lower().replace("_", " ").split()
    return next((value for marks, value in _GUESSES if any(word in marks for word in words)), None)


class Canonical:
    """`tf` of an expression, with the Keras that the original runs on below it."""

    def __init__(self, frameworks: Frameworks):
        self.keras = frameworks.keras
        self._tf = frameworks.tf

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tf, name)


def scoped(tree: ast.Module) -> Iterator[tuple[ast.AST, tuple[Any, ...]]]:
    """All nodes in the order of the source, each with the functions around it, innermost last."""

    def walk(node: ast.AST, scope: tuple[Any, ...]) -> Iterator[tuple[ast.AST, tuple[Any, ...]]]:
        for child in ast.iter_child_nodes(node):
            yield child, scope
            yield from walk(child, (*scope, child) if isinstance(child, _Function) else scope)

    yield from walk(tree, (tree,))


class Resolver(ast.NodeTransformer):
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
        value = guess(name)
        if value is None:
            raise LookupError(name)
        self.assumed[shown] = value
        return ast.Constant(value)

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
