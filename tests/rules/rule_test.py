"""Every rule of a function, method or attribute proves itself: body against source, inlined code against body."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import tensorflow as tf
from absl.testing import absltest, parameterized
from flax import nnx

from codemods import mappings
from codemods.engine import rule as rules
from codemods.engine.rule import Rule, Sample
from tests.rules import compare, inlined, probes

assert mappings  # registers the rules

CASES = [
    (f"{table}_{symbol}_{index}", entry, symbol, sample, index)
    for table, entries in (("", rules.RULES), ("method_", rules.METHODS), ("attribute_", rules.ATTRIBUTES))
    for symbol, entry in entries.items()
    for index, sample in enumerate(entry.samples)
    if table or compare.exists(symbol)  # not a name of older releases
]
SYMBOLS = [(symbol, entry, symbol) for symbol, entry in rules.RULES.items() if compare.exists(symbol)]


Inputs = tuple[tuple[Any, ...], dict[str, Any]]


def drawn(sample: Sample, *key: Any) -> Inputs:
    """The sample's positional and keyword arguments, with arrays in them."""
    return compare.drawn((sample.args, dict(sample.kwargs)), compare.seed_of(*key))


def source(entry: Rule, symbol: str, inputs: Inputs) -> Any:
    """What TensorFlow gives."""
    args, kwargs = compare.mapped(compare.for_tf, inputs)
    if entry.kind == "call":
        return compare.source_object(symbol)(*args, **kwargs)
    member = getattr(args[0], symbol)
    return member(*args[1:], **kwargs) if entry.kind == "method" else member


def body(entry: Rule, inputs: Inputs) -> Any:
    """What the rule's body gives. `rngs` stands for itself in bodies: whoever runs one brings it."""
    args, kwargs = compare.mapped(compare.for_jax, inputs)
    entry.function.__globals__["rngs"] = nnx.Rngs(0)
    try:
        return entry.function(*args, **kwargs)
    finally:
        del entry.function.__globals__["rngs"]


class RuleTest(parameterized.TestCase):
    done = 0

    @parameterized.named_parameters(CASES)
    def test_agrees_with_source(self, entry: Rule, symbol: str, sample: Sample, index: int) -> None:
        inputs = drawn(sample, symbol, index)
        results = [source(entry, symbol, inputs), body(entry, inputs), inlined.run(entry, inputs, symbol)]
        probe = probes.probe(results[0])
        if probe is not None:
            results = [probe(result) for result in results]
        expected, actual, from_code = results
        check = compare.check_moments if entry.random else compare.check
        with self.subTest("value"):
            check(expected, actual, entry.differences)
        with self.subTest("inlined"):
            check(actual, from_code, where="inlined")
        if probe is None and not entry.random:
            with self.subTest("gradient"):
                self.check_gradients(entry, symbol, inputs, expected)

    def tearDown(self) -> None:
        super().tearDown()
        RuleTest.done += 1
        if RuleTest.done % 200 == 0:  # compiled functions of thousands of shapes are many gigabytes
            jax.clear_caches()

    def check_gradients(self, entry: Rule, symbol: str, arguments: Inputs, result: Any) -> None:
        inputs = compare.floats(arguments)
        weights = compare.projection(result, compare.seed_of(symbol))
        if not inputs or all(weight is None for weight in weights):
            return

        def projected(results: Any, total: Any) -> Any:
            parts = zip(compare.leaves(results), weights, strict=True)
            return sum((total(x * w) for x, w in parts if w is not None), start=0.0)

        watched = [tf.constant(x) for x in inputs]
        with tf.GradientTape() as tape:
            tape.watch(watched)
            try:
                value = projected(source(entry, symbol, compare.replaced(arguments, inputs, watched)), tf.reduce_sum)
                expected = tape.gradient(value, watched, unconnected_gradients="zero")
            except (LookupError, NotImplementedError):  # TensorFlow has no gradient for this
                return
            except tf.errors.InvalidArgumentError as error:
                # Without oneDNN its CPU kernels lack some gradients, such as those of dilated convolutions.
                if "do not yet support" not in str(error):
                    raise
                return

        def loss(values: list[jax.Array]) -> jax.Array:
            return projected(body(entry, compare.replaced(arguments, inputs, values)), jnp.sum)

        actual = jax.grad(loss)([jnp.asarray(x) for x in inputs])
        compare.check([compare.plain(x) for x in expected], list(actual), where="gradient")

    @parameterized.named_parameters(SYMBOLS)
    def test_signature(self, entry: Rule, symbol: str) -> None:
        theirs = compare.signature_of(compare.source_object(symbol))
        ours = compare.signature_of(entry.function)
        if theirs and theirs[-1][1] == "VAR_KEYWORD":  # ours may have names for what they take by any
            theirs.pop()
            ours = ours[: len(theirs)]
        if entry.loose:
            self.assertNotEqual(ours, theirs, f"the signature agrees: `loose` can go ({entry.loose})")
        else:
            self.assertEqual(ours, theirs)

    def test_every_rule_has_samples(self) -> None:
        without = [entry.symbols[0] for entry in rules.RULES.values() if not entry.samples]
        self.assertEmpty(without)


if __name__ == "__main__":
    absltest.main()
