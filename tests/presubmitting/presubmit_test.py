"""Presubmit checks on small repositories with a stand-in for Bazel."""

import contextlib
import io
import json
import pathlib
import stat
import subprocess

from absl.testing import absltest, parameterized

from presubmitting import main, policy

TF = "import tensorflow as tf\n\n\ndef f(x):\n    return tf.nn.relu(tf.abs(x))\n"
JAX = "import jax\n\n\ndef g(x):\n    return jax.nn.relu(x)\n"
PORT = "import jax\n\n\n# jaxport: line 3: tf.raw_ops.Foo: no rule\ndef f(x):\n    return x\n"

#: Answers queries from files, and tests by the labels in `failing`.
BAZEL = """#!/usr/bin/env python3
import json, pathlib, sys
here = pathlib.Path(__file__).parent
if "query" in sys.argv:
    print((here / ("units" if "port rule" in sys.argv[-1] else "targets.xml")).read_text())
else:
    out = next(a for a in sys.argv if a.startswith("--build_event_json_file=")).partition("=")[2]
    failing = (here / "failing").read_text().split()
    with open(out, "w") as file:
        for label in (a for a in sys.argv if a.startswith("//")):
            status = "FAILED" if label in failing else "PASSED"
            event = {"id": {"testSummary": {"label": "@@" + label}}, "testSummary": {"overallStatus": status}}
            file.write(json.dumps(event) + "\\n")
"""


class PresubmitTest(parameterized.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.root = pathlib.Path(self.create_tempdir().full_path)
        self.bazel = pathlib.Path(self.create_tempdir().full_path) / "bazel"
        self.bazel.write_text(BAZEL)
        self.bazel.chmod(self.bazel.stat().st_mode | stat.S_IXUSR)
        self.answer("units", "")
        self.answer("failing", "")
        self.write("policy.json", '{"migrated": ["//new/..."]}')
        self.targets({"//new:a": ("new/a.py", []), "//old:b": ("old/b.py", [])})
        self.write("new/a.py", JAX)
        self.write("old/b.py", TF)

    def answer(self, name: str, text: str) -> None:
        (self.bazel.parent / name).write_text(text)

    def write(self, file: str, text: str) -> None:
        (self.root / file).parent.mkdir(parents=True, exist_ok=True)
        (self.root / file).write_text(text)

    def targets(self, rules: dict[str, tuple[str, list[str]]]) -> None:
        xml = ""
        for label, (file, deps) in rules.items():
            source = "//{}:{}".format(*file.rsplit("/", 1))
            needs = "".join(f'<label value="{dep}"/>' for dep in deps)
            xml += (
                f'<rule class="py_library" name="{label}"><list name="srcs"><label value="{source}"/></list>'
                f'<list name="deps">{needs}</list></rule>'
            )
        self.answer("targets.xml", f"<query>{xml}</query>")

    def run_it(self, *arguments: str) -> tuple[int, str]:
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            code = main.main(
                ["--workspace", str(self.root), "--bazel", str(self.bazel), "--policy", "policy.json", *arguments]
            )
        return code, out.getvalue()

    def test_nothing_to_find(self) -> None:
        self.assertEqual(self.run_it(), (0, "presubmit: nothing found\n"))

    def test_new_tensorflow_in_a_migrated_package(self) -> None:
        self.write("new/a.py", TF)
        code, out = self.run_it()
        self.assertEqual(code, 1)
        self.assertRegex(
            out, r"^new/a\.py:1: new-tensorflow: uses TensorFlow in 2 places .*; run: jaxport port new/a\.py"
        )

    def test_the_ratchet_allows_what_was_there_and_only_shrinks(self) -> None:
        self.write("new/a.py", TF)
        self.write("tensorflow_ratchet.json", '{"tensorflow": {"new/a.py": 5, "new/gone.py": 1}}')
        code, out = self.run_it()
        self.assertEqual((code, out.count("loose-ratchet")), (1, 2))
        self.assertEqual(self.run_it("--update")[0], 0)
        found = json.loads((self.root / "tensorflow_ratchet.json").read_text())
        self.assertEqual(found, {"residuals": {}, "tensorflow": {"new/a.py": 2}})
        self.write("new/a.py", TF + "    tf.abs(1)\n")
        code, out = self.run_it("--update")
        self.assertEqual((code, "new-tensorflow" in out), (1, True))
        self.assertEqual(json.loads((self.root / "tensorflow_ratchet.json").read_text()), found)

    def test_new_residuals(self) -> None:
        self.targets({"//new:a": ("new/a_jax.py", [])})
        self.write("new/a_jax.py", PORT)
        self.assertRegex(self.run_it()[1], r"^new/a_jax\.py:4: new-residuals: 1 residuals, 0 are allowed")

    def test_layers(self) -> None:
        self.targets({"//new:a": ("new/a.py", ["//old:b"]), "//old:b": ("old/b.py", [])})
        self.assertRegex(self.run_it()[1], r"^new/a\.py:1: layering: //new:a is on the JAX side and depends on //old:b")

    def test_packages_that_bazel_can_not_read(self) -> None:
        error = f"ERROR: {self.root}/far/BUILD:3:1: syntax error at eof"
        self.bazel.write_text(BAZEL.replace("here =", f"print({error!r}, file=sys.stderr)\nhere =", 1))
        code, out = self.run_it()
        self.assertEqual(code, 1)
        expected = "far/BUILD:3: broken-package: syntax error at eof; nothing in this package can be checked; run: bazel query //far:all"
        self.assertIn(expected, out)

    def test_units_that_are_stale_or_fail(self) -> None:
        self.answer("units", "//new:a.port\n")
        self.answer("failing", "//new:a_fresh_test")
        code, out = self.run_it()
        self.assertEqual(code, 1)
        self.assertRegex(out, r"^new/a\.py:1: stale-port: .*; run: bazel run //new:a\n$")
        self.assertEqual(self.run_it("--no_build")[0], 0)

    def test_only_what_changed(self) -> None:
        def git(*arguments: str) -> None:
            settings = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
            subprocess.run(["git", *settings, *arguments], cwd=self.root, check=True, capture_output=True)

        self.write("new/a.py", TF)
        git("init", "-q")
        git("add", ".")
        git("commit", "-qm", "first")
        self.assertEqual(self.run_it("--since", "HEAD")[0], 0)
        self.write("new/a.py", TF + "\n")
        self.assertEqual(self.run_it("--since", "HEAD")[0], 1)
        code, out = self.run_it("--since", "nowhere")
        self.assertEqual((code, out.count("\n")), (2, 1))
        self.assertIn("nowhere", out)

    def test_formats(self) -> None:
        self.write("new/a.py", TF)
        found = json.loads(self.run_it("--format", "json")[1])
        self.assertEqual((found[0]["file"], found[0]["line"], found[0]["rule"]), ("new/a.py", 1, "new-tensorflow"))
        sarif = json.loads(self.run_it("--format", "sarif")[1])
        self.assertEqual(sarif["runs"][0]["results"][0]["ruleId"], "new-tensorflow")

    @parameterized.parameters(
        ("{", r"^policy.json:1: not JSON"),
        ('{"migrate": []}', "unknown entry `migrate`"),
        ('{"migrated": "x"}', "list of packages"),
    )
    def test_bad_policies(self, text: str, expected: str) -> None:
        self.write("policy.json", text)
        code, out = self.run_it()
        self.assertEqual((code, out.count("\n")), (2, 1))
        self.assertRegex(out, expected)

    def test_patterns(self) -> None:
        rules = policy.Policy("p", ("//a/...", "//b"), "r", policy.Ratchet())
        found = [f for f in ("a/x.py", "a/c/x.py", "ab/x.py", "b/x.py", "b/c/x.py", "x.py") if rules.is_migrated(f)]
        self.assertEqual(found, ["a/x.py", "a/c/x.py", "b/x.py"])


if __name__ == "__main__":
    absltest.main()
