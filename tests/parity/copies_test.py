"""Tests that functions run in copies of a process and leave nothing in it."""

import os
import signal
import subprocess
import sys
import tempfile
import time

from absl.testing import absltest

from parity import copies, isolation

_STATE = ["as it was"]


class CopiesTest(absltest.TestCase):
    def run_copy(self, run, timeout=60):
        with tempfile.TemporaryFile() as output:
            code = copies.result(run, output.fileno(), timeout)
            output.seek(0)
            return code, output.read().decode()

    def test_its_code_and_what_it_wrote(self):
        def run():
            print("to", end=" ", flush=True)
            print("both", file=sys.stderr)
            return 3

        self.assertEqual(self.run_copy(run), (3, "to both\n"))

    def test_what_it_changes_stays_with_it(self):
        def run():
            _STATE.append("changed")
            os.environ["CHANGED"] = "1"
            os.chdir("/")
            sys.modules["changed"] = sys
            return len(_STATE)

        self.assertEqual(self.run_copy(run)[0], 2)
        self.assertEqual(_STATE, ["as it was"])
        self.assertNotIn("CHANGED", os.environ)
        self.assertNotIn("changed", sys.modules)

    def test_how_it_may_end(self):
        def fails():
            raise ValueError("for a reason")

        def exits():
            sys.exit("said so")

        code, output = self.run_copy(fails)
        self.assertEqual(code, 1)
        self.assertIn("ValueError: for a reason", output)
        self.assertEqual(self.run_copy(exits), (1, "said so\n"))
        self.assertEqual(self.run_copy(lambda: os.kill(os.getpid(), signal.SIGSEGV))[0], -signal.SIGSEGV)

    def test_it_reads_nothing_and_has_no_files_of_ours(self):
        def run():
            # Listing them opens one more.
            left = {int(fd) for fd in os.listdir("/proc/self/fd")} - {0, 1, 2}
            return 10 * (sys.stdin.read() != "") + len(left)

        self.assertEqual(self.run_copy(run)[0], 1)

    def test_it_is_stopped_in_time_and_ours_goes_on(self):
        began = time.monotonic()
        with self.assertRaisesRegex(TimeoutError, "took longer than 0.2 s"):
            self.run_copy(lambda: time.sleep(600), timeout=0.2)
        self.assertLess(time.monotonic() - began, 60)
        self.assertEqual(self.run_copy(lambda: 0)[0], 0)

    def test_what_it_leaves_running_is_stopped(self):
        def run():
            program = [sys.executable, "-c", "import time; time.sleep(600)"]
            _STATE.extend(subprocess.Popen(program, start_new_session=own) for own in (False, True))
            print(*(child.pid for child in _STATE[-2:]))
            return 0

        copies.adopt()
        code, output = self.run_copy(run)
        copies.stop_adopted(())
        self.assertEqual(code, 0)
        for pid in map(int, output.split()):
            with self.assertRaises(ProcessLookupError):
                os.kill(pid, 0)


class PreparedTest(absltest.TestCase):
    def test_a_module_that_was_imported_runs_in_a_copy(self):
        program = (
            "import json, sys\n"
            "from parity import isolation\n"
            "isolation.prepare('parity.prepared_for_test', {'ASKED': '1'})\n"
            "for asked in ('1', '2'):\n"
            "    print(isolation.run_limited('parity.prepared_for_test', ['a'], {'ASKED': asked}, 60))\n"
        )
        folder = self.create_tempdir()
        folder.create_file("parity/__init__.py")
        for name in ("isolation.py", "copies.py"):
            folder.create_file(f"parity/{name}", content=_text(os.path.join(os.path.dirname(isolation.__file__), name)))
        folder.create_file(
            "parity/prepared_for_test.py",
            content=(
                "import os, sys\n"
                "print('imported', file=sys.stderr)\n"
                "def main(argv):\n"
                "    print(len(argv), os.environ['ASKED'], __name__ == '__main__', file=sys.stderr)\n"
                "    sys.exit(7)\n"
                "if __name__ == '__main__':\n"
                "    main(sys.argv)\n"
            ),
        )
        ran = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONPATH": folder.full_path},
            cwd=folder.full_path,
            capture_output=True,
            text=True,
            check=True,
        )
        # The second has another environment, which a copy can't be given any more.
        self.assertEqual(
            ran.stdout.splitlines(), ["(7, '2 1 False\\n')", "(7, 'imported\\n2 2 True\\n')"], msg=ran.stderr
        )
        self.assertEqual(ran.stderr.splitlines(), ["imported"])


def _text(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


if __name__ == "__main__":
    absltest.main()
