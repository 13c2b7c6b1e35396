"""Tests what a step in the sandbox can't do."""

import json
import os
import pathlib
import sys
import textwrap
import time
from unittest import mock

from absl.testing import absltest

from agent import sandbox


class SandboxTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir())
        self.outside = pathlib.Path(self.create_tempdir())
        self.enter_context(mock.patch.object(sys, "path", [*sys.path, str(self.outside)]))

    def run_code(self, code: str, timeout: float = 60) -> sandbox.Confined:
        """Runs some code as a step."""
        (self.outside / "step.py").write_text(textwrap.dedent(code))
        return sandbox.run("step", ["--flag"], self.folder, timeout)

    def test_runs_with_arguments_and_writes_to_its_folder(self):
        done = self.run_code(f"import sys; open({str(self.folder / 'out')!r}, 'w').write(sys.argv[1])")
        self.assertEqual((done.code, (self.folder / "out").read_text()), (0, "--flag"), done.errors)

    def test_no_keys(self):
        with mock.patch.dict(
            os.environ, {"GEMINI_API_KEY": "planted-4711", "HTTPS_PROXY": "x", "MY_TOKEN": "planted-4711"}
        ):
            done = self.run_code("import json, os, sys; print(json.dumps(dict(os.environ)), file=sys.stderr)")
        self.assertNotIn("planted", done.errors)
        self.assertNotIn("PROXY", done.errors)
        self.assertIn("PYTHONPATH", json.loads(done.sentence))

    def test_no_network(self):
        done = self.run_code("import socket; socket.create_connection(('127.0.0.1', 9), 2)")
        if not done.tied["network"]:
            self.skipTest("this system has no network namespaces for this user")
        self.assertEqual(done.code, 1)
        self.assertIn("Network is unreachable", done.errors)

    def test_writes_nowhere_else(self):
        victim = self.outside / "some_test.py"
        victim.write_text("assert True")
        done = self.run_code(f"open({str(victim)!r}, 'w').write('')")
        if not done.tied["files"]:
            self.skipTest("this system has no Landlock")
        self.assertIn("PermissionError", done.sentence)
        self.assertEqual(victim.read_text(), "assert True")
        done = self.run_code(f"import os; os.remove({str(victim)!r})")
        self.assertIn("PermissionError", done.sentence)
        self.assertTrue(victim.exists())

    def test_ends_what_loops_and_what_it_started(self):
        started = time.monotonic()
        done = self.run_code(
            """
            import subprocess, sys
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
            print(child.pid, file=sys.stderr, flush=True)
            while True:
                pass
            """,
            timeout=5,
        )
        self.assertIsNone(done.code)
        self.assertLess(time.monotonic() - started, 30)
        for _ in range(50):
            stat = pathlib.Path(f"/proc/{int(done.sentence)}/stat")
            if not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z":
                return
            time.sleep(0.1)
        self.fail("what the step started goes on")

    def test_memory_is_limited(self):
        done = self.run_code("bytearray(64 << 30)")
        self.assertIn("MemoryError", done.sentence)


if __name__ == "__main__":
    absltest.main()
