"""Every rule of a function, method or attribute proves itself, on its samples and on what is generated from them."""

from __future__ import annotations

from collections.abc import Sequence

import jax
from absl.testing import absltest, parameterized

from codemods import mappings
from codemods.engine import rule as rules
from codemods.engine.rule import Rule
from parity.rule_oracle import compare
from parity.rule_oracle.bench import Bench, Status, Verdict, unused

assert mappings  # registers the rules

CASES = [
    (f"{table}{symbol}", entry, symbol)
    for table, entries in (("", rules.RULES), ("method_", rules.METHODS), ("attribute_", rules.ATTRIBUTES))
    for symbol, entry in entries.items()
    if entry.samples and (table or compare.exists(symbol))  # not a name of older releases
]
SYMBOLS = [(symbol, entry, symbol) for symbol, entry in rules.RULES.items() if compare.exists(symbol)]


class RuleTest(parameterized.TestCase):
    done = 0

    @parameterized.named_parameters(CASES)
    def test_agrees_with_source(self, entry: Rule, symbol: str) -> None:
        bench = Bench(entry, symbol)
        verdicts = bench.verdicts()
        with self.subTest("body"):
            self.check(verdicts)
        with self.subTest("inlined"):
            self.check(bench.inlined())
        with self.subTest("differences"):
            self.assertEmpty(unused(entry, verdicts), "declared, but there is no such difference")

    def check(self, verdicts: Sequence[Verdict]) -> None:
        wrong = [f"{verdict.case}: {verdict.detail.strip()}" for verdict in verdicts if verdict.status is Status.WRONG]
        self.assertEmpty(wrong, "\n\n".join(wrong))

    def tearDown(self) -> None:
        super().tearDown()
        RuleTest.done += 1
        if RuleTest.done % 50 == 0:  # compiled functions of thousands of shapes are many gigabytes
            jax.clear_caches()

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
        entries = [*rules.RULES.values(), *rules.METHODS.values(), *rules.ATTRIBUTES.values()]
        self.assertEmpty([entry.symbols[0] for entry in entries if not entry.samples])


if __name__ == "__main__":
    absltest.main()
