"""Steps run as processes: with limits, apart from the caller, and leaving nothing behind."""

import os
import pathlib
import sys
import time
from unittest import mock

from absl.testing import absltest

from cli import process


class ProcessTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.enter_context(mock.patch.object(sys, "path", [str(self.folder), *sys.path]))

    def run_step(self, code, *arguments, timeout=60.0):
        (self.folder / "a_step.py").write_text(code)
        return process.run("a_step", arguments, timeout)

    def test_exit_code_and_sentence(self):
        finished = self.run_step("import sys\nprint('x', file=sys.stderr)\nsys.exit('m.py:1: what; do this\\n\\n')")
        self.assertEqual(finished.code, 1)
        self.assertEqual(finished.sentence, "m.py:1: what; do this")

    def test_arguments_environment_and_search_path(self):
        code = "import os, sys, absl\nsys.stderr.write(sys.argv[1] + os.environ['TF_ENABLE_ONEDNN_OPTS'])"
        self.assertEqual(self.run_step(code, "-a b").errors, "-a b0")

    def test_input_is_empty(self):
        self.assertEqual(self.run_step("import sys\nsys.stderr.write(repr(sys.stdin.read()))").errors, "''")

    def test_output_of_any_bytes_and_length(self):
        code = "import sys\nprint('x' * 1_000_000)\nsys.stderr.buffer.write(b'\\xff\\n' * 100_000)"
        self.assertLen(self.run_step(code).errors.splitlines(), 100_000)

    def test_timeout_ends_the_step_and_its_children(self):
        code = (
            "import os, pathlib, subprocess, sys, time\n"
            "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
            "pathlib.Path(sys.argv[1]).write_text(str(child.pid))\n"
            "time.sleep(600)\n"
        )
        pid_file = self.folder / "pid"
        with self.assertRaises(process.TimedOut):
            self.run_step(code, str(pid_file), timeout=5.0)
        self.assert_gone(int(pid_file.read_text()))

    def test_what_a_step_leaves_running_is_ended(self):
        code = (
            "import subprocess, sys\n"
            "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
            "sys.stderr.write(str(child.pid))\n"
        )
        self.assert_gone(int(self.run_step(code).errors))

    def assert_gone(self, pid):
        """A zombie counts as gone: whoever inherits it decides when to collect it."""
        for _ in range(100):
            try:
                state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            except FileNotFoundError:
                return
            if state == "Z":
                return
            time.sleep(0.05)
        os.kill(pid, 9)
        self.fail(f"process {pid} is still there")


if __name__ == "__main__":
    absltest.main()
