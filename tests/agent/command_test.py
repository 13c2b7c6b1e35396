"""Tests `ask --models` whole, against a scripted service: capture, sandbox, checks, answers, and what is written where.

What the service says here is from a script; no model answers.
"""

import contextlib
import io
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
from unittest import mock

from absl.testing import absltest

from cli import errors, main, steps
from rules.tools import ask
from tests.agent import made
from tests.agent.service import Service, Turn

KEY = "planted-key-4711"
WRONG = made.reply(replace="jnp.cumsum(h, axis=-1)")
#: Names that exist and a call that screening lets through, which ends in an endless loop when it runs.
LOOPS = made.reply(replace="lax.while_loop(lambda c: jnp.all(jnp.isfinite(c)), lambda c: jnp.tanh(c), h)")


class CommandTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir()).resolve()
        self.package = self.folder / "models"
        self.package.mkdir()
        self.model = self.package / "model.py"
        shutil.copyfile(made.MODEL, self.model)
        self.enter_context(
            mock.patch.dict(os.environ, {"GEMINI_API_KEY": KEY, "BUILD_WORKSPACE_DIRECTORY": str(self.folder)})
        )

    def models(self, service: Service, timeout: float = 20.0) -> str:
        """A file that says to ask the scripted service."""
        path = self.folder / "models.toml"
        path.write_text(
            f'[service]\nbase_url = "{service.url}"\n[request]\nmodel = "scripted"\ntimeout = {timeout}\n'
            'attempts = 2\nlongest_pause = 0.1\n[budget]\ncost = "1.00"\n[prices.scripted]\ninput = "1"\noutput = "10"\n'
        )
        return str(path)

    def flags(self, service: Service) -> list[str]:
        unit = [str(self.model), "--entry=Net()", "--input=float32[4,5]", "--verify=forward"]
        return ["ask", *unit, f"--answers={self.package}/answers", f"--models={self.models(service)}"]

    def run_program(self, program, *arguments):
        """The exit code, and all that was said."""
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            code = program(list(arguments))
        return code, out.getvalue()

    def all_that_is_written(self) -> str:
        return "".join(p.read_text(errors="replace") for p in self.folder.rglob("*") if p.is_file())

    def test_from_the_command_line(self):
        with Service([Turn(status=429, headers={"Retry-After": "0"}), Turn(WRONG), Turn(made.reply())]) as service:
            pages = self.folder / "pages"
            code, said = self.run_program(main.main, *self.flags(service), f"--draft_pages={pages}")
        self.assertEqual(code, errors.PORTED, said)
        (page,) = pages.iterdir()
        self.assertIn("    return jnp.cumsum(h, axis=-1) - h\n", page.read_text())
        self.assertIn("reviewed:\ninputs: float32[4,3]\n", page.read_text())
        self.assertIn("verified at level `forward`", said)
        self.assertIn("spent       3 calls, 2200 tokens, $0.0040", said)
        (kept,) = (self.package / "answers").glob("*.json")
        answer = json.loads(kept.read_text())
        self.assertEqual(answer["origin"], {"kind": "model", "name": "scripted"})
        self.assertEqual(answer["usage"]["calls"], 2)
        self.assertFalse((self.package / "answers" / ".replies").exists())
        self.assertEqual(set(service.keys), {KEY})
        bodies = json.dumps([body for _, body in service.requests])
        self.assertIn("FAILED forward", bodies)
        for text in (said, bodies, self.all_that_is_written()):
            self.assertNotIn(KEY, text)
        self.assertNotIn(str(self.folder), bodies)

    def test_killed_and_gone_on_without_paying_twice(self):
        with Service([Turn(WRONG), Turn(hang=60)]) as service:
            command = [sys.executable, "-m", "cli.main", *self.flags(service)]
            environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p or os.getcwd() for p in sys.path)}
            process = subprocess.Popen(
                command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
            )
            for _ in range(2400):
                if len(service.requests) > 1 or process.poll() is not None:
                    break
                time.sleep(0.1)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            self.assertLen(service.requests, 2)
        self.assertEmpty(list((self.package / "answers").glob("*.json")))
        self.assertNotIn(KEY, self.all_that_is_written())
        with Service([Turn(made.reply())]) as service:
            code, said = self.run_program(main.main, *self.flags(service))
        self.assertEqual(code, errors.PORTED, said)
        self.assertLen(service.requests, 1)
        self.assertIn("1 replies were there from before", said)

    def test_a_rule_is_proposed_and_certified(self):
        rules = self.package / "jaxport_rules"
        good = (pathlib.Path(__file__).parents[1] / "user_codemods" / "rules" / "exclusive_sum.py").read_text()
        weak = good.replace(", axis=1, exclusive=True", ", axis=1").replace(
            "return jnp.cumsum(x, axis) - x", "return x"
        )
        turns = [Turn(json.dumps({"rule": weak})), Turn(json.dumps({"rule": good}))]
        with Service(turns) as service:
            code, said = self.run_program(main.main, *self.flags(service), f"--propose_rules={rules}")
        self.assertEqual(code, errors.PORTED, said)
        self.assertLen(service.requests, 2)
        prompts = [body["contents"][0]["parts"][0]["text"] for _, body in service.requests]
        self.assertIn("tf.raw_ops.Cumsum(x, axis, exclusive=False, reverse=False, name=None)", prompts[0])
        self.assertIn("before = 0.5 * tf.raw_ops.Cumsum(x=h", prompts[0])
        self.assertIn("That failed the check `certify`:", prompts[1])
        self.assertIn("+++ b/", said)
        (kept,) = rules.iterdir()
        self.assertEqual(kept.name, "tf_raw_ops_cumsum.py")
        self.assertIn("# Proposed by model: scripted. Certified against TensorFlow: 44 cases agree", kept.read_text())
        self.assertEmpty(list((self.package / "answers").glob("*.json")))
        self.assertNotIn(KEY, said + self.all_that_is_written())

    def manifest(self) -> str:
        """What a build hands to `NAME.ask`."""
        built = self.folder / "built"
        built.mkdir()
        recorded = steps.Request(
            self.model, "model.py", "Net()", ["float32[4,5]"], package_root=self.folder, level="forward"
        )
        steps.capture(recorded, built)
        files = {"trace": str(built / "trace.json"), "oracle": str(built / "oracle.safetensors")}
        value = {
            "unit": "model", "command": "bazel run //models:model.ask", "package": "models", "source": "models/model.py",
            "level": "forward", "python_deps": [], "own_deps": [], "files": files, "answers": "answers",
        }  # fmt: skip
        path = built / "manifest.json"
        path.write_text(json.dumps(value))
        return str(path)

    def test_from_the_target(self):
        manifest = self.manifest()
        with Service([Turn(LOOPS), Turn(made.reply())]) as service:
            code, said = self.run_program(ask.main, manifest, f"--models={self.models(service)}", "--trial_timeout=40")
        self.assertEqual(code, errors.PORTED, said)
        self.assertRegex(said, "did not end within 40 s|processor time")
        self.assertIn('answers = glob(["answers/*.json"])', said)
        self.assertLen(list((self.package / "answers").glob("*.json")), 1)
        self.assertNotIn(KEY, said + self.all_that_is_written())


if __name__ == "__main__":
    absltest.main()
