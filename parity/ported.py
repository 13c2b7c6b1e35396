"""Evaluates the port: outputs, gradients, state and optimizer steps, as arrays by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from parity import call as calls
from parity import jax_randomness, trees
from parity.noise import STREAM
from parity.oracle_file import PENALTY, Steps

SGD_RATE = 0.01
Arrays = dict[str, Any]


class Ported:
    """The port of one unit.

    Args:
      model: what the entry gave: a module, a function, or a tuple, list or dict of modules.
      modes: the expression of the call in each mode.
      names: globals of its module.
      penalty: the expression of the penalties on weights, which is compared like an output.

    Attributes:
      model: as given.
      evaluated: results kept by whoever evaluates, by name.
    """

    def __init__(self, model: Any, modes: Mapping[str, str], names: Mapping[str, Any], penalty: str | None = None):
        jax_randomness.without_dropout(model)
        self.model = model
        self._modes = dict(modes)
        self._penalty = penalty
        self._names = {**names, "jax": jax, "jnp": jnp, "np": np, "nnx": nnx, "optax": optax}
        self.evaluated: dict[str, Arrays] = {}
        self._compiled: dict[str, Callable[..., Any]] = {}

    def leaves(self) -> dict[str, tuple[tuple[int, ...], bool]]:
        """Shape of each weight and statistic by its dotted path, and whether it is trained."""
        return {
            path: (tuple(variable.shape), isinstance(variable, nnx.Param))
            for path, variable in _flat(self.model).items()
        }

    def set_values(self, values: Mapping[str, np.ndarray]) -> None:
        """Sets leaves by path; those not named stay."""
        if not _is_graph(self.model):
            return
        state = nnx.state(self.model)
        flat = []
        for path, variable in nnx.to_flat_state(state):
            value = values.get(_dotted(path))
            if value is not None:
                variable = variable.replace(jnp.asarray(value, variable.dtype))
            flat.append((path, variable))
        nnx.update(self.model, nnx.from_flat_state(flat))

    def shapes(self, mode: str, inputs: Any) -> dict[str, tuple[tuple[int, ...], str]]:
        """Shape and dtype of each output, from shapes alone.

        Args:
          mode: of the call.
          inputs: positional arguments, of arrays or `jax.ShapeDtypeStruct`.
        """
        graph, params, rest = self._split()
        with STREAM.evaluation():
            found = jax.eval_shape(lambda p, r, i: self._call(mode, graph, p, r, i)[0], params, rest, inputs)
        return {path: (tuple(value.shape), str(value.dtype)) for path, value in found.items() if path != PENALTY}

    def evaluate(self, mode: str, inputs: Any, cotangents: Mapping[str, np.ndarray] | None) -> Arrays:
        """Outputs, state and, with cotangents, gradients of one call; the model is left as it was.

        Returns:
          Arrays under `outputs/`, `gradients/weights/`, `gradients/inputs/` and `state/`.
        """
        graph, params, rest = self._split()
        floats, others = _parted(inputs)

        def run(params: Any, floats: Any, rest: Any, others: Any, cotangents: Any) -> Any:
            arrays = {**floats, **others}
            given = trees.map_arrays(lambda path, _: arrays[path], inputs)
            outputs, state = self._call(mode, graph, params, rest, given)
            return _projection(outputs, cotangents), (outputs, state)

        name = f"{mode} {sorted(cotangents or ())}"
        if cotangents:
            function = jax.grad(run, argnums=(0, 1), has_aux=True)
            gradients, (outputs, state) = self._run(name, function, params, floats, rest, others, dict(cotangents))
        else:
            gradients = None
            _, (outputs, state) = self._run(name, run, params, floats, rest, others, {})
        arrays: Arrays = {f"outputs/{path}": value for path, value in outputs.items()}
        if gradients is not None:
            arrays.update({f"gradients/weights/{_dotted(p)}": v[...] for p, v in nnx.to_flat_state(gradients[0])})
            arrays.update({f"gradients/inputs/{path}": value for path, value in gradients[1].items()})
        if mode == "training":
            arrays.update({f"state/{path}": value for path, value in _values(state).items()})
        return arrays

    def optimizer(self, transformation: Any) -> nnx.Optimizer:
        """An optimizer for the model; None stands for plain SGD."""
        return nnx.Optimizer(self.model, transformation or optax.sgd(SGD_RATE), wrt=nnx.Param)

    def step(self, optimizer: nnx.Optimizer, inputs: Any, cotangents: Mapping[str, np.ndarray], steps: Steps) -> None:
        """One step of the optimizer on the projection in training mode; changes the model and the optimizer."""
        mode = "training" if "training" in self._modes else "inference"
        graph, params, rest = self._split()
        floats, others = _parted(inputs)

        def loss(params: Any, rest: Any, arrays: Any, cotangents: Any, scale: Any) -> Any:
            given = trees.map_arrays(lambda path, _: arrays[path], inputs)
            outputs, state = self._call(mode, graph, params, rest, given)
            return _projection(outputs, cotangents) * scale, state

        arrays = {**floats, **others}
        function = jax.grad(loss, has_aux=True)
        gradients, state = self._run(
            "step", function, params, rest, arrays, dict(cotangents), jnp.float32(steps.loss_scale)
        )
        nnx.update(self.model, state)
        if steps.from_zero:
            nnx.update(self.model, jax.tree.map(jnp.zeros_like, params))
        optimizer.update(self.model, gradients)

    def values(self) -> tuple[Arrays, Arrays]:
        """What is trained, and what is not, by path."""
        flat = _flat(self.model)
        trained = {path: v[...] for path, v in flat.items() if isinstance(v, nnx.Param)}
        return trained, {path: v[...] for path, v in flat.items() if path not in trained}

    def _split(self) -> tuple[Any, Any, Any]:
        if not _is_graph(self.model):
            return None, nnx.State({}), nnx.State({})
        return nnx.split(self.model, nnx.Param, ...)

    def _call(self, mode: str, graph: Any, params: Any, rest: Any, inputs: Any) -> tuple[Arrays, Any]:
        model = self.model if graph is None else nnx.merge(graph, params, rest, copy=True)
        outputs = dict(trees.flatten(calls.evaluate(self._modes[mode], model, inputs, self._names)))
        if self._penalty is not None:
            outputs[PENALTY] = calls.evaluate(self._penalty, model, inputs, self._names)
        return outputs, rest if graph is None else nnx.state(model, nnx.Not(nnx.Param))

    def _run(self, name: str, function: Callable[..., Any], *args: Any) -> Any:
        """Runs compiled, once per name; a port whose Python looks at values is run as it is."""
        with STREAM.evaluation():
            if name not in self._compiled:
                try:
                    compiled = jax.jit(function)
                    result = compiled(*args)
                    self._compiled[name] = compiled
                    return result
                except (jax.errors.ConcretizationTypeError, jax.errors.TracerArrayConversionError):
                    STREAM.drawn = 0
                    return function(*args)
            return self._compiled[name](*args)


def _is_graph(model: Any) -> bool:
    """Is it a module, or a tuple, list or dict of modules?"""
    return any(isinstance(m, nnx.Module) for m in calls.models(model))


def _parted(inputs: Any) -> tuple[Arrays, Arrays]:
    """Float arrays, and others, by path."""
    arrays = {path: jnp.asarray(array) for path, array in trees.flatten(inputs)}
    floats = {path: array for path, array in arrays.items() if jnp.issubdtype(array.dtype, jnp.floating)}
    return floats, {path: array for path, array in arrays.items() if path not in floats}


def _projection(outputs: Mapping[str, Any], cotangents: Mapping[str, np.ndarray]) -> Any:
    terms = [jnp.sum(outputs[path] * jnp.asarray(value)) for path, value in cotangents.items() if path in outputs]
    return sum(terms, jnp.zeros(()))


def _dotted(path: Sequence[Any]) -> str:
    return ".".join(str(part) for part in path)


def _flat(model: Any) -> dict[str, Any]:
    if not _is_graph(model):
        return {}
    flat = {_dotted(path): variable for path, variable in nnx.to_flat_state(nnx.state(model))}
    aside = (nnx.RngState, nnx.metrics.MetricState, nnx.Intermediate, nnx.Cache)
    # An array kept as an attribute is a constant, such as a positional encoding: no weight.
    return {p: v for p, v in flat.items() if isinstance(v, nnx.Variable) and not isinstance(v, aside)}


def _values(state: Any) -> Arrays:
    flat = {_dotted(path): variable for path, variable in nnx.to_flat_state(state)}
    return {path: v[...] for path, v in flat.items() if isinstance(v, nnx.Variable) and not isinstance(v, nnx.RngState)}
