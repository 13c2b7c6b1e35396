"""The policy is true: host code stays and runs where TensorFlow is imported late, refused symbols are marked."""

from __future__ import annotations

from absl.testing import absltest, parameterized

from codemods.engine.api import ROOTS, is_public
from codemods.passes.host_code import kept
from codemods.policy import verdicts
from codemods.policy.entries import ENTRIES
from codemods.policy.lookup import entry_of, host_entry
from tests.coverage import snippets, symbols

USED = [symbol for symbol, _ in symbols.table()]
EXACT = [pattern for pattern in ENTRIES if not pattern.endswith(".*")]
HOSTS = sorted({s for s in [*USED, *EXACT] if kept(s) is not None and s.startswith("tf.")})
CALLED = [s for s in HOSTS if (entry := host_entry(s)) is not None and entry.gives != "constant"]
REFUSED = sorted(
    s for s in {*USED, *EXACT} if entry_of(s) and verdicts.verdict(s).kind == "refused" and s.startswith("tf.")
)


class HostTest(parameterized.TestCase):
    @parameterized.parameters(HOSTS)
    def test_stays_in_its_function(self, symbol: str) -> None:
        entry = host_entry(symbol)
        assert entry is not None
        port = snippets.port(snippets.of_host(symbol, entry))
        self.assertEmpty(snippets.left(port), port.source)
        self.assertIn(symbol, port.source)
        self.assertNoCommonElements(snippets.imports_at_top(port.source), ROOTS)
        self.assertNotEmpty(port.unit.notes)

    @parameterized.parameters(HOSTS)
    def test_stays_beside_a_model(self, symbol: str) -> None:
        entry = host_entry(symbol)
        assert entry is not None
        program = """
class Net(tf.keras.layers.Layer):
    def call(self, x):
        return tf.abs(x)

def main(path):
    net = Net()
    found = USE
    print(net(tf.ones([2])))
    return found
"""
        use = symbol if entry.gives == "constant" else f"{symbol}(path)"
        port = snippets.port(program.replace("USE", use))
        self.assertEmpty(snippets.left(port), port.source)
        self.assertIn(symbol, port.source)
        self.assertIn("jnp.abs", port.source)
        self.assertIn("net(jnp.ones", port.source)
        self.assertNoCommonElements(snippets.imports_at_top(port.source), ROOTS)

    @parameterized.parameters(CALLED)
    def test_is_marked_in_a_model(self, symbol: str) -> None:
        port = snippets.port(f"class Net(tf.keras.layers.Layer):\n    def call(self, x):\n        return {symbol}(x)\n")
        reasons = snippets.left(port)
        self.assertIn(symbol, reasons)
        self.assertIn("host code within a model", reasons[symbol])


class RefusedTest(parameterized.TestCase):
    @parameterized.parameters(REFUSED)
    def test_is_marked_with_its_reason(self, symbol: str) -> None:
        entry = entry_of(symbol)
        port = snippets.port(snippets.of_refused(symbol))
        reasons = snippets.left(port)
        self.assertIn(symbol, reasons)
        self.assertEqual(reasons[symbol], entry.text)  # type: ignore[union-attr]
        self.assertIn(symbol, port.source)


class EntriesTest(parameterized.TestCase):
    @parameterized.parameters(*[p for p in EXACT if p.startswith("tf.") and p.count(".") < 4])
    def test_names_something(self, pattern: str) -> None:
        parent = pattern.rpartition(".")[0]
        self.assertTrue(is_public(pattern) or is_public(parent) or pattern in USED, f"{pattern} is no symbol")

    @parameterized.parameters(*ENTRIES.values())
    def test_says_what_to_do(self, entry: object) -> None:
        self.assertGreater(len(entry.recipe), 8)  # type: ignore[attr-defined]
        self.assertFalse(entry.recipe.endswith("."))  # type: ignore[attr-defined]


if __name__ == "__main__":
    absltest.main()
