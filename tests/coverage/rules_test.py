"""A symbol with a rule is ported by the passes, too: a program from the rule's first sample has nothing left."""

from __future__ import annotations

from absl.testing import absltest, parameterized

from codemods import mappings
from codemods.engine import rule as rules
from codemods.policy.verdicts import verdict
from tests.coverage import snippets

assert mappings  # registers the rules
#: Programs for rules that no generated call shows.
_WITHOUT_SAMPLE = {
    "tf.keras.layers.Lambda": "def build():\n    x = tf.keras.Input((3,))\n"
    "    return tf.keras.Model(x, tf.keras.layers.Lambda(lambda y: tf.abs(y) * 2.0)(x))\n",
    "tf.keras.metrics.MeanRelativeError": "def f(x, y):\n    metric = tf.keras.metrics.MeanRelativeError([1.0, 2.0])\n"
    "    metric.update_state(x, y)\n    return metric.result()\n",
}
CASES = [(symbol, symbol) for symbol in sorted({*rules.RULES, *rules.OBJECTS, *rules.CONSTANTS})]


class RulesTest(parameterized.TestCase):
    @parameterized.named_parameters(CASES)
    def test_ports(self, symbol: str) -> None:
        if verdict(symbol).kind == "refused":
            self.skipTest(f"its rule refuses every call: {verdict(symbol).becomes}")
        programs = [_WITHOUT_SAMPLE[symbol]] if symbol in _WITHOUT_SAMPLE else snippets.rules_of(symbol)
        self.assertNotEmpty(programs)
        for program in programs:
            port = snippets.port(program)
            if snippets.left(port) and symbol in rules.RULES:  # it may have to know ranks
                port = snippets.port(snippets.of_rule_with_shapes(symbol, rules.RULES[symbol].samples[0]))
            self.assertEmpty(snippets.left(port), f"{program}\n\n{port.source}")
            self.assertNotIn("tensorflow", port.source)


if __name__ == "__main__":
    absltest.main()
