"""Runs programs of units as `bazel run` and `bazel test` would, and looks at how they end and what they write."""

import os
import pathlib
import subprocess

from absl.testing import absltest

FOLDER = pathlib.Path("tests/rules_starlark")


def run(target, *flags, manifest, workspace=None, **variables):
    """Runs a program of this package; returns its exit code and all its output."""
    environment = os.environ | ({"BUILD_WORKSPACE_DIRECTORY": str(workspace)} if workspace else {}) | variables
    done = subprocess.run(
        [str(FOLDER / target), str(FOLDER / manifest), *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        check=False,
    )
    return done.returncode, done.stdout


class ProgramTest(absltest.TestCase):
    def workspace(self):
        """A source tree with a BUILD file in this package."""
        folder = pathlib.Path(self.create_tempdir().full_path)
        (folder / FOLDER).mkdir(parents=True)
        (folder / FOLDER / "BUILD").write_text("# Mine.\n")
        return folder

    def test_verified_unit(self):
        workspace = self.workspace()
        code, out = run("absolute", manifest="absolute.written.json", workspace=workspace)
        self.assertEqual(code, 0, out)
        self.assertIn("ported in full and verified at level `step`", out)  # there is no weight to train
        names = sorted(p.name for p in (workspace / FOLDER).iterdir())
        self.assertEqual(names, ["BUILD", "absolute_jax.py", "absolute_weights_map.json"])
        self.assertNotIn("tensorflow", (workspace / FOLDER / "absolute_jax.py").read_text())
        self.assertIn('name = "absolute_jax"', (workspace / FOLDER / "BUILD").read_text())

    def test_verified_unit_passes_its_test(self):
        code, out = run("absolute_test", manifest="absolute.tested.json")
        self.assertEqual(code, 0, out)

    def test_without_its_device_a_test_is_skipped_and_says_why(self):
        xml = pathlib.Path(self.create_tempdir().full_path) / "test.xml"
        flags = {"manifest": "absolute.tested.json", "XML_OUTPUT_FILE": str(xml)}
        code, out = run("absolute_test", "--accelerator=tpu", **flags)
        self.assertEqual(code, 0, out)
        self.assertRegex(out, r"absolute: skipped: no tpu here that JAX can use \(it has cpu\)")
        self.assertIn('<skipped message="no tpu here', xml.read_text())
        code, out = run("absolute_test", "--accelerator=tpu", JAXPORT_REQUIRE_DEVICE="1", **flags)
        self.assertEqual(code, 1, out)
        self.assertIn("no tpu here that JAX can use", out)

    def test_stale_file_fails_its_test(self):
        code, out = run("absolute_fresh_test", manifest="absolute.compared.json")
        self.assertEqual(code, 1, out)
        self.assertIn("tests/rules_starlark/absolute_jax.py is out of date", out)
        self.assertIn("-# This is not what a run writes.", out)
        self.assertIn("    ./bazelw run //tests/rules_starlark:absolute\n", out)

    def test_unit_with_residuals_is_written_and_fails(self):
        workspace = self.workspace()
        code, out = run("unknown", manifest="unknown.written.json", workspace=workspace)
        self.assertEqual(code, 3, out)
        self.assertIn("tests/rules_starlark/unknown.py:7:12: tf.raw_ops.Erf", out)
        self.assertIn("raw_ops", out)
        self.assertIn("import tensorflow", (workspace / FOLDER / "unknown_jax.py").read_text())

    def test_unit_with_residuals_fails_its_test(self):
        code, out = run("unknown_test", manifest="unknown.tested.json")
        self.assertEqual(code, 3, out)
        self.assertIn("raw_ops", out)

    def test_missing_file_fails_its_test(self):
        code, out = run("unknown_fresh_test", manifest="unknown.compared.json")
        self.assertEqual(code, 1, out)
        self.assertIn("tests/rules_starlark/unknown_jax.py is missing", out)
        self.assertIn("    ./bazelw run //tests/rules_starlark:unknown\n", out)


if __name__ == "__main__":
    absltest.main()
