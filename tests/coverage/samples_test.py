"""What passes declare is true: the sample ports in full, with every symbol in its place."""

from __future__ import annotations

from absl.testing import absltest, parameterized

from codemods.engine.api import ROOTS
from codemods.engine.handled import HANDLED, Handled
from codemods.policy import verdicts
from tests.coverage import snippets

assert verdicts  # imports the passes
CASES = [
    (f"{symbol}_{i}", symbol, entry) for symbol, entries in sorted(HANDLED.items()) for i, entry in enumerate(entries)
]


class SamplesTest(parameterized.TestCase):
    @parameterized.named_parameters(CASES)
    def test_ports_in_full(self, symbol: str, entry: Handled) -> None:
        port = snippets.port(entry.sample.replace("SYMBOL", symbol))
        self.assertEmpty(snippets.left(port), port.source)
        self.assertNoCommonElements(snippets.imports_at_top(port.source), ROOTS)
        for text in entry.shows:
            self.assertIn(text, port.source)


if __name__ == "__main__":
    absltest.main()
