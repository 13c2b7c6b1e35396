"""Runs what the engine makes of a rule body for a call with these arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import libcst as cst
import numpy as np
from flax import nnx

from codemods.engine.defaults import namespace
from codemods.engine.outcome import Residual
from codemods.engine.rule import Made, Rule, Wrapped
from codemods.engine.template import DYNAMIC, Arg, inline
from codemods.engine.values import display, literal
from parity.rule_oracle import compare
from parity.rule_oracle.objects import RNGS, Case


class Stays(AssertionError):
    """The engine leaves the call as it is, for the reason in the text."""


class Values:
    """Names for values that code can't hold, as arguments of a call that is ported."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = dict(namespace())

    def arg(self, name: str, value: Any) -> Arg:
        """An argument: literals are written out, arrays and functions are variables."""
        if isinstance(value, Made):
            value = compare.for_jax(value)
        if isinstance(value, (list, tuple)) and not _is_literal(value):
            items = [self.arg(f"{name}_{i}", item) for i, item in enumerate(value)]
            return Arg(display([item.code for item in items if item.code is not None], type(value)), items=items)
        if isinstance(value, (np.ndarray, jax.Array)):
            array = jnp.asarray(value)
            return Arg(self.variable(name, array), type=jax.Array, ndim=array.ndim, dtype=array.dtype.name)
        code = literal(value)
        return Arg(code, value) if code is not None else Arg(self.variable(name, value))

    def config(self, name: str, value: Any) -> Arg:
        """A constructor's argument; a layer is what the engine knows of it."""
        return Arg(None, value) if isinstance(value, Wrapped) else self.arg(name, value)

    def variable(self, name: str, value: Any) -> cst.Name:
        self.names[f"the_{name}"] = value
        return cst.Name(f"the_{name}")

    def run(
        self, function: Callable[..., Any], arguments: Mapping[str, Arg], symbol: str, helpers: Collection[Any] = ()
    ) -> Any:
        """Inlines a body and evaluates the code."""
        found = inline(function, arguments, symbol=symbol, taken=self.names, helpers=helpers)
        if isinstance(found, Residual):
            raise Stays(found.reason)
        missing = found.imports - namespace().keys()
        assert not missing, f"imports {missing}"
        names = {**self.names, **{helper.__name__: helper for helper in helpers if helper.__name__ in found.helpers}}
        printed = cst.Module([]).code_for_node
        exec("".join(printed(statement) for statement in found.prelude), names)
        return eval(printed(found.code), names)


def _is_literal(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(_is_literal(item) for item in value)
    return not isinstance(value, (np.ndarray, jax.Array, Made)) and literal(value) is not None


def run(rule: Rule, inputs: tuple[tuple[Any, ...], dict[str, Any]], symbol: str) -> Any:
    """Evaluates the inlined body of a rule for these positional and keyword arguments."""
    values = Values()
    values.names["rngs"] = nnx.Rngs(0)
    arguments = rule.signature.bind(*inputs[0], **inputs[1]).arguments
    given = {name: values.arg(name, value) for name, value in arguments.items()}
    return values.run(rule.function, given, symbol, rule.helpers)


def make(case: Case) -> Any:
    """The port's object, by the inlined body of `make`."""
    if case.rule.make is None:
        return None
    values = Values()
    values.names["rngs"] = nnx.Rngs(RNGS)
    arguments = {name: values.config(name, value) for name, value in case.config.items()}
    arguments |= {name: outlined(value) for name, value in case.stand_ins().items()}
    return values.run(case.rule.make, arguments, case.symbol, helpers_of(case))


def call(case: Case, made: Any, training: bool) -> Any:
    """The port's result, by the inlined body of `call`."""
    assert case.rule.call is not None
    values = Values()
    arguments = {name: values.config(name, value) for name, value in case.config.items()}
    if case.rule.kind == "layer":
        first = next(iter(inspect.signature(case.rule.call).parameters))
        arguments[first] = Arg(values.variable("layer", made), value=None if made is None else DYNAMIC)
    given = {name: value for name, value in case.named_inputs().items() if value is not None}
    arguments |= {name: values.arg(name, value) for name, value in given.items()}
    arguments |= {"training": Arg(literal(training), training)}
    return values.run(case.rule.call, arguments, case.symbol, helpers_of(case))


def helpers_of(case: Case) -> list[Any]:
    """Helpers of the rule and of the layers that it wraps."""
    wrapped = [value.rule for value in case.config.values() if isinstance(value, Wrapped)]
    return [helper for rule in (case.rule, *wrapped) for helper in rule.helpers]


def outlined(value: Any) -> Arg:
    """A stand-in for an input, of which the engine may only use dims."""
    if isinstance(value, list):
        return Arg(None, items=[outlined(item) for item in value])
    if not hasattr(value, "shape"):
        return Arg(literal(value), value)
    return Arg(None, ndim=len(value.shape), dim=lambda i: literal(value.shape[i]))
