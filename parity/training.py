"""Finds the training step of a model that `compile` makes ready: Keras's own, or an overridden `train_step`."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from parity.frameworks import Frameworks
from parity.optimizer import compile_calls
from parity.resolver import Resolver


@dataclasses.dataclass(frozen=True)
class TrainingStep:
    """A step of the original that can be run on its own.

    Attributes:
      kind: `fit` for Keras's own, `override` for a `train_step` of the user's class, `function`.
      name: how checks call it.
      line: where the original compiles the model, or defines the function.
      setup: statements to run before, over `model` and the module's names; empty for none.
      call: expression of the step, over `model` and `batch` as well.
      labels: whether the data have labels: yes, no, or None where only a try can tell.
      loss: what is known of the loss as text, for a guess at the labels.
      data: of a function, what each item of `batch` is: `inputs` of the model, `labels` for its outputs, or
        a tree of another shape and dtype.
    """

    kind: str
    name: str
    line: int
    setup: str
    call: str
    labels: bool | None = None
    loss: str = ""
    data: Sequence[Any] | None = None


@dataclasses.dataclass(frozen=True)
class Unchecked:
    """A step that can't be run on its own.

    Attributes:
      name: how notes call it.
      line: where it is.
      reason: why, as a clause.
    """

    name: str
    line: int
    reason: str


def find(tree: ast.Module, names: Mapping[str, Any], model: Any, root: Mapping[str, Any] | None,
         frameworks: Frameworks) -> Iterator[TrainingStep | Unchecked]:  # fmt: skip
    """The step of the model under test, as the first fitting `compile` of the file makes it.

    Args:
      tree: the file.
      names: globals of its module.
      model: the object under test.
      root: its entry in trace.json.
      frameworks: TensorFlow and Keras.
    """
    if root is None or not isinstance(model, frameworks.keras.Model):
        return
    overridden = not frameworks.is_framework(next(c for c in type(model).__mro__ if "train_step" in vars(c)))
    made_by = {site["function"] for site in root["site"]} | ({root["class"]} if root["user"] else set())
    ranked = [(_rank(call, scope, names, model, made_by), call, scope) for call, scope in compile_calls(tree)]
    fitting = sorted((item for item in ranked if item[0] < _OTHER), key=lambda item: item[0])
    if not fitting:
        if overridden:
            yield Unchecked("train_step", _line(type(model)), "nothing in the file compiles the model")
        return
    _, call, scope = fitting[0]
    name = f"{type(model).__name__}.train_step" if overridden else "fit"
    try:
        setup, loss = _compile(call, scope, names, frameworks)
    except LookupError as unknown:
        reason = f"`compile` is given `{unknown.args[0]}`, which only a real run knows"
        yield Unchecked(name, call.lineno, reason)
        return
    labels = _unpacks(type(model)) or None if overridden else True
    kind = "override" if overridden else "fit"
    yield TrainingStep(kind, name, call.lineno, setup, "model.train_step(batch)", labels, loss)


#: Ranks of a `compile`: of the model under test, of a model that may be it, of another one.
_SAME, _UNKNOWN, _OTHER = range(3)


def _rank(call: ast.Call, scope: tuple[Any, ...], names: Mapping[str, Any], model: Any, made_by: set[str]) -> int:
    """How likely is it that the model under test is what this call compiles?"""
    assert isinstance(call.func, ast.Attribute)
    base = call.func.value
    inside = {function.name for function in scope[1:]}
    if inside & made_by:
        return _SAME  # the builder itself
    if not isinstance(base, ast.Name):
        return _UNKNOWN
    values = [
        node.value
        for node in ast.walk(scope[-1])
        if isinstance(node, ast.Assign) and any(getattr(target, "id", "") == base.id for target in node.targets)
    ]
    for value in values:
        if isinstance(value, ast.Call):
            maker = value.func.attr if isinstance(value.func, ast.Attribute) else getattr(value.func, "id", "")
            if maker in made_by:
                return _SAME
            return _OTHER if callable(names.get(maker)) and made_by - {"<module>"} else _UNKNOWN
    if base.id in names and not inside:
        return _SAME if names[base.id] is model else _OTHER
    return _UNKNOWN


def _compile(
    call: ast.Call, scope: tuple[Any, ...], names: Mapping[str, Any], frameworks: Frameworks
) -> tuple[str, str]:
    """The call as a statement that stands alone, and its loss.

    Raises:
      LookupError: an argument depends on what only a real run knows; what that is.
    """
    parts, loss = [], ""
    given = [(None, value) for value in call.args] + [(keyword.arg, keyword.value) for keyword in call.keywords]
    for position, (name, value) in enumerate(given):
        if isinstance(value, ast.Starred) or (name is None and position >= len(call.args)):
            raise LookupError(ast.unparse(value))
        resolver = Resolver(scope, names, frameworks)
        text = ast.unparse(ast.fix_missing_locations(resolver.resolve(value)))
        is_optimizer = (name or "").endswith("optimizer") or (name is None and position == 0)
        if resolver.assumed and not is_optimizer:
            raise LookupError(next(iter(resolver.assumed)))
        parts.append(text if name is None else f"{name}={text}")
        if name == "loss" or (name is None and position == 1):
            loss = text
    return f"model.compile({', '.join(parts)})", loss


def _unpacks(cls: type) -> bool:
    """Does `train_step` take its data apart?"""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(cls.train_step)))  # type: ignore[attr-defined]
    except (OSError, TypeError, SyntaxError):
        return False
    function = tree.body[0]
    assert isinstance(function, ast.FunctionDef)
    data = function.args.args[-1].arg
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and getattr(node.value, "id", "") == data:
            return any(isinstance(target, ast.Tuple) for target in node.targets)
        if isinstance(node, ast.Subscript) and getattr(node.value, "id", "") == data:
            return True
    return False


def _line(cls: type) -> int:
    try:
        return inspect.getsourcelines(cls)[1]
    except (OSError, TypeError):
        return 1
