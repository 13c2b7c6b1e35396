"""What the coverage command says of definitions is what a port comes to."""

from __future__ import annotations

from absl.testing import absltest, parameterized

from codemods.coverage.judged import BLOCKED, OPEN, WHOLE, judge, names_framework
from codemods.coverage.tree import Report
from codemods.coverage.uses import MODULE

PROGRAM = """\
import tensorflow as tf
from tensorflow import keras as k

KERAS = tf.keras


def whole(x: tf.Tensor):
    return tf.abs(x) + KERAS.losses.MeanSquaredError()(x, x)


def unknown_keyword(x):
    return tf.abs(x, precision=3)


def starred(x, **options):
    return tf.reduce_sum(x, **options)


def refused(path):
    return k.models.load_model(path)


def waits(path):
    return refused(path)


def waits_for_that(path):
    return tf.abs(waits(path))


class Saved(k.layers.Layer):
    def call(self, x):
        return 2.0 * x

    def get_config(self):
        return k.utils.serialize_keras_object(self)


class Wide(k.layers.Layer):
    def __init__(self):
        super().__init__()
        self.inner = k.layers.Dense(3)

    def call(self, x, lengths):
        return self.inner(tf.concat([x, lengths], 0))


def pure(x):
    return x + 1
"""


class JudgeTest(parameterized.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.judged = judge(PROGRAM, "program.py")
        self.found = {d.name: d for d in self.judged.definitions}

    @parameterized.parameters(
        ("unknown_keyword", "tf.abs", "precision", 12), ("starred", "tf.reduce_sum", "options", 16),
        ("refused", "tf.keras.models.load_model", "port the code that builds the model", 20),
    )  # fmt: skip
    def test_blocked(self, name: str, symbol: str, reason: str, line: int) -> None:
        definition = self.found[name]
        self.assertEqual(definition.status, BLOCKED)
        (block,) = definition.blocks
        self.assertEqual((block.symbol, block.line), (symbol, line))
        self.assertIn(reason, block.reason)

    def test_what_waits_is_blocked(self) -> None:
        self.assertEqual(self.found["waits"].waits, ("refused",))
        self.assertEqual([self.found[name].status for name in ("waits", "waits_for_that")], [BLOCKED, BLOCKED])

    def test_whole(self) -> None:
        self.assertEqual([self.found[name].status for name in ("whole", "Saved")], [WHOLE, WHOLE])

    def test_what_uses_nothing_is_left_out(self) -> None:
        self.assertNotIn("pure", self.found)
        self.assertEqual(self.judged.neutral, 1)

    def test_uses_are_canonical_and_leave_annotations_out(self) -> None:
        self.assertEqual(dict(self.found["whole"].uses), {"tf.abs": 1, "tf.keras.losses.MeanSquaredError": 1})
        self.assertEqual([(u.line, u.column, u.symbol) for u in self.judged.uses[:2]],
                         [(8, 11, "tf.abs"), (8, 23, "tf.keras.losses.MeanSquaredError")])  # fmt: skip

    def test_open_until_a_run(self) -> None:
        reshaped = "tf.reshape(x, [tf.shape(x)[0], -1])"
        found = judge(
            f"import tensorflow as tf\ndef block(x, n):\n    return tf.keras.layers.Dense(n)({reshaped})\n", "net.py"
        )
        statuses = {d.name: d.status for d in found.definitions}
        self.assertEqual(statuses, {"block": OPEN})

    def test_blockers_count_what_they_hold(self) -> None:
        report = Report((self.judged,), 0, ())
        first = report.blockers()[0]
        self.assertEqual((first.symbol, first.definitions, first.held), ("tf.keras.models.load_model", 1, 3))
        self.assertEqual(first.file, "program.py")

    def test_module_level(self) -> None:
        found = judge("import tensorflow as tf\nmodel = tf.keras.models.load_model('m')\n", "m.py")
        (definition,) = found.definitions
        self.assertEqual((definition.name, definition.status), (MODULE, BLOCKED))

    @parameterized.parameters(
        ("import tensorflow as tf", True), ("from keras import layers", True), ("import tensorflow_text", True),
        ("import numpy", False), ("from .tensorflow import x", False), ("def f():\n  import tf_keras", True),
    )  # fmt: skip
    def test_names_framework(self, code: str, expected: bool) -> None:
        import ast

        self.assertEqual(names_framework(ast.parse(code)), expected)


if __name__ == "__main__":
    absltest.main()
