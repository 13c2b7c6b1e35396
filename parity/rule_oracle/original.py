"""What TensorFlow gives for a case of a rule: the result and its gradients, or that it takes no such call."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf

from codemods.engine.rule import Rule
from parity.rule_oracle import compare, drawing, probes

Inputs = tuple[tuple[Any, ...], dict[str, Any]]


@dataclasses.dataclass(frozen=True)
class Expected:
    """TensorFlow's side of a case.

    Attributes:
      result: with NumPy arrays; what the probe gives where there is one.
      probe: see `probes.probe`.
      weights: random weights of the result's leaves, None for those that have no gradient.
      gradients: of the weighted sum with respect to each float array among the inputs; None where there are none.
      draws: of a random result, many of them; None where one is all.
    """

    result: Any
    probe: Any
    weights: list[np.ndarray | None]
    gradients: list[np.ndarray] | None
    draws: np.ndarray | None = None


def source(rule: Rule, symbol: str, inputs: Inputs) -> Any:
    """The call itself."""
    args, kwargs = compare.mapped(compare.for_tf, inputs)
    if rule.kind == "call":
        if symbol.startswith("tf.raw_ops."):  # these take nothing by its place
            args, kwargs = (), dict(rule.signature.bind(*args, **kwargs).arguments)
        return compare.source_object(symbol)(*args, **kwargs)
    member = getattr(args[0], symbol)
    return member(*args[1:], **kwargs) if rule.kind == "method" else member


def _result(rule: Rule, symbol: str, inputs: Inputs) -> Any:
    """The call; through XLA where TensorFlow's own kernels for this CPU lack a layout."""
    try:
        return source(rule, symbol, inputs)
    except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError) as error:
        if "NHWC" not in str(error) and "NDHWC" not in str(error):
            raise
        return tf.function(lambda: source(rule, symbol, inputs), autograph=False, jit_compile=True)()


def expected(rule: Rule, symbol: str, inputs: Inputs, gradients: bool = True, draws: bool = False) -> Expected:
    """Runs the call, of a random function with `draws` many times. Raises whatever TensorFlow raises."""
    floats = compare.floats(inputs) if gradients and not rule.random else []
    watched = [tf.constant(x) for x in floats]
    with tf.GradientTape() as tape:
        tape.watch(watched)
        result = _result(rule, symbol, compare.replaced(inputs, floats, watched))
        probe = probes.probe(result)
        if probe is not None:
            return Expected(_held(probe(result)), probe, [], None)
        weights = compare.projection(result, compare.seed_of(symbol))
        parts = zip(compare.leaves(result), weights, strict=True)
        total = sum((tf.reduce_sum(x * w) for x, w in parts if w is not None), start=0.0)
    found = None
    if watched and any(weight is not None for weight in weights):
        try:
            found = tape.gradient(total, watched, unconnected_gradients="zero")
        except (LookupError, NotImplementedError):  # TensorFlow has no gradient for this
            pass
        except tf.errors.InvalidArgumentError as error:
            # Without oneDNN its CPU kernels lack some gradients, such as those of dilated convolutions.
            if "do not yet support" not in str(error) and "only supports N" not in str(error):
                raise
    many = None
    if draws and rule.random:
        number = drawing.number_of(_held(result))
        many = drawing.of_tensorflow(lambda: source(rule, symbol, inputs), number) if number else None
    return Expected(_held(result), None, weights, found and [compare.plain(x) for x in found], many)


def check_shapes(rule: Rule, symbol: str, inputs: Inputs) -> None:
    """Raises what TensorFlow's shape functions say of the call, before a kernel sees it: on tensors of a rank that
    they don't expect some kernels end the process."""
    tf.function(lambda: source(rule, symbol, inputs), autograph=False).get_concrete_function()


def _held(result: Any) -> Any:
    return compare.mapped(compare.plain, result)
