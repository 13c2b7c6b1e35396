"""Ported training code gives the numbers of the original, step by step, from the same weights."""

import pathlib
from typing import Any

import jax
import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized
from flax import nnx

from codemods.passes.porter import Porter
from codemods.passes.printing.output import Output
from codemods.passes.trace import Trace
from codemods.passes.unit import Unit

_HERE = pathlib.Path(__file__).parent
_RNG = np.random.default_rng(7)
X = _RNG.normal(size=(22, 4)).astype(np.float32)
LABELS = _RNG.integers(0, 3, 22).astype(np.int32)
TARGETS = _RNG.normal(size=(22, 2)).astype(np.float32)
X_VAL, LABELS_VAL, TARGETS_VAL = X[:9] + 0.3, LABELS[:9], TARGETS[:9]
DATA = {
    "X": X, "LABELS": LABELS, "TARGETS": TARGETS, "X_VAL": X_VAL, "LABELS_VAL": LABELS_VAL, "TARGETS_VAL": TARGETS_VAL,
    "COLUMN": LABELS[:, None].astype(np.uint8), "COLUMN_VAL": LABELS_VAL[:, None].astype(np.uint8),
    "BINARY": (LABELS > 1).astype(np.float32), "BINARY_COLUMN": (LABELS > 1).astype(np.float32)[:, None],
    "FIRST": TARGETS[:, 0], "WEIGHTS": np.abs(TARGETS[:, 1]) + 0.1,
}  # fmt: skip


def original(case: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "original"}
    exec(compile((_HERE / case / "in.py").read_text(), f"{case}/in.py", "exec"), names)
    return names


def ported(case: str) -> dict[str, Any]:
    unit = Unit((_HERE / case / "in.py").read_text(), "in.py", Trace())
    porter = Porter(unit)
    porter.port()
    source = Output(porter).text()
    problems = [f"{r.span}: {r.symbol}: {r.reason}" for _, r in unit.residuals]
    if problems:
        raise AssertionError("\n".join(problems))
    names: dict[str, Any] = {"__name__": "ported"}
    exec(compile(source, f"{case}/out.py", "exec"), names)
    return names


def parts(module: Any) -> list[Any]:
    """Layers with weights, in the order in which they were made."""
    found: list[Any] = []
    for value in vars(module).values():
        if isinstance(value, nnx.Linear | nnx.BatchNorm):
            found.append(value)
        elif isinstance(value, nnx.Module) and not isinstance(value, nnx.Rngs):
            found.extend(parts(value))
    return found


def layers(model: Any) -> list[Any]:
    found = []
    for layer in model.layers:
        found += layers(layer) if hasattr(layer, "layers") else [layer] if layer.weights else []
    return found


def pairs(model: Any, module: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    for layer, part in zip(layers(model), parts(module), strict=True):
        if isinstance(part, nnx.Linear):
            found += [(layer.kernel, part.kernel), (layer.bias, part.bias)]
        else:
            found += [(layer.gamma, part.scale), (layer.beta, part.bias)]
            found += [(layer.moving_mean, part.mean), (layer.moving_variance, part.var)]
    return found


class TrainingTest(parameterized.TestCase):
    def carry(self, model: Any, module: Any) -> None:
        self.pairs = [*getattr(self, "pairs", []), *pairs(model, module)]
        for variable, parameter in self.pairs:
            parameter[...] = jax.numpy.asarray(variable.numpy())

    def same_weights(self) -> None:
        for variable, parameter in self.pairs:
            np.testing.assert_allclose(
                np.asarray(parameter[...]), variable.numpy(), rtol=2e-4, atol=2e-5, err_msg=variable.path
            )

    def same(self, found: Any, expected: Any) -> None:
        self.assertEqual(jax.tree.structure(found), jax.tree.structure(expected))
        for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
            np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=2e-4, atol=2e-5)

    def both(self, case: str, builder: str, module: str) -> tuple[Any, ...]:
        tf.keras.utils.set_random_seed(1)
        old, new = original(case), ported(case)
        model = old[builder]()
        ours = new[module](rngs=nnx.Rngs(0))
        self.carry(model, ours)
        return old, new, model, ours

    @parameterized.named_parameters(
        ("fit_classifier", "fit_classifier", "build_classifier", "Classifier", "X LABELS X_VAL LABELS_VAL"),
        ("columns_of_labels", "fit_classifier", "build_classifier", "Classifier", "X COLUMN X_VAL COLUMN_VAL"),
        ("fit_binary", "fit_binary", "build_model", "Model", "X BINARY"),
        ("fit_regression", "fit_regression", "make_net", "Net", "X TARGETS X_VAL TARGETS_VAL"),
        ("tape_clipped", "tape_clipped", "build_net", "Net", "X LABELS"),
        ("tape_by_hand", "tape_by_hand", "build_net", "Net", "X FIRST"),
        ("tape_of_inputs", "tape_of_inputs", "build_net", "Net", "X TARGETS"),
        ("frozen_base", "frozen_base", "make_model", "Model", "X LABELS"),
        ("weight_of_the_loss", "fit_one_weight", "build_net", "Net", "X TARGETS"),
        ("weights_of_samples", "fit_weights", "build_net", "Net", "X LABELS WEIGHTS"),
        ("learning_rates", "fit_rates", "build_net", "Net", "X TARGETS X_VAL TARGETS_VAL"),
        ("own_loss_and_metric", "fit_own_objects", "build_net", "Net", "X BINARY_COLUMN"),
        ("own_loss_and_labels_without_a_column", "fit_own_objects", "build_net", "Net", "X BINARY"),
        ("pipelines", "fit_pipeline", "build_net", "Net", "X LABELS X_VAL LABELS_VAL"),
        ("outputs_by_name", "fit_outputs", "build_net", "Net", "X TARGETS LABELS X_VAL TARGETS_VAL LABELS_VAL"),
        ("outputs_in_a_list", "fit_output_list", "build_net", "Net", "X TARGETS"),
        ("steps_of_a_functional_model", "functional_steps", "build_net", "Steps", "X TARGETS"),
    )
    def test_one_model(self, case: str, builder: str, module: str, given: str) -> None:
        data = [DATA[name] for name in given.split()]
        old, new, model, ours = self.both(case, builder, module)
        expected = old["train"](model, *data)
        found = new["train"](ours, *data)
        self.same(found, expected)
        self.same_weights()
        if "test" in old:
            self.same(new["test"](ours, *data[:2]), old["test"](model, *data[:2]))

    def test_early_stopping_stops(self) -> None:
        old, _, model, _ = self.both("fit_regression", "make_net", "Net")
        self.assertLess(len(old["train"](model, X, TARGETS, X_VAL, TARGETS_VAL)["loss"]), 20)

    def test_two_models_of_one_forward_pass(self) -> None:
        old, new = original("tape_two_models"), ported("tape_two_models")
        models = [old["build_generator"](), old["build_critic"]()]
        modules = [new["Generator"](rngs=nnx.Rngs(0)), new["Critic"](rngs=nnx.Rngs(0))]
        for model, module in zip(models, modules, strict=True):
            self.carry(model, module)
        self.same(new["train"](*modules, X[:, :3], X), old["train"](*models, X[:, :3], X))
        self.same_weights()

    @parameterized.named_parameters(
        ("penalties", "fit_penalties", "build_net", "X TARGETS"),
        ("compiled_loss_and_metrics", "step_compiled", "build_net", "X LABELS"),
        ("compile_of_its_own", "compile_own", "build_distiller", "X LABELS"),
        ("gradient_penalty", "compile_critic", "build_adversaries", "X"),
    )
    def test_class(self, case: str, builder: str, given: str) -> None:
        data = [DATA[name] for name in given.split()]
        tf.keras.utils.set_random_seed(1)
        old, new = original(case), ported(case)
        model, ours = old[builder](), new[builder]()
        self.carry(model, ours)
        self.same(new["train"](ours, *data), old["train"](model, *data))
        self.same_weights()

    def test_overridden_steps(self) -> None:
        old, new = original("train_step_trackers"), ported("train_step_trackers")
        model, module = old["Regressor"](old["build_net"]()), new["Regressor"](new["Net"](rngs=nnx.Rngs(0)))
        model(X)
        self.carry(model, module)
        self.same(new["train"](module, X, TARGETS), old["train"](model, X, TARGETS))
        self.same_weights()


if __name__ == "__main__":
    absltest.main()
