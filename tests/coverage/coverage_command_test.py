"""`jaxport coverage` as a user calls it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pathlib
from unittest import mock

from absl.testing import absltest

from cli import main
from codemods.coverage import judged

NET = """\
import tensorflow as tf


def scaled(x):
    return tf.abs(x) * 2.0


def loaded(path):
    return tf.keras.models.load_model(path)
"""


class CoverageCommandTest(absltest.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        before = os.environ.get("BUILD_WORKING_DIRECTORY")
        os.environ["BUILD_WORKING_DIRECTORY"] = str(self.folder)
        self.addCleanup(
            lambda: (
                os.environ.pop("BUILD_WORKING_DIRECTORY")
                if before is None
                else os.environ.update(BUILD_WORKING_DIRECTORY=before)
            )
        )

    def write(self, name: str, text: str | bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)

    def run_command(self, *argv: str) -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = main.main(["coverage", *argv])
            except SystemExit as end:
                code = int(end.code or 0)
        return code, out.getvalue(), err.getvalue()

    def test_a_file(self) -> None:
        self.write("net.py", NET)
        code, out, err = self.run_command("net.py")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("net.py:8: function loaded: blocked", out)
        self.assertIn("net.py:9:12: tf.keras.models.load_model: ", out)
        self.assertIn("rewritten by rules: 1 symbols, 1 uses", out)
        self.assertIn("1 of 2 uses (50%)", out)
        self.assertIn("1 of 2 classes and functions (50%) will port whole", out)
        self.assertNotIn("function scaled", out)

    def test_a_tree(self) -> None:
        self.write("a/net.py", NET)
        self.write("a/b/old.py", 'import tensorflow\nprint "x"\n')
        self.write("a/b/latin.py", "# caf\xe9\n".encode("latin-1"))
        self.write("a/other.py", "import numpy\n")
        self.write("a/.hidden/net.py", NET)
        self.write("a/notes.txt", "tensorflow")
        code, out, err = self.run_command("a")
        self.assertEqual(code, 2)
        self.assertIn("a/b/old.py:2: Python 2 code: print is a statement", err)
        self.assertIn("a/b/latin.py:1: is not UTF-8", err)
        self.assertIn("a/net.py:8: function loaded: blocked", out)
        self.assertIn("1 files with TensorFlow, 1 without, 2 that can't be read", out)

    def test_json(self) -> None:
        self.write("net.py", NET)
        code, out, _ = self.run_command("net.py", "--json")
        self.assertEqual(code, 0)
        found = json.loads(out)
        self.assertEqual(found["version"], 1)
        self.assertEqual(found["summary"]["share_whole"], 0.5)
        self.assertEqual((found["summary"]["whole"], found["summary"]["blocked"]), (1, 1))
        self.assertEqual([s["symbol"] for s in found["symbols"]], ["tf.abs", "tf.keras.models.load_model"])
        self.assertEqual(found["symbols"][1]["kind"], "refused")
        self.assertEqual(found["blockers"][0]["symbol"], "tf.keras.models.load_model")
        (file,) = found["files"]
        self.assertEqual([d["name"] for d in file["definitions"]], ["scaled", "loaded"])
        self.assertEqual(self.run_command("net.py", "--json")[1], out)
        self.assertNotIn(str(self.folder), out)

    def test_the_same_file_twice_counts_once(self) -> None:
        self.write("net.py", NET)
        self.assertIn("1 files with TensorFlow", self.run_command("net.py", ".", "net.py")[1])

    def test_without_tensorflow(self) -> None:
        self.write("other.py", "import numpy\n")
        code, out, _ = self.run_command("other.py")
        self.assertEqual(code, 0)
        self.assertIn("0 files with TensorFlow, 1 without", out)

    def test_quick(self) -> None:
        self.write("net.py", NET.replace("tf.abs(x)", "tf.abs(x, precision=3)"))
        code, out, _ = self.run_command("net.py", "--quick")
        self.assertEqual(code, 0)
        self.assertIn("net.py:5:12: tf.abs: no rule for the keyword `precision`", out)
        self.assertIn("0 of 2 classes and functions (0%)", out)

    def test_a_fault_of_the_passes_is_named(self) -> None:
        self.write("net.py", NET)
        with mock.patch.object(judged, "dry_run", side_effect=KeyError("x")):
            code, out, err = self.run_command("net.py")
        self.assertEqual(code, 0)
        self.assertIn("net.py: the passes stopped, a fault of jaxport (KeyError: 'x'); judged by symbols", err)
        self.assertIn("net.py:8: function loaded: blocked", out)

    def test_no_such_file(self) -> None:
        code, out, err = self.run_command("missing.py")
        self.assertEqual((code, out, err), (2, "", "missing.py: there is no such file or folder\n"))

    def test_nothing_given(self) -> None:
        code, _, err = self.run_command()
        self.assertEqual(code, 2)
        self.assertIn("FILE_OR_DIR", err)

    def test_nothing_of_the_users_is_run(self) -> None:
        self.write("net.py", NET + "\nraise SystemExit('run')\n")
        self.assertEqual(self.run_command("net.py")[0], 0)


if __name__ == "__main__":
    absltest.main()
