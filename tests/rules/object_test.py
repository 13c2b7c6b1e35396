"""Every rule of a layer, loss or metric proves itself: with weights carried over, in both modes, with gradients."""

from __future__ import annotations

import inspect
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized
from flax import nnx
from jax import export

from codemods import mappings
from codemods.engine import rule as rules
from codemods.engine.rule import ObjectRule, Sample
from codemods.mappings.keras_regularizers import penalties
from parity.rule_oracle import compare, inlined
from parity.rule_oracle.objects import Case, carry, flat, perturb, stepped

assert mappings  # registers the rules

#: Values of a weight that tell distributions apart, and draws at most.
_ENOUGH, _DRAWS = 600, 60


def _fixed(values: list[np.ndarray]) -> bool:
    return all(np.array_equal(values[0], value) for value in values[1:])


def cases(kind: str) -> list[tuple[str, ObjectRule, str, Sample, int]]:
    return [
        (f"{symbol}_{index}", entry, symbol, sample, index)
        for symbol, entry in rules.OBJECTS.items()
        if entry.kind == kind
        for index, sample in enumerate(entry.samples)
        if compare.exists(symbol)  # not a name of older releases
    ]


def tensor(variable: Any) -> Any:
    """What a tape knows a variable of either Keras by."""
    return variable.value if isinstance(variable, keras.Variable) else variable


def run(layer: Any, case: Case, inputs: Any, training: bool) -> Any:
    """The original's result; `training` is given where it is taken."""
    options = compare.mapped(compare.for_tf, case.options)
    if "training" in inspect.signature(layer.call).parameters:
        options = {**options, "training": training}
    return layer(*inputs, **options)


def inputs_of(case: Case) -> Any:
    return compare.mapped(compare.for_tf, case.inputs)


class LayerTest(parameterized.TestCase):
    @parameterized.named_parameters(cases("layer"))
    def test_agrees_with_source(self, entry: ObjectRule, symbol: str, sample: Sample, index: int) -> None:
        case = Case.of(entry, symbol, sample, index)
        layer, module = case.source(), case.made()
        inputs = compare.mapped(compare.for_tf, case.inputs)
        run(layer, case, inputs, False)
        perturb(layer, compare.seed_of(symbol, index, "weights"))
        places = carry(case, layer, module)
        if layer.losses:
            compare.check(tf.add_n(layer.losses), penalties(module), where="penalties")
        for training in (False, True):
            if training and not entry.mode:
                continue  # the port is the same in both modes, so the original has to be
            with self.subTest(training=training):
                self.check_mode(case, layer, module, places, training)
        if not entry.mode:
            compare.check(run(layer, case, inputs, True), case.call(module, case.inputs), where="training")

    @parameterized.named_parameters(cases("layer"))
    def test_initial_weights(self, entry: ObjectRule, symbol: str, sample: Sample, index: int) -> None:
        """What no chance decides is the same; what is drawn has the same distribution."""
        case = Case.of(entry, symbol, sample, index)
        if entry.make is None or case.made() is None or not flat(case.made()):
            self.skipTest("no weights")
        inputs = inputs_of(case)
        theirs: dict[str, list[np.ndarray]] = {}
        ours: dict[str, list[np.ndarray]] = {}
        for seed in range(_DRAWS):
            tf.keras.utils.set_random_seed(seed)
            layer = case.source()
            run(layer, case, inputs, False)
            for variable, path, weight in case.weights(layer):
                theirs.setdefault(path, []).append(stepped(np.array(variable), weight.steps))
            for path, leaf in flat(case.made(seed)).items():
                ours.setdefault(path, []).append(np.asarray(leaf[...]))
            if seed and all(len(values) * values[0].size >= _ENOUGH or _fixed(values) for values in theirs.values()):
                break
        for path, values in theirs.items():
            if _fixed(values):
                compare.check(values[0], ours[path][0], case.rule.differences, where=f"{path} at first")
            else:
                self.check_drawn(np.stack(values), np.stack(ours[path]), path)

    def check_drawn(self, theirs: np.ndarray, ours: np.ndarray, path: str) -> None:
        """The two-sample Kolmogorov-Smirnov test, at one in a million, and that draws differ."""
        self.assertFalse(_fixed(list(ours)), f"{path} is drawn by the original")
        one, other = np.sort(theirs, axis=None), np.sort(ours, axis=None)
        every = np.concatenate([one, other])
        shares = [np.searchsorted(values, every, side="right") / len(values) for values in (one, other)]
        distance = np.abs(shares[0] - shares[1]).max()
        limit = 2.69 * np.sqrt((len(one) + len(other)) / (len(one) * len(other)))
        self.assertLessEqual(
            distance, limit, f"{path} is drawn otherwise: deviations {one.std():.3g} and {other.std():.3g}"
        )

    def check_mode(self, case: Case, layer: Any, module: Any, places: dict[str, Any], training: bool) -> None:
        floats = compare.floats((case.inputs, case.options))
        watched = [tf.constant(x) for x in floats]
        before = [np.array(v) for v in layer.weights]
        with tf.GradientTape() as tape:
            tape.watch(watched)
            inputs, options = compare.replaced((case.inputs, case.options), floats, watched)
            filled = Case(**{**case.__dict__, "options": options})
            expected = run(layer, filled, compare.mapped(compare.for_tf, inputs), training)
            weights = compare.projection(expected, compare.seed_of(case.symbol))
            total = sum(
                (tf.reduce_sum(x * w) for x, w in zip(compare.leaves(expected), weights, strict=True) if w is not None),
                start=tf.zeros(()),
            )
            variables = list(layer.trainable_variables)
        gradients = tape.gradient(total, [*watched, *(tensor(v) for v in variables)], unconnected_gradients="zero")
        after = {id(v): np.array(v) for v in layer.weights}
        if training and self.is_random(case, layer, before):
            self.check_random(case, module, expected)
            return

        graph, parameters, rest = nnx.split(module if module is not None else {}, nnx.Param, ...)

        def loss(parameters: Any, values: list[jax.Array]) -> tuple[jax.Array, Any]:
            merged = nnx.merge(graph, parameters, rest, copy=True) if module is not None else None
            inputs, options = compare.replaced((case.inputs, case.options), floats, values)
            result = Case(**{**case.__dict__, "options": options}).call(merged, inputs, training)
            parts = zip(compare.leaves(result), weights, strict=True)
            changed = flat(merged) if merged is not None else {}
            total = sum((jnp.sum(x * w) for x, w in parts if w is not None), start=0.0)
            return total, (result, {path: v[...] for path, v in changed.items()})

        arrays = [jnp.asarray(x) for x in floats]
        (by_weight, by_input), (actual, state) = jax.grad(loss, argnums=(0, 1), has_aux=True)(parameters, arrays)
        compare.check(expected, actual, case.rule.differences)
        compare.check([compare.plain(g) for g in gradients[: len(floats)]], list(by_input), where="gradient of inputs")
        found = {".".join(map(str, path)): leaf for path, leaf in nnx.to_flat_state(by_weight)}
        index = {id(v): len(floats) + i for i, v in enumerate(variables)}
        for path, (variable, weight) in places.items():
            if id(variable) in index:
                want = stepped(compare.plain(gradients[index[id(variable)]]), weight.steps)
                compare.check(want, found[path][...], where=f"gradient of {path}")
            new = stepped(after[id(variable)], weight.steps)
            compare.check(new, state[path], case.rule.differences, f"{path} after the call")
        for variable, value in zip(layer.weights, before, strict=True):
            variable.assign(value)

    def is_random(self, case: Case, layer: Any, before: list[np.ndarray]) -> bool:
        inputs = compare.mapped(compare.for_tf, case.inputs)
        for variable, value in zip(layer.weights, before, strict=True):
            variable.assign(value)
        # Often: a coin for each of three images falls the same way twice in one of eight runs.
        drawn = [[compare.plain(x) for x in compare.leaves(run(layer, case, inputs, True))] for _ in range(12)]
        for variable, value in zip(layer.weights, before, strict=True):
            variable.assign(value)
        return any(not np.array_equal(one, x) for other in drawn[1:] for one, x in zip(drawn[0], other, strict=True))

    def check_random(self, case: Case, module: Any, expected: Any) -> None:
        """Dropout: the same shape, another result each time, and in the mean that of inference."""
        results = [case.call(module, case.inputs, True) for _ in range(200)]
        still = case.call(module, case.inputs, False)
        for i, want in enumerate(compare.leaves(expected)):
            drawn = np.stack([np.asarray(list(compare.leaves(result))[i]) for result in results])
            self.assertEqual(drawn.shape[1:], compare.plain(want).shape)
            if case.rule.make is not None and type(module) is nnx.Dropout:
                quiet = np.asarray(list(compare.leaves(still))[i])
                error = 6 * drawn.std(axis=0) / np.sqrt(len(results)) + 1e-3
                self.assertTrue(
                    np.all(np.abs(drawn.mean(axis=0) - quiet) <= error), "the mean is not that of inference"
                )
            if i < 3:
                self.check_means(case, inputs_of(case), i, drawn)
        self.assertTrue(any(np.ptp(np.asarray(list(compare.leaves(r))[0])) >= 0 for r in results))
        first, *others = (np.asarray(list(compare.leaves(result))[0]) for result in results)
        same = all(np.array_equal(first, other) for other in others)
        self.assertFalse(same, "the original is random here, the port is not")

    def check_means(self, case: Case, inputs: Any, i: int, drawn: np.ndarray) -> None:
        """In the mean over many draws, and in how far they spread, both sides agree."""
        layer = case.source()
        run(layer, case, inputs, True)
        if layer.weights:
            return  # its own, which the port's are not; the modes without chance have them carried
        theirs = np.stack([compare.plain(list(compare.leaves(run(layer, case, inputs, True)))[i]) for _ in range(200)])
        for ours, want in ((drawn, theirs), (drawn**2, theirs**2)):
            error = 7 * np.hypot(ours.std(axis=0), want.std(axis=0)) / np.sqrt(len(want)) + 1e-3 * np.abs(want).max()
            self.assertTrue(np.all(np.abs(ours.mean(axis=0) - want.mean(axis=0)) <= error), "other values are drawn")

    @parameterized.named_parameters(cases("layer"))
    def test_shape(self, entry: ObjectRule, symbol: str, sample: Sample, index: int) -> None:
        case = Case.of(entry, symbol, sample, index)
        expected = run(case.source(), case, compare.mapped(compare.for_tf, case.inputs), False)
        shapes = [tuple(x.shape) for x in compare.leaves(expected)]
        stand_ins, options = case.stand_ins(), {**case.config, **case.options}

        def shape_of(inputs: dict[str, Any]) -> list[tuple[Any, ...]]:
            if entry.shape is None:
                return [tuple(inputs["x"].shape)]
            names = list(inspect.signature(entry.shape).parameters)[1:]
            known = {**options, **inputs}
            found = entry.shape(inputs["x"], **{name: known[name] for name in names if name in known})
            return [tuple(part) for part in found] if isinstance(found, list) else [tuple(found)]

        self.assertEqual(shape_of(stand_ins), shapes)
        env: dict[str, int] = {}
        symbolic = {name: symbols(value, env, export.SymbolicScope()) for name, value in stand_ins.items()}
        found = shape_of(symbolic)
        self.assertEqual([tuple(evaluated(dim, env) for dim in shape) for shape in found], shapes)

    @parameterized.named_parameters(cases("layer"))
    def test_inlined(self, entry: ObjectRule, symbol: str, sample: Sample, index: int) -> None:
        case = Case.of(entry, symbol, sample, index)
        module = case.made()
        made = inlined.make(case)
        self.assertEqual(made is None, module is None)
        if module is not None:
            nnx.update(made, nnx.state(module))  # fails where the two differ in structure
        for training in (False, True) if entry.mode else (False,):
            compare.check(case.call(module, case.inputs, training), inlined.call(case, made, training), where="call")


def symbols(value: Any, env: dict[str, int], scope: export.SymbolicScope) -> Any:
    """Stand-ins whose dims are symbolic, the last one aside, which layers are made for."""
    if isinstance(value, list):
        return [symbols(item, env, scope) for item in value]
    shape = getattr(value, "shape", None)
    if shape is None:
        return value
    dims: list[Any] = []
    for size in shape[:-1]:
        name = f"d{size}"  # equal sizes may have to be equal
        env[name] = size
        dims.append(export.symbolic_shape(name, scope=scope)[0])
    return type(value)(shape=(*dims, *shape[-1:]))


def evaluated(dim: Any, env: dict[str, int]) -> int:
    """The size of a dim for given sizes of its symbols."""
    functions = {"floordiv": lambda a, b: a // b, "mod": lambda a, b: a % b, "max": max, "min": min}
    return dim if isinstance(dim, int) else eval(str(dim), {**functions, **env})


class LossTest(parameterized.TestCase):
    @parameterized.named_parameters(cases("loss"))
    def test_agrees_with_source(self, entry: ObjectRule, symbol: str, sample: Sample, index: int) -> None:
        case = Case.of(entry, symbol, sample, index)
        y_true, y_pred, *rest = compare.mapped(compare.for_tf, case.inputs)
        with tf.GradientTape() as tape:
            tape.watch(y_pred)
            expected = case.source()(y_true, y_pred, *rest, **compare.mapped(compare.for_tf, case.options))
            total = tf.reduce_sum(expected)

        def loss(prediction: jax.Array) -> jax.Array:
            return jnp.sum(case.call(None, (case.inputs[0], prediction, *case.inputs[2:])))

        compare.check(expected, case.call(None, case.inputs), entry.differences)
        compare.check(tape.gradient(total, y_pred), jax.grad(loss)(jnp.asarray(case.inputs[1])), where="gradient")
        compare.check(case.call(None, case.inputs), inlined.call(case, None, False), where="inlined")


class MetricTest(parameterized.TestCase):
    @parameterized.named_parameters(cases("metric"))
    def test_agrees_with_source(self, entry: ObjectRule, symbol: str, sample: Sample, index: int) -> None:
        case, later = Case.of(entry, symbol, sample, index), Case.of(entry, symbol, sample, index + 100)
        source, made, other = case.source(), case.made(), inlined.make(case)
        for part in (case, later):
            source.update_state(
                *compare.mapped(compare.for_tf, part.inputs), **compare.mapped(compare.for_tf, part.options)
            )
            made.update(**part.call(made, part.inputs))
            other.update(**inlined.call(part, other, False))
        compare.check(source.result(), made.compute(), entry.differences)
        compare.check(made.compute(), other.compute(), where="inlined")


if __name__ == "__main__":
    absltest.main()
