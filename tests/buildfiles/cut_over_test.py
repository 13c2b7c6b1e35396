"""The cut-over changes what it says, and nothing is lost when it is undone."""

from __future__ import annotations

import contextlib
import io
import os
import pathlib
from unittest import mock

from absl.testing import absltest, parameterized

from buildfiles import callers, cut_over, main
from parity.errors import BadInputError

BUILD = """\
load("@rules_python//python:defs.bzl", "py_library")

# What the shop tags with.
py_library(
    name = "tagger",
    srcs = ["tagger.py"],
    visibility = ["//app:__pkg__"],  # only it
)

py_library(
    name = "tagger_jax",
    srcs = ["tagger_jax.py"],
)

# Also here.
py_library(name = "other", srcs = ["other.py"], deps = [":sizes"])
"""
BACK = "bazel run //:cut_over -- //models:tagger --undo"
ALIAS = f"""\
# The port; back to the original: {BACK}
alias(
    name = "tagger",
    actual = ":tagger_jax",
    visibility = ["//app:__pkg__"],
)
"""


class CutOverTest(parameterized.TestCase):
    def cut(self, text=BUILD):
        return cut_over.with_alias(text, "tagger", "tagger_jax", "models/BUILD", BACK)

    def test_the_port_gets_the_name(self):
        renamed = BUILD.replace('"tagger"', '"tagger_tensorflow"')
        expected = renamed.replace("  # only it\n)\n", f"  # only it\n)\n\n{ALIAS}")
        self.assertEqual(self.cut(), expected)

    @parameterized.parameters(
        BUILD,
        BUILD.rstrip("\n").removesuffix(
            '\n\n# Also here.\npy_library(name = "other", srcs = ["other.py"], deps = [":sizes"])'
        ),
        'py_library(name = "tagger_jax")\npy_library(name = "tagger")\n',
        'py_library(name = "tagger")\n\n\n\npy_library(name = "tagger_jax")\n# The end.\n',
    )
    def test_undone_to_the_same_bytes(self, text):
        self.assertEqual(cut_over.without_alias(self.cut(text), "tagger", "models/BUILD"), text)

    def test_removed(self):
        found = cut_over.without_original(self.cut(), "tagger", "models/BUILD")
        start, end = BUILD.index("\n# What the shop"), BUILD.index('\npy_library(\n    name = "tagger_jax"')
        self.assertEqual(found, BUILD[:start] + BUILD[end:])

    @parameterized.parameters(":tagger", ":tagger_tensorflow")
    def test_not_removed_while_it_is_needed(self, label):
        text = self.cut().replace(":sizes", label)
        with self.assertRaisesRegex(BadInputError, rf"models/BUILD:\d+: other needs {label}; change that first"):
            cut_over.without_original(text, "tagger", "models/BUILD")

    def test_made_before(self):
        with self.assertRaisesRegex(BadInputError, "tagger_tensorflow is there: the cut-over was made; undo it with"):
            self.cut(self.cut())

    @parameterized.parameters(cut_over.without_alias, cut_over.without_original)
    def test_nothing_to_undo(self, undo):
        with self.assertRaisesRegex(BadInputError, "models/BUILD: there is no cut-over of tagger"):
            undo(BUILD, "tagger", "models/BUILD")

    def test_no_such_target(self):
        with self.assertRaisesRegex(BadInputError, "has no target nobody; it has tagger, tagger_jax, other"):
            cut_over.with_alias(BUILD, "nobody", "tagger_jax", "models/BUILD", BACK)


class CallersTest(parameterized.TestCase):
    @parameterized.parameters(
        ("from models.tagger import Tagger  # x\n", "from models.tagger_jax import Tagger  # x\n"),
        ("from models import sizes, tagger\n", "from models import sizes, tagger_jax as tagger\n"),
        ("from models import tagger as t\n", "from models import tagger_jax as t\n"),
        ("import models.tagger as t\n", "import models.tagger_jax as t\n"),
        (
            "def f():\n    from .tagger import (\n        Tagger,\n    )\n",
            "def f():\n    from .tagger_jax import (\n        Tagger,\n    )\n",
        ),
        ("from . import tagger\n", "from . import tagger_jax as tagger\n"),
    )
    def test_switched(self, code, expected):
        new, found = callers.switched(code, "models/serve.py", "models.tagger", "models.tagger_jax")
        self.assertEqual(new, expected)
        self.assertLen(found, 1)
        self.assertIsNotNone(found[0].switched)

    @parameterized.parameters(
        "from models.tagger_data import x\n", "from models import sizes\n", "from .. import tagger\n",
        "from models import *\n", "import tagger\n", "x = 'models.tagger'\n", "print 'models.tagger'\n",
    )  # fmt: skip
    def test_others(self, code):
        self.assertEqual(callers.switched(code, "models/serve.py", "models.tagger", "models.tagger_jax"), (code, []))

    def test_full_name(self):
        code = "import models.tagger\n\nx = models.tagger.Tagger()\n"
        new, found = callers.switched(code, "a.py", "models.tagger", "models.tagger_jax")
        self.assertEqual(new, code)
        self.assertEqual([(i.line, i.switched) for i in found], [(1, None)])


class CommandTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.root = pathlib.Path(self.create_tempdir().full_path)
        (self.root / "models").mkdir()
        self.build = self.root / "models" / "BUILD"
        self.build.write_text(BUILD)
        self.serve = self.root / "serve.py"
        self.serve.write_text("from models.tagger import Tagger\n")
        (self.root / "bad.py").write_text("print 'models.tagger'\n")
        self.enter_context(mock.patch.dict(os.environ, {"BUILD_WORKSPACE_DIRECTORY": str(self.root)}))

    def run_command(self, *argv):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main.main(argv)
        return code, out.getvalue(), err.getvalue()

    def test_there_and_back(self):
        code, out, err = self.run_command("//models:tagger", "--to", "//models:tagger_jax")
        self.assertEqual((code, err), (0, ""))
        self.assertIn(
            "serve.py:1: from models.tagger import Tagger: still the original; the port: from models.tagger_jax", out
        )
        self.assertIn("wrote models/BUILD\n", out)
        self.assertIn(ALIAS, self.build.read_text())
        self.assertEqual(self.serve.read_text(), "from models.tagger import Tagger\n")
        self.assertEqual(self.run_command("//models:tagger", "--undo"), (0, "wrote models/BUILD\n", ""))
        self.assertEqual(self.build.read_text(), BUILD)

    def test_callers(self):
        code, out, _ = self.run_command("//models:tagger", "--to", "//models:tagger_jax", "--callers")
        self.assertEqual(code, 0)
        self.assertIn("wrote serve.py\n", out)
        self.assertEqual(self.serve.read_text(), "from models.tagger_jax import Tagger\n")

    def test_diff_writes_nothing(self):
        code, out, _ = self.run_command("//models:tagger", "--to", "//models:tagger_jax", "--callers", "--diff")
        self.assertEqual(code, 0)
        self.assertIn("+from models.tagger_jax import Tagger", out)
        self.assertIn("+alias(", out)
        self.assertEqual(
            (self.build.read_text(), self.serve.read_text()), (BUILD, "from models.tagger import Tagger\n")
        )

    def test_bad_input_writes_nothing(self):
        for argv, said in (
            (("//nowhere:x", "--undo"), "//nowhere: there is no BUILD file in nowhere"),
            (("models:x", "--undo"), "give a label from the root"),
            (("//models:tagger", "--to", "//other:x"), "a port is in the package of its original, //models"),
            (("//models:tagger", "--to", "//models:none"), "models/BUILD: has no target none"),
        ):
            with self.subTest(said):
                code, _, err = self.run_command(*argv)
                self.assertEqual(code, 2)
                self.assertIn(said, err)
                self.assertEqual(self.build.read_text(), BUILD)


if __name__ == "__main__":
    absltest.main()
