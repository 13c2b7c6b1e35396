"""Finds functions of a file that train: steps with a gradient tape and an optimizer, or assignments."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from parity import call as calls
from parity.facts import Facts
from parity.frameworks import Frameworks
from parity.step_arguments import Arguments
from parity.training import TrainingStep, Unchecked

_APPLY = frozenset({"apply_gradients", "minimize"})
_ASSIGN = frozenset({"assign", "assign_add", "assign_sub"})
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def find(tree: ast.Module, names: Mapping[str, Any], model: Any, facts: Facts, objects: list[dict[str, Any]],
         optimizer: str | None, frameworks: Frameworks) -> Iterator[TrainingStep | Unchecked]:  # fmt: skip
    """Steps at module level, with arguments chosen by how the function uses its parameters.

    Args:
      tree: the file.
      names: globals of its module.
      model: the object under test, or a container of several.
      facts: the objects of the run.
      objects: the same, as in trace.json.
      optimizer: expression of the optimizer that the file trains with.
      frameworks: TensorFlow and Keras.
    """
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    models = {id(value) for value in calls.models(model)}
    shapes = {id(facts.values[entry["id"]]): _input(entry) for entry in objects}
    for owner, node in _functions(tree):
        if not _trains(node):
            continue
        if owner is not None:
            inside = isinstance(owner, ast.ClassDef)
            if inside and node.name == "train_step":
                continue  # Keras calls it
            reason = f"it is {'a method of' if inside else 'defined inside'} {owner.name}"
            yield Unchecked(f"{owner.name}.{node.name}", node.lineno, reason)
            continue
        if _loops(node):
            yield Unchecked(node.name, node.lineno, "it loops over its data itself")
            continue
        arguments = Arguments(node, functions, names, model, models, shapes, optimizer, frameworks)
        try:
            text, data = arguments.chosen()
        except LookupError as unknown:
            reason = f"what its parameter `{unknown.args[0]}` is given, only a real run knows"
            yield Unchecked(node.name, node.lineno, reason)
            continue
        call = f"{node.name}({text})"
        yield TrainingStep("function", node.name, node.lineno, arguments.setup, call, None, arguments.text, data)


def _functions(tree: ast.Module) -> Iterator[tuple[Any, ast.FunctionDef]]:
    """Functions with the class or function that they are defined in, None for those at module level."""

    def walk(node: ast.AST, owner: Any) -> Iterator[tuple[Any, ast.FunctionDef]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef):
                yield owner, child
            is_owner = isinstance(child, (ast.FunctionDef, ast.ClassDef))
            yield from walk(child, child if is_owner else owner)

    yield from walk(tree, None)


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """Nodes of a function, those of functions inside it left out."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, (*_Function.__args__, ast.Lambda, ast.ClassDef)):
            yield child
            yield from _own(child)


def _trains(function: ast.FunctionDef) -> bool:
    called = {
        node.func.attr for node in _own(function) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    return bool(called & _APPLY) or ("GradientTape" in called and bool(called & _ASSIGN))


def _loops(function: ast.FunctionDef) -> bool:
    """Does the part that trains stand in a loop?"""
    loops = [node for node in _own(function) if isinstance(node, (ast.For, ast.While))]
    inside = itertools.chain.from_iterable(_own(loop) for loop in loops)
    return any(isinstance(node, ast.Attribute) and node.attr in ("GradientTape", *_APPLY) for node in inside)


def _input(entry: Mapping[str, Any]) -> Any:
    """The first positional input of an object's last call that had a known shape."""
    found = None
    for call in entry["calls"]:
        first = (call["inputs"] or [None])[0]
        if isinstance(first, Mapping) and "shape" in first and None not in (first["shape"] or [None]):
            found = first
    return found
