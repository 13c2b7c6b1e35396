"""`jaxport port`: what it runs, what it writes, what it says, and how it ends."""

import contextlib
import io
import json
import os
import pathlib
import tempfile
from unittest import mock

from absl.testing import absltest, parameterized

from cli import main, process
from tests.cli import fake_steps

SOURCE = "import tensorflow as tf\n\n\ndef f(x):\n    return tf.abs(x)\n"
OUTPUTS = ["certificate.json", "m_jax.py", "residuals.json", "weights_map.json"]
RESIDUAL = {
    "file": "m.py", "line": 5, "column": 11, "end_line": 5, "end_column": 20, "symbol": "tf.abs", "reason": "no rule",
    "function": "f",
}  # fmt: skip


class PortCommandTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        (self.folder / "m.py").write_text(SOURCE)
        self.out = self.folder / "out"
        self.steps = fake_steps.FakeSteps()
        self.enter_context(mock.patch.object(process, "run", self.steps))
        self.enter_context(mock.patch.dict(os.environ, {"BUILD_WORKING_DIRECTORY": str(self.folder)}))

    def run_command(self, *words):
        """Returns the exit code, standard output and standard error."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = main.main(["port", *words])
            except SystemExit as e:
                code = e.code
        return code, out.getvalue(), err.getvalue()

    def port(self, *words):
        return self.run_command("m.py", "--out", "out", "--entry", "f", "--input", "float32[4]", *words)

    def written(self):
        return sorted(p.name for p in self.out.iterdir()) if self.out.exists() else []

    def test_ports_and_verifies(self):
        code, out, err = self.port()
        self.assertEqual(code, 0, err)
        self.assertEqual([name for name, _ in self.steps.calls], ["parity.capture", "codemods.port", "parity.verify"])
        self.assertEqual(self.written(), OUTPUTS)
        for part in ("m.py → out/m_jax.py", "2 of 2 ported", "10 in, 12 out (1.20", "residuals   none", "1 passed",
                     "error 1.0e-07 (relative 2.0e-07), allowed 3.0e-06", "3 of 3 caught", "Keras 3.15.1",
                     "verified at level `step`", "m.py: of the checks"):  # fmt: skip
            self.assertIn(part, out)
        for part in ("capture: running m.py", "port: done in", "verify: comparing"):
            self.assertIn(part, err)

    def test_hands_on_what_was_asked(self):
        code, _, err = self.port("--call=-model(*inputs)", "--verify=gradients", "--keras=legacy", "--timeout=5")
        self.assertEqual(code, 0, err)
        flags = self.steps.calls[0][1]
        self.assertEqual(flags["source"], str(self.folder / "m.py"))
        self.assertEqual(flags["input"], "float32[4]")
        self.assertEqual(flags["call"], "-model(*inputs)")
        self.assertEqual((flags["level"], flags["keras"], flags["timeout"]), ("gradients", "legacy", "5.0"))
        self.assertEqual(self.steps.calls[2][1]["level"], "gradients")

    def test_residuals(self):
        self.steps.residuals = [RESIDUAL]
        code, out, _ = self.port()
        self.assertEqual(code, 3)
        self.assertIn("m.py:5:12: tf.abs: no rule", out)
        self.assertEqual([name for name, _ in self.steps.calls], ["parity.capture", "codemods.port"])
        self.assertEqual(self.written(), OUTPUTS)
        certificate = json.loads((self.out / "certificate.json").read_text())
        self.assertEqual(certificate["verdict"], "residuals")
        self.assertEqual(certificate["residuals"], [RESIDUAL])
        self.assertEqual(certificate["keras"], "3.15.1")

    def test_failed_check(self):
        self.steps.verdict = "failed"
        code, out, _ = self.port()
        self.assertEqual(code, 4)
        self.assertIn("1 of 1 FAILED", out)
        self.assertEqual(self.written(), OUTPUTS)

    def test_without_verification_the_original_need_not_run(self):
        code, out, err = self.run_command("m.py", "--out", "out", "--verify", "none")
        self.assertEqual(code, 0, err)
        self.assertEqual([name for name, _ in self.steps.calls], ["codemods.port"])
        self.assertNotIn("trace", self.steps.calls[0][1])
        self.assertIn("not verified", out)

    def test_file_of_a_package(self):
        package = self.folder / "root" / "pkg"
        package.mkdir(parents=True)
        for name in ("__init__.py", "sizes.py"):
            (package / name).write_text("")
        (package / "m.py").write_text(SOURCE)
        seen = {}

        def look(flags):
            root = pathlib.Path(flags["package_root"])
            seen["names"] = sorted(str(p.relative_to(root)) for p in root.rglob("*"))

        self.steps.on_verify = look
        code, _, err = self.run_command(
            "root/pkg/m.py", "--out=out", "--entry=f", "--input=float32[4]", "--package_root=root"
        )
        self.assertEqual(code, 0, err)
        self.assertEqual(self.steps.calls[0][1]["package_root"], str(self.folder / "root"))
        self.assertEqual(seen["names"], ["pkg", "pkg/__init__.py", "pkg/m_jax.py", "pkg/sizes.py"])

    def test_report(self):
        self.assertEqual(self.port("--report")[0], 0)
        self.assertContainsSubset(["report.html", "report.json", "report.sarif"], self.written())

    def test_second_run_changes_nothing(self):
        self.assertEqual(self.port()[0], 0)
        before = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in self.out.iterdir()}
        self.assertEqual(self.port()[0], 0)
        self.assertEqual(before, {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in self.out.iterdir()})

    def test_new_port_replaces_an_old_one(self):
        self.assertEqual(self.port()[0], 0)
        self.steps.module = "import jax, flax\n"
        self.assertEqual(self.port()[0], 0)
        self.assertEqual((self.out / "m_jax.py").read_text(), "import jax, flax\n")

    @parameterized.parameters(("m_jax.py", "jax"), ("weights_map.json", "null"))
    def test_edited_file_is_kept(self, name, word):
        self.assertEqual(self.port()[0], 0)
        path = self.out / name
        path.write_text(path.read_text().replace(word, "3", 1))
        before = path.read_bytes()
        self.steps.module = "import jax, flax\n"
        code, _, err = self.port()
        self.assertEqual(code, 2)
        self.assertIn(f"out/{name}: was changed by hand", err)
        self.assertIn("--force", err)
        self.assertEqual(path.read_bytes(), before)
        self.assertEqual(self.port("--force")[0], 0)
        self.assertNotEqual(path.read_bytes(), before)

    def test_file_that_no_run_wrote_is_kept(self):
        self.out.mkdir()
        (self.out / "m_jax.py").write_text("mine\n")
        self.assertEqual(self.port()[0], 2)
        self.assertEqual((self.out / "m_jax.py").read_text(), "mine\n")

    def test_step_that_refuses_its_input(self):
        self.steps.failing = ("parity.capture", f"{self.folder}/m.py:5: f raised ValueError: no")
        code, _, err = self.port()
        self.assertEqual(code, 2)
        self.assertEqual(err.splitlines()[-1], "m.py:5: f raised ValueError: no")
        self.assertFalse(self.out.exists())

    def test_step_that_refuses_the_example(self):
        (self.folder / "e.py").write_text("def model(:\n")
        self.steps.failing = ("parity.capture", f"{self.folder}/e.py:1: syntax error: no")
        code, _, err = self.run_command("m.py", "--out", "out", "--example", "e.py")
        self.assertEqual(code, 2)
        self.assertEqual(err.splitlines()[-1], "e.py:1: syntax error: no")

    @parameterized.named_parameters(
        ("syntax", b"import tensorflow\n\ndef f(:\n", "m.py:3: syntax error"),
        ("python_2", b"import tensorflow\nprint 'x'\n", "m.py:2: Python 2"),
        ("latin_1", b"import tensorflow\n\n# caf\xe9\n", "m.py:3: is not UTF-8"),
        ("no_tensorflow", b"import numpy\n", "m.py:1: imports neither tensorflow nor keras"),
    )
    def test_bad_file(self, data, message):
        (self.folder / "m.py").write_bytes(data)
        code, out, err = self.port()
        self.assertEqual(code, 2)
        self.assertStartsWith(err, message)
        self.assertLen(err.splitlines(), 1)
        self.assertEmpty(out)
        self.assertFalse(self.out.exists())
        self.assertEmpty(self.steps.calls)

    @parameterized.named_parameters(
        ("no_command", [], "COMMAND"),
        ("no_file", ["port"], "FILE.py"),
        ("no_entry", ["port", "m.py", "--out=out"], "--entry"),
        ("missing_file", ["port", "n.py", "--out=out", "--entry=f"], "n.py"),
        ("example_and_entry", ["port", "m.py", "--out=out", "--entry=f", "--example=m.py"], "--example"),
        ("missing_example", ["port", "m.py", "--out=out", "--example=n.py"], "n.py"),
        ("input_alone", ["port", "m.py", "--out=out", "--input=float32[1]"], "--entry"),
        ("level", ["port", "m.py", "--out=out", "--entry=f", "--verify=all"], "--verify"),
        ("timeout", ["port", "m.py", "--out=out", "--entry=f", "--timeout=0"], "--timeout"),
        ("abbreviation", ["port", "m.py", "--out=out", "--entr=f"], "--entr"),
        ("outside_root", ["port", "m.py", "--out=out", "--entry=f", "--package_root=/usr"], "--package_root"),
        ("out_is_a_file", ["port", "m.py", "--out=m.py", "--entry=f"], "--out m.py: m.py is a file"),
        ("out_is_in_a_file", ["port", "m.py", "--out=m.py/out", "--entry=f"], "--out m.py/out: m.py is a file"),
    )
    def test_bad_usage(self, words, part):
        err = io.StringIO()
        with contextlib.redirect_stderr(err):
            try:
                code = main.main(words)
            except SystemExit as e:
                code = e.code
        self.assertEqual(code, 2)
        self.assertIn(part, err.getvalue())
        self.assertLen(err.getvalue().splitlines(), 1)
        self.assertFalse(self.out.exists())

    def test_folder_that_cannot_be_written_to(self):
        self.out.mkdir()
        with mock.patch.object(os, "access", return_value=False):
            code, _, err = self.port()
        self.assertEqual((code, err), (2, "--out out: can't be written to: Permission denied; give another folder\n"))
        self.assertEmpty(self.steps.calls)
        with mock.patch.object(tempfile, "mkstemp", side_effect=OSError(28, "No space left on device")):
            code, _, err = self.port()
        self.assertEqual(code, 2)
        self.assertEndsWith(err, "\n--out out: can't be written to: No space left on device\n")
        self.assertEmpty(self.written())

    def test_interrupted(self):
        with mock.patch.object(process, "run", side_effect=KeyboardInterrupt):
            code, _, err = self.port()
        self.assertEqual(code, 130)
        self.assertIn("nothing was written", err)
        self.assertFalse(self.out.exists())


if __name__ == "__main__":
    absltest.main()
