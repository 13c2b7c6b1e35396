"""Chooses arguments for a function that trains, by what it does with its parameters."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from parity.frameworks import Frameworks
from parity.resolver import guess

_OF_MODELS = frozenset({"trainable_variables", "trainable_weights", "variables", "weights"})
_OF_OPTIMIZERS = frozenset({"apply_gradients", "minimize"})
_LABELS = frozenset({"y", "y_true", "y_batch", "label", "labels", "target", "targets", "classes"})
#: Stands for labels, and for the inputs of the model under test, in the list of data.
LABELS, INPUTS = "labels", "inputs"


class Arguments:
    """Arguments of one function.

    Args:
      function: the function.
      functions: all functions at module level, to see what they do with what they are handed on.
      names: globals of the module.
      model: the object under test, or a container of several.
      models: ids of the objects under test.
      shapes: shape and dtype of the first input by id of an object.
      optimizer: expression of the optimizer that the file trains with.
      frameworks: TensorFlow and Keras.

    Attributes:
      setup: statements to run before the call.
      text: source of the function and of what it calls, for a guess at the loss.
    """

    def __init__(self, function: ast.FunctionDef, functions: Mapping[str, ast.FunctionDef], names: Mapping[str, Any],
                 model: Any, models: set[int], shapes: Mapping[int, Any], optimizer: str | None,
                 frameworks: Frameworks):  # fmt: skip
        self._function = function
        self._functions = functions
        self._names = names
        self._model = model
        self._models = models
        self._shapes = shapes
        self._optimizer = optimizer
        self._frameworks = frameworks
        self.setup = ""
        self.text = ast.unparse(function)
        called = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
        self.text += "".join(ast.unparse(functions[name]) for name in sorted(called & set(functions)))

    def chosen(self) -> tuple[str, list[Any]]:
        """Arguments as text, over `model` and `batch`, and what each item of `batch` is.

        Raises:
          LookupError: nothing is known of a parameter; which.
        """
        arguments = self._function.args
        positional = [*arguments.posonlyargs, *arguments.args]
        required = positional[: len(positional) - len(arguments.defaults)]
        if any(default is None for default in arguments.kw_defaults):
            raise LookupError(arguments.kwonlyargs[arguments.kw_defaults.index(None)].arg)
        texts: list[str] = []
        data: list[Any] = []
        parts = self._model_texts()
        for parameter in required:
            role = self._role(self._function, parameter.arg, 0)
            if role == "model":
                if not parts:
                    raise LookupError(parameter.arg)
                texts.append(parts.pop(0))
            elif role == "optimizer":
                if self._optimizer is None:
                    raise LookupError(parameter.arg)
                self.setup = f"optimizer = {self._optimizer}"
                texts.append("optimizer")
            elif role == "function":
                raise LookupError(parameter.arg)
            elif role is None:
                number = guess(parameter.arg)
                if number is None and parameter.arg not in _LABELS and data:
                    raise LookupError(parameter.arg)
                texts.append(f"batch[{len(data)}]" if number is None else repr(number))
                data += [LABELS if parameter.arg in _LABELS else INPUTS] if number is None else []
            else:
                texts.append(f"batch[{len(data)}]")
                data.append(role)
        return ", ".join(texts), data

    def _model_texts(self) -> list[str]:
        """Texts for the models under test, in their order."""
        if isinstance(self._model, Mapping):
            return [f"model[{key!r}]" for key in self._model]
        if isinstance(self._model, (tuple, list)):
            return [f"model[{index}]" for index in range(len(self._model))]
        return ["model"]

    def _role(self, function: ast.FunctionDef, name: str, depth: int) -> Any:
        """`model`, `optimizer`, `function`, `labels`, `inputs`, or a tree of a shape; None if nothing is known."""
        called = False
        for node in ast.walk(function):
            if isinstance(node, ast.Attribute) and _is(node.value, name):
                if node.attr in _OF_MODELS:
                    return "model"
                if node.attr in _OF_OPTIMIZERS:
                    return "optimizer"
            called |= isinstance(node, ast.Call) and _is(node.func, name)
        if depth < 3:
            for other, parameter in self._handed_on(function, name):
                found = self._role(other, parameter, depth + 1)
                if found is not None:
                    return found
        if called:
            return "function"
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and node.args and _is(node.args[0], name) and isinstance(node.func, ast.Name):
                found = self._input_of(function, node.func.id, depth)
                if found is not None:
                    return found
        return LABELS if name in _LABELS else None

    def _handed_on(self, function: ast.FunctionDef, name: str) -> Iterator[tuple[ast.FunctionDef, str]]:
        """Functions of the file that are called with the parameter, and what they call it."""
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in self._functions:
                other = self._functions[node.func.id]
                parameters = [parameter.arg for parameter in (*other.args.posonlyargs, *other.args.args)]
                given = [*zip(parameters, node.args, strict=False), *((k.arg, k.value) for k in node.keywords)]
                yield from ((other, parameter) for parameter, value in given if parameter and _is(value, name))

    def _input_of(self, function: ast.FunctionDef, callee: str, depth: int) -> Any:
        """What a model takes: `inputs` for the one under test, a tree for another."""
        parameters = [*function.args.posonlyargs, *function.args.args]
        if any(parameter.arg == callee for parameter in parameters):
            return INPUTS if self._role(function, callee, 3) == "model" or depth else None
        value = self._names.get(callee)
        if not isinstance(value, (self._frameworks.keras.layers.Layer, self._frameworks.tf.Module)):
            return None
        if id(value) in self._models and len(self._models) == 1:
            return INPUTS
        return self._shapes.get(id(value))


def _is(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name
