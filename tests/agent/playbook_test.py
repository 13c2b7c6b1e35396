"""Tests playbook pages: every pair of ours holds, one that does not is told, and pages are drafted from migrated code."""

import contextlib
import io
import pathlib
import textwrap

from absl.testing import absltest, parameterized

from agent import pages, pairs
from cli import errors, main
from parity.errors import BadInputError
from parity.rule_oracle import pairs as running

PAGE = """\
# A page
level: client
matches: tf.raw_ops.Elu, tf.nn.*
reviewed: Ada
inputs: float32[4,3]

Some advice.

```python before
import tensorflow as tf


def f(x):
    return tf.raw_ops.Elu(features=x)
```

```python after
import jax


def f(x):
    return jax.nn.elu(x)
```
"""
OLD = """
import tensorflow as tf

SCALE = 2.0


def before(x):
    return tf.raw_ops.Cumsum(x=x, axis=1, exclusive=True)


def known(x):
    return tf.nn.relu(x)


def scaled(x):
    return tf.raw_ops.Elu(features=x) * SCALE


def other(x):
    return tf.raw_ops.Cumsum(x=x, axis=0)


def gone(x):
    return tf.raw_ops.Elu(features=x)
"""
NEW = """
import jax
import jax.numpy as jnp

SCALE = 2.0


def before(x):
    return jnp.cumsum(x, 1) - x


def known(x):
    return jax.nn.relu(x)


def scaled(x):
    return jax.nn.elu(x) * SCALE


def other(x):
    return jnp.cumsum(x, -1)
"""


class PlaybookTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir())

    def page(self, text: str = PAGE, name: str = "page.md") -> pages.Page:
        path = self.folder / name
        path.write_text(text)
        return pages.read(path)

    def test_own_pairs_hold(self):
        self.assertEqual({page.level for page in pages.own()}, {"general", "style", "task"})
        for page in pages.own():
            with self.subTest(page.file):
                self.assertIsNone(running.problem(page))

    @parameterized.named_parameters(
        ("value", "jax.nn.elu(x)", "jax.nn.selu(x)", "on float32.4,3.: Not equal"),
        ("gradient", "jax.nn.elu(x)", "jax.lax.stop_gradient(jax.nn.elu(x))", "gradient"),
        ("dtype", "jax.nn.elu(x)", "jax.nn.elu(x).astype('float16')", "float16"),
        ("jit", "jax.nn.elu(x)", "jax.nn.elu(x) if x[0, 0] > -99 else x", "outside of jax.jit alone"),
        ("raises", "jax.nn.elu(x)", "jax.nn.nothing(x)", "has no attribute|AttributeError"),
        ("name", "def f(x):\n    return jax", "def g(x):\n    return jax", "the block `after` defines no function f"),
        ("inputs", "inputs: float32[4,3]", "inputs: what[3]", "is not a dtype of an input"),
    )
    def test_pairs_that_do_not_hold(self, old, new, reason):
        self.assertRegex(running.problem(self.page(PAGE.replace(old, new))) or "", reason)

    @parameterized.parameters(
        ("# A page", "A page", "begins with a title"),
        ("level: client", "level: other", "`level:` is one of"),
        ("```python after", "```python", "one block ```python after, here are 0"),
        ("inputs: float32[4,3]", "", "`inputs:` says what"),
    )
    def test_that_is_no_page(self, old, new, reason):
        with self.assertRaisesRegex(BadInputError, reason):
            self.page(PAGE.replace(old, new, 1))

    def test_what_matches_goes_into_the_prompt(self):
        page = self.page()
        self.assertNotIn("matches:", page.text)
        task = self.page(PAGE.replace("level: client", "level: task").replace("A page", "A task"), "task.md")
        other = self.page(PAGE.replace("tf.raw_ops.Elu, tf.nn.*", "tf.linalg.*"), "other.md")
        found = pages.for_prompt([other, task, page], ["tf.nn.gelu"])
        self.assertEqual([text.splitlines()[0] for text in found], ["# A page", "# A task"])
        long = self.page(PAGE + "x" * 6000, "long.md")
        self.assertEmpty(pages.for_prompt([long], ["tf.nn.gelu"]))

    def test_only_what_holds_and_is_reviewed_is_used(self):
        self.page()
        self.page(PAGE.replace("reviewed: Ada", "reviewed:"), "draft.md")
        self.page(PAGE.replace("nn.elu", "nn.selu"), "wrong.md")
        said: list[str] = []
        found = pairs.client_pages(self.folder, pathlib.Path(self.create_tempdir()), 300, said.append)
        self.assertEqual([pathlib.Path(page.file).name for page in found], ["page.md"])
        self.assertRegex(said[0], "draft.md: is not used: nobody has reviewed it")
        self.assertRegex(said[1], "wrong.md: is not used: its pair fails: on float32")

    def test_learns_from_migrated_code(self):
        for name, text in (("old.py", OLD), ("new.py", NEW)):
            (self.folder / name).write_text(textwrap.dedent(text))
        out = self.folder / "playbook"
        with contextlib.redirect_stdout(io.StringIO()) as said:
            code = main.main(["learn", f"{self.folder}/old.py", f"{self.folder}/new.py", f"--out={out}"])
        self.assertEqual(code, errors.PORTED)
        self.assertEqual([path.name for path in out.iterdir()], ["before.md"])
        self.assertIn("not drafted other: on float32[4,3]: Not equal", said.getvalue())
        for reason in ("rules port it", "the new file has no function of that name", "it needs more of its file"):
            self.assertIn(f"1: {reason}", said.getvalue())
        drafted = pages.read(out / "before.md")
        self.assertEqual((drafted.matches, drafted.reviewed), (("tf.raw_ops.Cumsum",), ""))
        self.assertEmpty(pages.usable([drafted]))
        self.assertIsNone(running.problem(drafted))


if __name__ == "__main__":
    absltest.main()
