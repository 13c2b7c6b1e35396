"""What `bazel run :NAME` writes and keeps, and what the test of freshness says, on files of a unit."""

import contextlib
import io
import json
import os
import pathlib
import re
import tempfile
from unittest import mock

from absl.testing import absltest, parameterized

from rules.tools import elapsed, fresh_test, migrate

MODULE = "import jax\nfrom flax import nnx\n"
BUILD = 'load("//rules:defs.bzl", "jax_migration")\n\njax_migration(name = "m")\n'
NAMES = ["BUILD", "m_jax.py", "m_weights_map.json"]


class ProgramsTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.built = pathlib.Path(self.create_tempdir().full_path)
        self.workspace = pathlib.Path(self.create_tempdir().full_path)
        self.package = self.workspace / "models"
        self.package.mkdir()
        (self.package / "BUILD").write_text(BUILD)
        self.enter_context(mock.patch.dict(os.environ, {"BUILD_WORKSPACE_DIRECTORY": str(self.workspace)}))
        self.build()

    def build(self, module=MODULE, verdict="verified", residuals=()):
        """Puts a unit's files where a build would."""
        weights_map = {"version": 1, "module": "m_jax.py", "weights": []}
        left = {"residuals": list(residuals), "notes": [], "functions": {}, "lines": {"in": 2, "out": 2}}
        certificate = {"verdict": verdict, "reached": "step", "checks": [], "keras": "3.15.1"}
        (self.built / "m_jax.py").write_text(module)
        for name, value in (("weights_map", weights_map), ("residuals", left), ("certificate", certificate)):
            (self.built / f"{name}.json").write_text(json.dumps(value, indent=2) + "\n")

    def manifest(self, checked_in=False):
        files = {name: str(self.built / f"{name}.json") for name in ("weights_map", "residuals", "certificate", "plan")}
        files["module"] = str(self.built / "m_jax.py")
        for key, name in (("module", "m_jax.py"), ("weights_map", "m_weights_map.json")):
            if checked_in and (self.package / name).exists():
                files["checked_in_" + key] = str(self.package / name)
        value = {
            "version": 1, "unit": "m", "command": "bazel run //models:m", "package": "models", "files": files,
            "source": "models/m.py", "level": "step", "python_deps": ["@pypi//:flax", "@pypi//:jax", "@pypi//:optax"],
            "own_deps": [":sizes"],
        }  # fmt: skip
        path = self.built / "manifest.json"
        path.write_text(json.dumps(value))
        return str(path)

    def run_program(self, *flags):
        """Returns the exit code, standard output and standard error of `bazel run :m -- flags`."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = migrate.main([self.manifest(), *flags])
        return code, out.getvalue(), err.getvalue()

    def run_fresh_test(self):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            code = fresh_test.main([self.manifest(checked_in=True)])
        return code, out.getvalue()

    def written(self):
        return {p.name: p.read_bytes() for p in self.package.iterdir()}

    def test_writes_port_map_and_target(self):
        code, out, _ = self.run_program()
        self.assertEqual(code, 0)
        self.assertEqual(sorted(self.written()), NAMES)
        self.assertEqual((self.package / "m_jax.py").read_text(), MODULE)
        self.assertContainsExactSubsequence((self.package / "BUILD").read_text(), 'name = "m_jax"')
        self.assertIn(
            '":sizes",\n        "@pypi//:flax",\n        "@pypi//:jax",\n', (self.package / "BUILD").read_text()
        )
        self.assertIn("models/m.py → models/m_jax.py", out)
        self.assertIn("wrote       models/m_jax.py, models/m_weights_map.json, models/BUILD", out)

    def assertContainsExactSubsequence(self, text, part):  # noqa: N802
        self.assertEqual(text.count(part), 1)

    def test_plan_is_shown_and_written_alone(self):
        item = {
            "key": "k", "function": "f", "file": "models/m.py", "line": 3, "component": None, "statement": "x = tf.f()",
            "symbols": ["tf.f"], "settles": "rule", "why": ["tf.f: no rule"], "risks": [], "state": "open",
            "input_tokens": 7, "output_tokens": 2,
        }  # fmt: skip
        plan = {"source": "models/m.py", "files": [], "components": [], "items": [item], "left": []}
        (self.built / "plan.json").write_text(json.dumps(plan))
        self.assertNotIn("wrote       models", self.run_program("--plan", "--dry_run")[1])
        code, out, _ = self.run_program("--plan")
        self.assertEqual(code, 0)
        self.assertIn("models/m.py:3 (by rule) tf.f: no rule", out)
        self.assertIn("wrote       models/m_plan.json, models/m_plan.html", out)
        self.assertEqual(sorted(self.written()), ["BUILD", "m_plan.html", "m_plan.json"])
        kept = self.package / "m_plan.json"
        kept.write_text(kept.read_text().replace('"skip": false', '"skip": true'))
        self.assertIn("(skipped)", self.run_program("--plan")[1])

    def test_second_run_writes_nothing(self):
        self.run_program()
        before = self.written()
        self.assertIn("nothing: all is up to date", self.run_program()[1])
        self.assertEqual(self.written(), before)

    @parameterized.parameters(("verified", 0), ("unverified", 0), ("residuals", 3), ("failed", 4))
    def test_exit_code_is_the_verdict(self, verdict, code):
        self.build(verdict=verdict)
        self.assertEqual(self.run_program()[0], code)
        self.assertEqual(sorted(self.written()), NAMES)

    def test_dry_run_writes_nothing(self):
        before = self.written()
        code, out, _ = self.run_program("--dry_run")
        self.assertEqual(code, 0)
        self.assertIn("would write models/m_jax.py", out)
        self.assertEqual(self.written(), before)

    def test_diff_writes_nothing_and_is_a_patch(self):
        before = self.written()
        code, out, err = self.run_program("--diff")
        self.assertEqual(code, 0)
        self.assertEqual(re.findall(r"^\+\+\+ (.*)$", out, re.MULTILINE),
                         ["b/models/m_jax.py", "b/models/m_weights_map.json", "b/models/BUILD"])  # fmt: skip
        self.assertIn("--- /dev/null\n", out)
        self.assertIn("+import jax\n", out)
        self.assertIn("verdict", err)
        self.assertEqual(self.written(), before)

    @parameterized.parameters(("m_jax.py", "jax"), ("m_weights_map.json", "1"))
    def test_edited_file_is_kept(self, name, word):
        self.run_program()
        path = self.package / name
        path.write_text(path.read_text().replace(word, "7", 1))
        self.build(module="import optax\n")
        before = self.written()
        code, out, err = self.run_program()
        self.assertEqual(code, 2)
        self.assertIn(f"models/{name}: was changed by hand", err)
        self.assertIn("bazel run //models:m -- --force", err)
        self.assertNotIn("wrote", out)
        self.assertEqual(self.written(), before)
        self.assertEqual(self.run_program("--force")[0], 0)
        self.assertEqual((self.package / "m_jax.py").read_text(), "import optax\n")

    def test_source_tree_that_cannot_be_written_to(self):
        before = self.written()
        with mock.patch.object(tempfile, "mkstemp", side_effect=OSError(30, "Read-only file system")):
            code, _, err = self.run_program()
        self.assertEqual((code, err), (2, "models: can't be written to: Read-only file system\n"))
        self.assertEqual(self.written(), before)

    def test_other_line_ends_are_an_edit(self):
        self.run_program()
        (self.package / "m_jax.py").write_bytes(MODULE.replace("\n", "\r\n").encode())
        self.assertEqual(self.run_program()[0], 2)

    def test_outside_bazel_run(self):
        with mock.patch.dict(os.environ):
            del os.environ["BUILD_WORKSPACE_DIRECTORY"]
            code, _, err = self.run_program()
        self.assertEqual(code, 2)
        self.assertIn("bazel run", err)

    def test_fresh(self):
        self.run_program()
        self.assertEqual(self.run_fresh_test(), (0, ""))

    def test_missing(self):
        code, out = self.run_fresh_test()
        self.assertEqual(code, 1)
        self.assertIn("models/m_jax.py is missing", out)
        self.assertIn("    bazel run //models:m\n", out)

    def test_stale(self):
        self.run_program()
        self.build(module="import optax\n")
        code, out = self.run_fresh_test()
        self.assertEqual(code, 1)
        self.assertIn("models/m_jax.py is out of date", out)
        self.assertIn("-import jax\n", out)
        self.assertNotIn("weights_map.json is", out)
        self.assertIn("    bazel run //models:m\n", out)

    def test_elapsed(self):
        self.assertBetween(elapsed.since_start(), 0.0, 600.0)


if __name__ == "__main__":
    absltest.main()
