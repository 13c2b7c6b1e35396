"""The call under test, as an expression over `model` and `inputs`."""

from __future__ import annotations

import ast
import inspect
import itertools
from collections.abc import Mapping
from typing import Any

from parity.errors import BadInputError


def default_call(model: Any, count: int = 1, layer_class: type[Any] | None = None) -> str:
    """`model(*inputs)`, with `training=False` where the object takes it; `model(inputs)` where it takes them as one.

    Args:
      model: the object or function under test.
      count: of the inputs. Functional models of Keras take several in one list, and so do many layers.
      layer_class: Keras's Layer: its instances are asked for the signature of `call`.
    """
    function = model.call if layer_class is not None and isinstance(model, layer_class) else model
    function = getattr(function, "python_function", function)
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return "model(*inputs)"
    # An input that came after `training` would have to be given by name.
    kinds = [p.kind for p in itertools.takewhile(lambda p: p.name != "training", parameters.values())]
    together = count > 1 and kinds == [inspect.Parameter.POSITIONAL_OR_KEYWORD]
    given = "inputs" if together else "*inputs"
    return f"model({given}, training=False)" if "training" in parameters else f"model({given})"


def models(entry: Any) -> list[Any]:
    """The objects under test: the entry's value itself, or what is in a tuple, list or dict of several."""
    if isinstance(entry, Mapping):
        entry = list(entry.values())
    if isinstance(entry, (tuple, list)):
        return [model for item in entry for model in models(item)]
    return [entry]


def check(what: str, text: str) -> None:
    """Raises BadInputError unless the text is an expression.

    Args:
      what: how the message names it, such as `--call`.
      text: what the user gave.
    """
    try:
        ast.parse(text, mode="eval")
    except SyntaxError as error:
        raise BadInputError(f"{what} {text!r} is not an expression: {error.msg}") from None
    except ValueError as error:  # NUL bytes
        raise BadInputError(f"{what} {text!r} is not an expression: {error}") from None


def in_training(call: str) -> str | None:
    """The call with `training=True` for `training=False`; None if the keyword is not there."""
    tree = ast.parse(call, mode="eval")
    found = False
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "training" and isinstance(node.value, ast.Constant):
            node.value = ast.copy_location(ast.Constant(True), node.value)
            found = True
    return ast.unparse(tree) if found else None


def add_training(call: str) -> str | None:
    """The call with `training=True` added to the outermost call, if that is a call of the model itself."""
    tree = ast.parse(call, mode="eval")
    if not (isinstance(tree.body, ast.Call) and isinstance(tree.body.func, ast.Name) and tree.body.func.id == "model"):
        return None
    tree.body.keywords.append(ast.keyword("training", ast.Constant(True)))
    return ast.unparse(ast.fix_missing_locations(tree))


def evaluate(call: str, model: Any, inputs: Any, names: dict[str, Any] | None = None) -> Any:
    """Runs a call.

    Args:
      call: the expression.
      model: the object or function under test.
      inputs: its positional arguments.
      names: further globals, such as `tf` or `jnp`.
    """
    code = compile(call, "<call>", "eval", dont_inherit=True)
    return eval(code, {**(names or {}), "model": model, "inputs": inputs})  # noqa: S307 - the user's own
