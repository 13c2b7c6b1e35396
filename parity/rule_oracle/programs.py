"""The JAX side of many cases, compiled at once: compiling them one by one is what the tests' time would go to."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from parity.rule_oracle import compare
from parity.rule_oracle.original import Inputs


@dataclasses.dataclass(frozen=True)
class _Place:
    """Stands for an array among the results of a compiled function."""

    index: int


@dataclasses.dataclass
class Outcome:
    """A case's result with arrays, its gradients, and many draws of it where it is random; or the exception that it
    ended in. Was it traced for that?"""

    result: Any = None
    gradients: list[Any] | None = None
    error: Exception | None = None
    traced: bool = True
    draws: np.ndarray | None = None


class Program:
    """A function of a case's arrays, traced; what it gives that is no array is kept aside.

    Attributes:
      text: the traced program and the rest of the result: two programs of the same text are the same. None where
        the function needs values, and so can't be traced.
      error: the exception that tracing ended in, where running it outside of a trace does so, too.
    """

    def __init__(self, function: Callable[[Inputs], Any], inputs: Inputs, weights: Sequence[Any] | None):
        self.function, self.inputs, self.weights = function, inputs, weights
        self.arrays = [x for x in compare.leaves(inputs) if isinstance(x, np.ndarray)]
        self.compiled = jax.jit(self._compute)
        self.static: Any = None
        self.text: str | None = None
        self.error: Exception | None = None
        try:
            traced = self.compiled.trace(self.arrays).jaxpr
            # Arrays that the function makes itself are printed by their types alone.
            constants = [np.asarray(value).tolist() for value in traced.consts]
            self.text = f"{traced} {constants} {self.static!r}"
        except Exception as error:  # bodies of all kinds; decided below
            self.error = error

    def _compute(self, arrays: list[jax.Array]) -> tuple[list[Any], Any]:
        gradients = None
        if self.weights is None:
            result = self.function(compare.replaced(self.inputs, self.arrays, arrays))
        else:
            result, gradients = self._differentiated(arrays)
        found: list[Any] = []

        def aside(value: Any) -> Any:
            if not isinstance(value, (jax.Array, np.ndarray)):
                return value
            found.append(value)
            return _Place(len(found) - 1)

        self.static = compare.mapped(aside, result)
        return found, gradients

    def _differentiated(self, arrays: list[jax.Array]) -> tuple[Any, list[Any]]:
        is_float = [jnp.issubdtype(x.dtype, jnp.floating) and x.dtype.itemsize >= 4 for x in self.arrays]
        kept: Any = None

        def loss(values: list[jax.Array]) -> tuple[jax.Array, list[Any]]:
            nonlocal kept
            of_floats = iter(values)
            filled = [next(of_floats) if is_ else x for is_, x in zip(is_float, arrays, strict=True)]
            kept = self.function(compare.replaced(self.inputs, self.arrays, filled))
            parts = list(zip(compare.leaves(kept), self.weights or [], strict=True))
            total = sum((jnp.sum(x * w) for x, w in parts if w is not None), start=jnp.zeros(()))
            return total, [x for x, _ in parts if isinstance(x, jax.Array)]

        values = [x for is_, x in zip(is_float, arrays, strict=True) if is_]
        gradients, results = jax.grad(loss, has_aux=True)(values)
        of_results = iter(results)
        return compare.mapped(lambda x: next(of_results) if isinstance(x, jax.Array) else x, _sorted(kept)), gradients

    def outcome(self, found: Sequence[Any], gradients: Any) -> Outcome:
        """The result put together again."""
        result = compare.mapped(lambda x: found[x.index] if isinstance(x, _Place) else x, self.static)
        return Outcome(result, gradients)

    def run(self) -> Outcome:
        """Without a trace."""
        try:
            found, gradients = self._compute([jnp.asarray(x) for x in self.arrays])
        except Exception as error:
            return Outcome(error=error)
        return dataclasses.replace(self.outcome(found, gradients), traced=self.text is not None)


def _sorted(value: Any) -> Any:
    """Dicts in the order in which `compare.leaves` walks them."""
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, (list, tuple)):
        items = [_sorted(item) for item in value]
        return items if isinstance(value, list) else tuple(items)
    return value


def run(programs: Sequence[Program]) -> list[Outcome]:
    """Runs programs; those that could be traced in one compiled function."""
    traced = [p for p in programs if p.text is not None]
    outcomes = {id(p): p.run() for p in programs if p.text is None}
    if traced:
        together = jax.jit(lambda groups: [p.compiled(arrays) for p, arrays in zip(traced, groups, strict=True)])
        try:
            found = together([p.arrays for p in traced])
        except Exception:  # of one of them: what can be traced need not compile
            outcomes |= {id(p): p.run() for p in traced}
        else:
            outcomes |= {id(p): p.outcome(*part) for p, part in zip(traced, found, strict=True)}
    return [outcomes[id(p)] for p in programs]
