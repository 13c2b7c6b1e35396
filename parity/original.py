"""Evaluates the original: outputs, gradients, state and optimizer steps, as arrays by name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from parity import call as calls
from parity import optimizer as optimizers
from parity import trees
from parity.facts import is_trained
from parity.frameworks import Frameworks
from parity.noise import STREAM
from parity.oracle_file import PENALTY, Steps

SGD_RATE = 0.01
Arrays = dict[str, np.ndarray]


class Original:
    """The original in one precision.

    Args:
      frameworks: TensorFlow and Keras.
      model: the object or function under test.
      names: globals of its module, for the optimizer's expression.
      modes: the expression of the call in each mode.
      variables: its variables, by index.
      dtype: `float32` or `float64`: what float inputs are cast to.
      layers: its layers; those that compute with copies of their weights (Normalization) renew them.

    Attributes:
      frameworks: as given.
      model: as given.
      names: as given.
      trainable: indices of the variables that are trained.
      sparse: some gradient came as rows of an embedding.
    """

    def __init__(
        self,
        frameworks: Frameworks,
        model: Any,
        names: Mapping[str, Any],
        modes: Mapping[str, str],
        variables: Sequence[Any],
        dtype: str = "float32",
        layers: Sequence[Any] = (),
    ):
        self.frameworks = frameworks
        self._tf = frameworks.tf
        self.model = model
        self.names = names
        self._modes = modes
        self._variables = list(variables)
        self._dtype = dtype
        self._copying = [layer for layer in layers if hasattr(layer, "finalize_state")]
        self.sparse = False
        self.trainable = [index for index, variable in enumerate(variables) if is_trained(variable)]

    def values(self) -> list[np.ndarray]:
        """What the variables hold."""
        return [np.asarray(variable.numpy()) for variable in self._variables]

    def set_values(self, values: Sequence[np.ndarray]) -> None:
        """Sets all variables."""
        for variable, value in zip(self._variables, values, strict=True):
            variable.assign(self._tf.cast(self._tf.convert_to_tensor(value), variable.dtype))
        for layer in self._copying:
            layer.finalize_state()

    def call(self, mode: str, inputs: Any) -> dict[str, Any]:
        """Output tensors by path."""
        with STREAM.evaluation():
            outputs = calls.evaluate(self._modes[mode], self.model, inputs, {"tf": self._tf})
        found = dict(trees.flatten(outputs))
        # Penalties on weights, which `fit` adds to the loss.
        layer = self.frameworks.keras.layers.Layer
        losses = [loss for m in calls.models(self.model) if isinstance(m, layer) for loss in m.losses]
        return {**found, PENALTY: self._tf.add_n(losses)} if losses else found

    def tensors(self, inputs: Any) -> Any:
        """Inputs as tensors, floats in this precision."""

        def convert(_: str, array: Any) -> Any:
            array = np.asarray(array)
            return self._tf.convert_to_tensor(array.astype(self._dtype) if array.dtype.kind == "f" else array)

        return trees.map_arrays(convert, inputs)

    def outputs(self, mode: str, inputs: Any) -> Arrays:
        """Output arrays by path."""
        return {path: np.asarray(value) for path, value in self.call(mode, self.tensors(inputs)).items()}

    def evaluate(self, mode: str, inputs: Any, cotangents: Arrays | None) -> Arrays:
        """Outputs, state and, with cotangents, gradients of one call.

        Returns:
          Arrays under `outputs/`, `gradients/weights/`, `gradients/inputs/` and `state/`.
        """
        tensors = self.tensors(inputs)
        floats = {path: tensor for path, tensor in trees.flatten(tensors) if tensor.dtype.is_floating}
        with self._tf.GradientTape(persistent=True) as tape:
            tape.watch(list(floats.values()))
            outputs = self.call(mode, tensors)
            loss = None if cotangents is None else self._loss(outputs, cotangents)
        result = {f"outputs/{path}": np.asarray(value) for path, value in outputs.items()}
        if loss is not None:
            weights = self.trained()
            found = tape.gradient(loss, [*self._raw(weights), *floats.values()])
            names = [f"gradients/weights/{index}" for index in self.trainable]
            names += [f"gradients/inputs/{path}" for path in floats]
            for name, gradient, source in zip(names, found, [*weights, *floats.values()], strict=True):
                result[name] = self._dense(gradient, source)
        if mode == "training":
            result.update(self.state())
        return result

    def run_steps(
        self, steps: Steps, inputs: Mapping[int, Any], cotangents: Mapping[int, Arrays], expression
    ) -> Arrays:
        """Runs the optimizer.

        Args:
          steps: which cases in which order.
          inputs: by case.
          cotangents: by case.
          expression: makes the optimizer; None for plain SGD.

        Returns:
          Arrays under `K/weights/`, `K/state/` and `K/slots/SLOT/`, and the learning rates as `rates`.
        """
        weights = self.trained()
        optimizer = None
        if expression is not None:
            optimizer = optimizers.evaluate(expression, self.names, self.frameworks)
            optimizer.build(weights)
        epsilon = getattr(optimizer, "epsilon", None)
        result: Arrays = {}
        rates = []
        for number, case in enumerate(steps.cases):
            with self._tf.GradientTape() as tape:
                outputs = self.call(
                    "training" if "training" in self._modes else "inference", self.tensors(inputs[case])
                )
                loss = self._loss(outputs, cotangents[case]) * steps.loss_scale
            gradients = tape.gradient(loss, self._raw(weights))
            # As one array: Keras 3 squares the rows of a sparse gradient before it adds up those of one index.
            self.sparse |= any(isinstance(gradient, self._tf.IndexedSlices) for gradient in gradients)
            dense = [None if g is None else self._tf.convert_to_tensor(g) for g in gradients]
            pairs = [(g, w) for g, w in zip(dense, weights, strict=True) if g is not None]
            if steps.from_zero:
                for weight in weights:
                    weight.assign(weight * 0.0)
            if optimizer is None:
                rates.append(SGD_RATE)
                for gradient, weight in pairs:
                    weight.assign(weight - SGD_RATE * gradient)
            else:
                if steps.corrected_epsilon:
                    optimizer.epsilon = epsilon * (1.0 - optimizer.beta_2 ** (number + 1)) ** 0.5
                rates.append(float(np.asarray(optimizer.learning_rate)))
                optimizer.apply_gradients(pairs)
            if number in steps.kept:
                result.update({f"{number}/weights/{i}": np.asarray(self._variables[i]) for i in self.trainable})
                result.update({f"{number}/{name}": value for name, value in self.state().items()})
                for (slot, index), value in self.slots(optimizer, weights).items():
                    result[f"{number}/slots/{slot}/{index}"] = value
        result["rates"] = np.asarray(rates)
        return result

    def _raw(self, variables: Sequence[Any]) -> list[Any]:
        return [v if isinstance(v, self._tf.Variable) else v.value for v in variables]

    def _loss(self, outputs: Mapping[str, Any], cotangents: Arrays) -> Any:
        terms = [
            self._tf.reduce_sum(outputs[path] * self._tf.cast(c, outputs[path].dtype)) for path, c in cotangents.items()
        ]
        return self._tf.add_n([self._tf.cast(term, self._dtype) for term in terms])

    def _dense(self, gradient: Any, source: Any) -> np.ndarray:
        if gradient is None:
            return np.zeros([int(size) for size in source.shape], self._dtype)
        return np.asarray(self._tf.convert_to_tensor(gradient))

    def trained(self) -> list[Any]:
        """The variables that are trained."""
        return [self._variables[index] for index in self.trainable]

    def state(self) -> Arrays:
        """What isn't trained, under `state/`."""
        fixed = [index for index in range(len(self._variables)) if index not in set(self.trainable)]
        return {f"state/{index}": np.asarray(self._variables[index]) for index in fixed}

    def slots(self, optimizer: Any, weights: Sequence[Any]) -> dict[tuple[str, int], np.ndarray]:
        """Slots by name and index of the variable; Keras 3 has them as `VARIABLE_SLOT`, tf_keras as `SLOT/VARIABLE`."""
        if optimizer is None:
            return {}
        variables = optimizer.variables
        found: dict[tuple[str, int], np.ndarray] = {}
        candidates = list(variables() if callable(variables) and not isinstance(variables, list) else variables)
        candidates = [v for v in candidates if not re.search(r"(^|/)(iteration|learning_rate)(:0)?$", _path(v))]
        for index, weight in zip(self.trainable, weights, strict=True):
            path, shape = _path(weight), tuple(weight.shape)
            flat = re.sub(r"[/:]", "_", path)
            for candidate in candidates:
                slot = _slot_name(_path(candidate), path, flat)
                if slot and tuple(candidate.shape) == shape and (slot, index) not in found:
                    found[slot, index] = np.asarray(candidate)
                    candidates = [other for other in candidates if other is not candidate]
        return found


def _path(variable: Any) -> str:
    return str(getattr(variable, "path", None) or variable.name).removesuffix(":0")


def _slot_name(path: str, variable: str, flat: str) -> str | None:
    last = path.split("/", 1)[-1]
    if last.startswith(f"{flat}_"):
        rest = last[len(flat) + 1 :]
        return rest.removeprefix("0_") if "/" not in rest else None
    if path.endswith(f"/{variable}"):
        return path[: -len(variable) - 1].split("/")[-1]
    return None
