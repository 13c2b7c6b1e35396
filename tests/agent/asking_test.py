"""Tests the whole way by files: prompts out, replies in, answers recorded, replayed by `port`."""

import contextlib
import io
import json
import pathlib
import shutil

from absl.testing import absltest

from cli import errors, main
from tests.agent import made


class AskingTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir())
        self.model = self.folder / "model.py"  # no link, as runfiles are
        shutil.copyfile(made.MODEL, self.model)
        self.answers, self.prompts = self.folder / "answers", self.folder / "prompts"

    def jaxport(self, command: str, *flags: str) -> tuple[int, str]:
        """Exit code and output of one command on the model."""
        unit = [str(self.model), "--entry=Net()", "--input=float32[4,5]", "--verify=gradients"]
        with contextlib.redirect_stdout(io.StringIO()) as output:
            code = main.main([command, *unit, f"--answers={self.answers}", *flags])
        return code, output.getvalue()

    def ask(self) -> tuple[int, str]:
        return self.jaxport("ask", f"--prompts_dir={self.prompts}", "--by=Ada")

    def test_by_files(self):
        code, said = self.ask()
        self.assertEqual(code, errors.RESIDUALS, said)
        (prompt,) = self.prompts.iterdir()
        self.assertIn(f"`{made.UNKNOWN}`", prompt.read_text())
        self.assertIn("Running.call was called with [float32[4, 5]] and gave float32[4, 8]", prompt.read_text())
        self.assertRegex(said, "model.py:28: tf.keras.layers.Dense: waits for Running")
        self.assertFalse(self.answers.exists())

        reply = prompt.with_name(prompt.name.replace(".prompt.md", ".reply.json"))
        reply.write_text(made.reply(replace="jnp.cumsum(h, axis=-1)"))
        code, said = self.ask()
        self.assertEqual(code, errors.RESIDUALS)
        self.assertIn("That failed the check `verify`:", prompt.read_text())
        self.assertIn("FAILED forward: seed 0", prompt.read_text())
        self.assertEmpty(list(self.answers.glob("*")))

        reply.write_text(made.reply())
        code, said = self.ask()
        self.assertEqual(code, errors.PORTED, said)
        self.assertIn("verified at level `gradients`", said)
        (kept,) = self.answers.iterdir()
        content = json.loads(kept.read_text())
        self.assertEqual(content["origin"], {"kind": "file", "name": "Ada"})
        self.assertEqual(content["verdicts"][-1], {"check": "verify", "passed": True, "detail": "gradients"})
        self.assertNotIn(str(self.folder), kept.read_text())

        out = self.folder / "out"
        code, said = self.jaxport("port", f"--out={out}")
        self.assertEqual(code, errors.PORTED, said)
        self.assertRegex(said, r"model.py:18:24: tf.raw_ops.Cumsum: answered by Ada, from a file")
        certificate = json.loads((out / "certificate.json").read_text())
        self.assertEqual(certificate["verdict"], "verified")
        self.assertEqual([a["key"] for a in certificate["answers"]], [content["key"]])

        kept.write_text(kept.read_text().replace("- h", "- 2 * h"))
        with contextlib.redirect_stderr(io.StringIO()) as said:
            code, _ = self.jaxport("port", f"--out={out}", "--force")
        self.assertEqual(code, errors.BAD_INPUT)
        self.assertIn(f"{kept}: was edited after it was recorded", said.getvalue())
        self.assertIn("jaxport ask", said.getvalue())


if __name__ == "__main__":
    absltest.main()
