"""Tests that answers change their statement and nothing else."""

from absl.testing import absltest, parameterized

from agent.editing import edits, pieces
from agent.errors import EditError
from agent.records import Block
from agent.regions import Source, grouped
from agent.screening import screen
from codemods.engine.edits import Edits

TEXT = """import os
import tensorflow as tf


class Größe(tf.keras.layers.Layer):
    def call(self, x):
        é = tf.foo(x); y = 2 * tf.bar(é)
        for i in tf.range(3):
            y = tf.baz(y, os.sep)
        return tf.nn.relu(
            tf.qux(y),
        )
"""


def residual(text: str, function: str = "Größe.call") -> dict:
    """The residual of some code, in characters as the port counts them."""
    before = TEXT[: TEXT.index(text)]
    line, column = before.count("\n") + 1, len(before) - before.rindex("\n") - 1
    return {"line": line, "column": column, "end_line": line, "end_column": column + len(text), "function": function}


def region(text: str):
    """The region of one residual."""
    (found,) = grouped(Source(TEXT), [residual(text)])
    return found


class RegionsTest(parameterized.TestCase):
    @parameterized.parameters(
        ("tf.foo(x)", "é = tf.foo(x)"),
        ("tf.bar(é)", "y = 2 * tf.bar(é)"),
        ("tf.baz(y, os.sep)", "y = tf.baz(y, os.sep)"),
        ("tf.range(3)", "for i in tf.range(3):\n            y = tf.baz(y, os.sep)"),
        ("tf.qux(y)", "return tf.nn.relu(\n            tf.qux(y),\n        )"),
        ("Größe", TEXT[TEXT.index("class") :].rstrip()),
    )
    def test_the_statement_around_a_residual(self, text, statement):
        found = region(text)
        self.assertEqual(TEXT[found.start : found.end], statement)
        self.assertTrue(TEXT[slice(*found.definition)].startswith("class Größe"))

    def test_residuals_of_one_statement_are_one_request(self):
        found = grouped(Source(TEXT), [residual("tf.baz(y, os.sep)"), residual("tf.range(3)"), residual("tf.foo(x)")])
        self.assertEqual([len(entries) for entries in found.values()], [1, 2])

    def test_a_place_that_is_not_known(self):
        self.assertEmpty(grouped(Source(TEXT), [{**residual("tf.foo(x)"), "line": 0}]))


class EditsTest(parameterized.TestCase):
    def apply(self, at: str, *blocks: tuple[str, str]) -> str:
        found = pieces(TEXT, region(at), [Block(search=a, replace=b) for a, b in blocks])
        return Edits(edits(TEXT, "f.py", found)).apply("f.py", TEXT)

    @parameterized.parameters(
        ("tf.foo(x)", "jnp.foo(x)", "é = jnp.foo(x); y"),
        ("tf.bar(é)", "é + 1", "y = 2 * (é + 1)\n"),  # what is one expression stays one
        ("tf.bar(é)", "jnp.bar(é)", "y = 2 * jnp.bar(é)\n"),
        ("tf.qux(y)", "y\n            + 1", "tf.nn.relu(\n            y\n            + 1,\n"),
        ("y, os.sep", "y", "y = tf.baz(y)\n"),
    )
    def test_replaces(self, search, replace, result):
        self.assertIn(result, self.apply(search, (search, replace)))

    def test_several_blocks(self):
        text = self.apply("tf.range(3)", ("tf.range(3)", "range(3)"), ("tf.baz(y, os.sep)", "jnp.baz(y)"))
        self.assertIn("for i in range(3):\n            y = jnp.baz(y)\n        return", text)

    def test_whole_lines_that_stay_are_no_part_of_the_edit(self):
        whole = "for i in tf.range(3):\n            y = tf.baz(y, os.sep)"
        block = Block(search=whole, replace=whole.replace("tf.r", "r"))
        (edit,) = edits(TEXT, "f.py", pieces(TEXT, region("tf.range(3)"), [block]))
        self.assertEqual((edit.line, edit.end_line, edit.text), (8, 9, "for i in range(3):\n"))

    @parameterized.parameters(
        ((("tf.foo(y)", "1"),), "block 1 does not stand in the statement"),
        ((("y", "z"),), "block 1 stands 2 times"),
        ((("import os", ""),), "block 1 does not stand in the statement"),  # outside of it
        ((("tf.baz(y", "a"), ("y, os.sep", "b")), "two blocks change the same text"),
    )
    def test_refuses(self, blocks, reason):
        with self.assertRaisesRegex(EditError, reason):
            self.apply("tf.baz(y, os.sep)", *blocks)


class ScreenTest(parameterized.TestCase):
    """What may be seen of hostile or mistaken code without running it."""

    def screen(self, search: str, replace: str):
        at = region(search)
        screen(TEXT, at, pieces(TEXT, at, [Block(search=search, replace=replace)]))

    @parameterized.parameters(
        ("tf.foo(x)", "jnp.cumsum(x, axis=-1)"),
        ("tf.foo(x)", "jax.vmap(lambda row: row[::-1])(x)"),
        ("tf.foo(x)", "jax.Array.sum(x)"),
        ("tf.qux(y)", "nnx.relu(self.dense(y).at[0].set(1))"),
        ("y = tf.baz(y, os.sep)", "import functools\n            y = functools.reduce(jnp.add, [y, os.sep])"),
        ("y = 2 * tf.bar(é)", "y = jnp.where(é > 0, é, 0)"),
    )
    def test_lets_model_code_pass(self, search, replace):
        self.screen(search, replace)

    @parameterized.parameters(
        ("tf.foo(x)", "jnp.cumsum(x,", "parses", "does not parse"),
        ("y = 2 * tf.bar(é)", "y = jnp.cumsum(z)", "names", "`z` is not defined"),
        ("tf.foo(x)", "jnp.cumsums(x)", "names", "there is no `jnp.cumsums`"),
        ("tf.foo(x)", "jax.nn.softpluss(x)", "names", "there is no `jax.nn.softpluss`"),
        ("tf.foo(x)", "open('/etc/passwd').read()", "screen", "uses `open`"),
        ("tf.foo(x)", "eval('1')", "screen", "uses `eval`"),
        ("tf.foo(x)", "().__class__.__bases__", "screen", "no use for"),
        ("tf.foo(x)", "jnp.load('weights.npy')", "screen", "reaches out"),
        ("tf.foo(x)", "np.fromfile('a')", "screen", "no use for"),
        ("tf.foo(x)", "jax.pure_callback(len, x)", "screen", "no use for"),
        ("tf.foo(x)", "jax.experimental.io_callback(len, x)", "screen", "no use for"),
        ("tf.foo(x)", "os.system('ls')", "screen", "uses `os.system`"),
        ("tf.baz(y, os.sep)", "os.remove('model_test.py')", "screen", "uses `os.remove`"),
        ("tf.foo(x)", "tf.py_function(len, x)", "screen", "uses `tf.py_function`"),
        ("y = 2 * tf.bar(é)", "import tensorflow; y = 1", "screen", "imports `tensorflow`"),
        ("y = 2 * tf.bar(é)", "from keras import ops; y = 1", "screen", "imports `keras`"),
        ("y = 2 * tf.bar(é)", "import socket; y = 1", "screen", "imports `socket`"),
        ("y = 2 * tf.bar(é)", "from . import model_test; y = 1", "screen", "imports `.`"),
        ("y = 2 * tf.bar(é)", "__import__('os'); y = 1", "screen", "uses `__import__`"),
        ("y = 2 * tf.bar(é)", "getattr(jnp, 'lo' + 'ad'); y = 1", "screen", "uses `getattr`"),
        ("y = 2 * tf.bar(é)", "global y; y = 1", "screen", "global"),
    )
    def test_refuses(self, search, replace, check, reason):
        with self.assertRaisesRegex(EditError, reason) as caught:
            self.screen(search, replace)
        self.assertEqual(caught.exception.check, check)


if __name__ == "__main__":
    absltest.main()
