"""The tests of the rules notice what they are there for: rules that are wrong, and mutants."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from absl.testing import absltest

from codemods.engine.rule import Difference, Rule, f32, known, refuse, sample
from parity.rule_oracle.bench import Bench, Status, unused
from parity.rule_oracle.killing import Killer
from parity.rule_oracle.mutants import mutants
from parity.rule_oracle.variants import cases

SAMPLES = [sample(f32(4, 3)), sample(f32(4, 3), alpha=0.1)]
REDUCED = [sample(f32(2, 3, 4)), sample(f32(2, 3, 4), axis=1, keepdims=True)]


def leaky(features, alpha=0.2, name=None):
    return jax.nn.leaky_relu(features, negative_slope=alpha)


def wrong_default(features, alpha=0.3, name=None):
    return jax.nn.leaky_relu(features, negative_slope=alpha)


def wrong_on_integers(x, name=None):
    return jnp.sqrt(jnp.square(x))


def wrong_gradient(x, name=None):
    return jax.lax.stop_gradient(jnp.exp(x))


def refusing(features, alpha=0.2, name=None):
    if known(alpha) and alpha > 0.15:
        return jax.nn.leaky_relu(features, negative_slope=alpha)
    refuse("a small slope")


def reduced(input_tensor, axis=None, keepdims=False, name=None):
    return jnp.sum(input_tensor, axis=axis, keepdims=keepdims)


def static(condition, x=None, y=None, name=None):
    return jnp.argwhere(condition)


class BenchTest(absltest.TestCase):
    def statuses(self, function: Any, symbol: str, samples: Any, *differences: Difference) -> dict[str, set[Status]]:
        bench = Bench(Rule((symbol,), function, "call", samples, differences), symbol)
        found: dict[str, set[Status]] = {}
        for verdict in bench.verdicts():
            found.setdefault(verdict.case.kind, set()).add(verdict.status)
        return found

    def test_a_right_rule_agrees_on_every_kind(self) -> None:
        found = self.statuses(leaky, "tf.nn.leaky_relu", SAMPLES)
        self.assertContainsSubset({"sample", "bfloat16", "empty", "one", "rank", "ties", "wide", "nan", "alpha"}, found)
        self.assertEqual(set.union(*found.values()), {Status.AGREES})

    def test_a_wrong_default_is_noticed(self) -> None:
        self.assertIn(Status.WRONG, self.statuses(wrong_default, "tf.nn.leaky_relu", SAMPLES)["sample"])

    def test_what_the_author_did_not_think_of_is_noticed(self) -> None:
        found = self.statuses(wrong_on_integers, "tf.abs", [sample(f32(3))])
        self.assertEqual(found["sample"], {Status.AGREES})
        self.assertEqual(found["int32"], {Status.WRONG})

    def test_a_declared_difference_is_held_to_its_truth(self) -> None:
        floats = Difference("integers", "the result is a float", ("int32",), "values of another dtype")
        found = self.statuses(wrong_on_integers, "tf.abs", [sample(f32(3))], floats)
        self.assertEqual(found["int32"], {Status.DECLARED})
        gradients = Difference("the gradient", "none", ("sample", "rank", "one", "scalar", "empty"), "values")
        found = self.statuses(wrong_gradient, "tf.exp", [sample(f32(4, 3))], gradients)
        self.assertEqual(found["sample"], {Status.DECLARED})

    def test_a_difference_that_is_none_is_noticed(self) -> None:
        needless = Difference("integers", "nothing", ("bfloat16",))
        bench = Bench(Rule(("tf.nn.leaky_relu",), leaky, "call", SAMPLES, [needless]), "tf.nn.leaky_relu")
        self.assertEqual(unused(bench.rule, bench.verdicts()), ["integers"])

    def test_a_refusal_is_no_mistake_but_of_a_sample(self) -> None:
        found = self.statuses(refusing, "tf.nn.leaky_relu", SAMPLES)
        self.assertIn(Status.WRONG, found["sample"])
        found = self.statuses(refusing, "tf.nn.leaky_relu", SAMPLES[:1])
        self.assertNotIn(Status.WRONG, set.union(*found.values()))

    def test_a_rule_that_cannot_be_jitted_says_so(self) -> None:
        traced = [sample(f32(2, 3))]
        self.assertEqual(self.statuses(static, "tf.where", traced)["sample"], {Status.WRONG})

    def test_cases_are_the_same_every_time(self) -> None:
        entry = Rule(("tf.reduce_sum",), reduced, "call", REDUCED)
        self.assertEqual([str(case) for case in cases(entry)], [str(case) for case in cases(entry)])
        drawn = [case.drawn("tf.reduce_sum")[0] for case in cases(entry)[:2]]
        self.assertEqual(drawn[0][0].tolist(), cases(entry)[0].drawn("tf.reduce_sum")[0][0].tolist())


class MutantsTest(absltest.TestCase):
    def test_kinds_of_mutants(self) -> None:
        found = [(mutant.operator, mutant.change) for mutant in mutants(reduced)]
        operators = [operator for operator, _ in found]
        self.assertEqual(operators.count("wrong default"), 2)
        self.assertEqual(operators.count("dropped keyword"), 2)
        self.assertEqual(operators.count("another function"), 1)
        self.assertLen(operators, 5)

    def test_a_keyword_at_its_default_is_left_alone(self) -> None:
        def body(x):
            return jnp.sum(x, axis=None, keepdims=True)

        dropped = [mutant.change for mutant in mutants(body) if mutant.operator == "dropped keyword"]
        self.assertLen(dropped, 1)
        self.assertIn("keepdims", dropped[0])

    def test_all_are_killed(self) -> None:
        killer = Killer(Bench(Rule(("tf.reduce_sum",), reduced, "call", REDUCED), "tf.reduce_sum"))
        self.assertEmpty([str(mutant) for mutant in mutants(reduced) if not killer.kills(mutant)])

    def test_weak_samples_let_mutants_live(self) -> None:
        weak = [sample(f32(1))]
        killer = Killer(Bench(Rule(("tf.nn.leaky_relu",), leaky, "call", weak), "tf.nn.leaky_relu"))
        live = [mutant for mutant in mutants(leaky) if not killer.kills(mutant)]
        self.assertEmpty([mutant for mutant in live if mutant.operator == "dropped keyword"])


if __name__ == "__main__":
    absltest.main()
