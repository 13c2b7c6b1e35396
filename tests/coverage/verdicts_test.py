"""Every symbol that public code uses often has a verdict, and few of the uses are refused."""

from __future__ import annotations

import ast
import pathlib

from absl.testing import absltest, parameterized

from codemods.engine import rule as rules
from codemods.engine.api import canonical, is_module, is_public
from codemods.engine.handled import HANDLED
from codemods.passes import porter
from codemods.policy.entries import ENTRIES
from codemods.policy.lookup import entry_of
from codemods.policy.verdicts import verdict
from tests.coverage import symbols

TABLE = symbols.table()
PASSES = pathlib.Path(porter.__file__).parent

#: Refused among the first 400: not what a model is written with.
NOT_MODEL_CODE = (
    "tf.distribute.", "tf.experimental.dtensor.", "tf.tpu.",  # many devices
    "tf.train.", "tf.saved_model.", "tf.keras.models.", "tf.keras.callbacks.", "tf.keras.applications.",  # files
    "tf.estimator.", "tf.feature_column.", "tf.compat.v1.",  # older ways
    "tf.keras.utils.",  # configurations
    "tf.ragged.", "tf.RaggedTensor", "tf.sparse.", "tf.SparseTensor", "tf.IndexedSlices",  # forms of data
    "tf.experimental.ExtensionType",
    "hub.", "tfa.", "tfds.", "tfmot.", "tfp.", "snt.", "tf_text.",  # other packages
)  # fmt: skip
#: Refused among the first 400, though models use them: still to do.
OPEN = {
    "tf.keras.optimizers.LossScaleOptimizer": "mixed precision",
    "tf.keras.config.set_dtype_policy": "mixed precision",
    "tf.keras.constraints.get": "constraints by name",
    "tf.keras.backend.get_uid": "names of Keras's graph",
    "tf.random.Generator.from_seed": "generators that keep their state",
}


class VerdictsTest(parameterized.TestCase):
    def test_share_of_uses(self) -> None:
        total = sum(uses for _, uses in TABLE)
        by_kind: dict[str, int] = {}
        for symbol, uses in TABLE:
            kind = verdict(symbol).kind
            by_kind[kind] = by_kind.get(kind, 0) + uses
        covered = sum(by_kind.get(kind, 0) for kind in ("rule", "pass", "host"))
        shares = {kind: f"{100 * uses / total:.2f} %" for kind, uses in sorted(by_kind.items())}
        self.assertGreaterEqual(covered / total, 0.95, shares)

    def test_first_800_have_one(self) -> None:
        self.assertEmpty([symbol for symbol, _ in TABLE[:800] if verdict(symbol).kind == "unknown"])

    def test_model_code_among_the_first_400(self) -> None:
        refused = [symbol for symbol, _ in TABLE[:400] if not verdict(symbol).ported]
        self.assertEmpty([s for s in refused if not s.startswith(NOT_MODEL_CODE) and s not in OPEN])
        self.assertEmpty(OPEN.keys() - set(refused), "these have a verdict now: they can leave the list")

    def test_names_are_canonical(self) -> None:
        self.assertEmpty([symbol for symbol, _ in TABLE if canonical(symbol) != symbol])

    def test_refusals_hide_no_rule(self) -> None:
        both = [p for p in ENTRIES if p in rules.RULES or p in rules.OBJECTS]
        self.assertEmpty(both, "a rule covers this: the entry of the policy can go")

    def test_passes_declare_what_they_name(self) -> None:
        """A symbol that the code of a pass names is declared, has a rule, or is a label of the policy."""
        unknown = {}
        for path in sorted(PASSES.rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("tf."):
                    symbol = canonical(node.value) if node.value.isascii() and " " not in node.value else ""
                    if not symbol or not is_public(symbol) or is_module(symbol):
                        continue
                    known = (rules.RULES, rules.OBJECTS, rules.CONSTANTS, HANDLED)
                    if not any(symbol in table for table in known) and entry_of(symbol) is None:
                        unknown[symbol] = path.name
        self.assertEmpty(unknown, "declare these with `handled(...)` beside the code that handles them")


if __name__ == "__main__":
    absltest.main()
