"""Calls of JAX's own functions: in code that was given for what no rule knows, or that the user has ported already."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import libcst as cst

from codemods.engine.rule import IMPORTS
from codemods.passes import abstract
from codemods.passes.frame import Frame
from codemods.passes.values import Value

if TYPE_CHECKING:
    from codemods.passes.unit import Unit

#: The modules whose functions are looked up, by the names that `IMPORTS` gives them.
_MODULES: Mapping[str, str] = {
    "jax": "jax",
    "jnp": "jax.numpy",
    "jsp": "jax.scipy",
    "lax": "jax.lax",
    "nnx": "flax.nnx",
}
assert _MODULES.keys() <= IMPORTS.keys()


class JaxCalls:
    """Gives the results of such calls their shapes, which layers after them need."""

    unit: Unit

    def plain_call(self, callee: Value, node: cst.Call, frame: Frame) -> Value:
        function = self._jax_function(node.func, frame)
        if function is None or any(arg.star for arg in node.args):
            return super().plain_call(callee, node, frame)  # type: ignore[misc]
        values = [self.read_variable(self.eval(arg.value, frame)) for arg in node.args]  # type: ignore[attr-defined]
        for value in values:
            self.escape(value)  # type: ignore[attr-defined]
        args = [arg.with_changes(value=value.code) for arg, value in zip(node.args, values, strict=True)]
        self.unit.imports |= self.import_names(node.func)  # type: ignore[attr-defined]
        code = node.with_changes(args=args)
        given = [(arg.keyword.value if arg.keyword else None, v) for arg, v in zip(node.args, values, strict=True)]
        result = self._jax_result(function, given, code, frame)
        return dataclasses.replace(result, staged=result.staged or any(value.is_tensor for value in values))

    def _jax_function(self, node: cst.BaseExpression, frame: Frame) -> Callable[..., Any] | None:
        """The function of JAX that a chain of names stands for, where nothing in the file takes the first of them."""
        parts: list[str] = []
        while isinstance(node, cst.Attribute):
            parts.append(node.attr.value)
            node = node.value
        if not isinstance(node, cst.Name) or not parts or node.value not in _MODULES or node.value in frame.env:
            return None
        if self.unit.symbol(node) is not None or node.value in self.unit.globals:
            return None
        found: Any = importlib.import_module(_MODULES[node.value])
        for part in reversed(parts):
            found = getattr(found, part, None)
        return found if callable(found) and not isinstance(found, type) else None

    def _jax_result(
        self, function: Callable[..., Any], given: Sequence[tuple[str | None, Value]], code: cst.Call, frame: Frame
    ) -> Value:
        """The result, its shape and dtype where those of the arguments say so."""
        values = [value for _, value in given]
        for attempt in (lambda value: value, self.unified(values, frame)):  # type: ignore[attr-defined]
            try:
                positional = [abstract.concrete(attempt(value)) for name, value in given if name is None]
                keywords = {name: abstract.concrete(attempt(value)) for name, value in given if name is not None}
                return abstract.result_value(code, abstract.evaluate(function, positional, keywords))
            except abstract.NoShape:
                continue
        return Value(code)
