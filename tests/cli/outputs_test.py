"""What is written when the tree does not let it, and when two runs write at once."""

import os
import pathlib
import resource
import subprocess
import sys
import time

from absl.testing import absltest

from cli import errors, outputs


class OutputsTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def test_a_disk_that_fills_up_leaves_all_as_it_was(self):
        (self.folder / "BUILD").write_text("before\n")
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        # As where the disk is full, a write fails half way.
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_FSIZE, (soft, hard))
        wanted = {self.folder / "BUILD": "after\n", self.folder / "large.py": "x = 1\n" * 1000}
        with self.assertRaisesRegex(errors.BadInputError, "models: can't be written to: File too large"):
            outputs.write(wanted, "models")
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        self.assertEqual(os.listdir(self.folder), ["BUILD"])
        self.assertEqual((self.folder / "BUILD").read_text(), "before\n")

    def test_a_folder_that_is_read_only(self):
        if os.geteuid() == 0:
            self.skipTest("root may write everywhere")
        (self.folder / "BUILD").write_text("before\n")
        self.folder.chmod(0o555)
        self.addCleanup(self.folder.chmod, 0o755)
        with self.assertRaisesRegex(errors.BadInputError, "models: can't be written to: Permission denied"):
            outputs.write({self.folder / "BUILD": "after\n"}, "models")
        self.assertEqual((self.folder / "BUILD").read_text(), "before\n")

    def test_two_runs_at_once_take_turns(self):
        build = self.folder / "BUILD"
        build.write_text("")
        program = (
            "import pathlib, sys, time\n"
            "from cli import outputs\n"
            "build = pathlib.Path(sys.argv[1])\n"
            "for _ in range(20):\n"
            "    with outputs.alone(build.parent):\n"
            "        text = build.read_text()\n"
            "        time.sleep(0.002)\n"
            "        outputs.write({build: text + sys.argv[2]}, '.')\n"
        )
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        runs = [subprocess.Popen([sys.executable, "-c", program, build, letter], env=environment) for letter in "ab"]
        self.assertEqual([run.wait(60) for run in runs], [0, 0])
        self.assertEqual(sorted(build.read_text()), ["a"] * 20 + ["b"] * 20)
        self.assertEqual(os.listdir(self.folder), ["BUILD"])

    def test_a_run_that_was_killed_holds_nobody_up(self):
        program = "import pathlib, sys, time\nfrom cli import outputs\n"
        program += "with outputs.alone(pathlib.Path(sys.argv[1])):\n    print('in', flush=True)\n    time.sleep(600)\n"
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-c", program, self.folder]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as run:
            run.stdout.readline()
            run.kill()
        began = time.monotonic()
        with outputs.alone(self.folder):
            self.assertLess(time.monotonic() - began, 60)


if __name__ == "__main__":
    absltest.main()
