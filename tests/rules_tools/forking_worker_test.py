"""Tests what a worker answers, and that its actions see nothing of each other."""

import ctypes
import json
import os
import pathlib
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time

from absl.testing import absltest

_PROGRAM = """
import os, pathlib, socket, subprocess, sys, threading, time
from rules.tools import forking_worker

seen = []

def step(argv):
    what, out = argv[0], pathlib.Path(argv[1])
    forking_worker.write_to([out])
    seen.append(what)
    print("wrote", what)
    if what == "fail":
        raise ValueError("of no use")
    if what == "abort":
        os.abort()
    if what == "wait":
        out.with_name("waiting").touch()
        time.sleep(600)
    if what == "leave":
        left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
        out.with_name("left").write_text(str(left.pid))
    if what == "elsewhere":
        pathlib.Path(argv[2], "elsewhere").write_text("")
    if what == "network":
        socket.create_connection(("127.0.0.1", int(argv[2])), timeout=60)
    out.write_text(f"{seen} {argv[2:]} {sys.stdin.read()!r}")
    return len(seen) - 1

def prepare():
    with open(os.environ["PREPARED"], "a") as file:
        file.write("prepared\\n")
    if os.environ.get("THREADS"):
        threading.Thread(target=time.sleep, args=(600,), daemon=True).start()

if __name__ == "__main__":
    sys.exit(forking_worker.run(step, sys.argv[1:], prepare))
"""


class ForkingWorkerTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        (self.folder / "out").mkdir()
        self.program = self.folder / "program.py"
        self.program.write_text(_PROGRAM)
        self.environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "PREPARED": str(self.folder / "prepared"),
        }

    def start(self, **environment):
        self.worker = subprocess.Popen(
            [sys.executable, str(self.program), "--persistent_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**self.environment, **environment},
        )
        self.addCleanup(self.end)

    def end(self):
        self.worker.stdin.close()
        self.worker.wait(60)
        self.worker.stdout.close()
        self.worker.stderr.close()

    def ask(self, number, *arguments, **more):
        line = json.dumps({"requestId": number, "arguments": [shlex.quote(a) for a in arguments], **more})
        self.worker.stdin.write(line.encode() + b"\n")
        self.worker.stdin.flush()

    def answer(self):
        return json.loads(self.worker.stdout.readline())

    def out(self, name="file"):
        return str(self.folder / "out" / name)

    def test_many_actions_see_nothing_of_each_other(self):
        self.start()
        for number in range(1, 6):
            self.ask(number, "work", self.out(str(number)), "--entry=f('a b')\nand more")
        answers = sorted((self.answer() for _ in range(5)), key=lambda a: a["requestId"])
        self.assertEqual(answers, [{"exitCode": 0, "output": "wrote work\n", "requestId": n} for n in range(1, 6)])
        expected = "['work'] [\"--entry=f('a b')\\nand more\"] ''"
        self.assertEqual({pathlib.Path(self.out(str(n))).read_text() for n in range(1, 6)}, {expected})
        self.assertEqual((self.folder / "prepared").read_text(), "prepared\n")

    def test_as_a_process_it_does_the_same(self):
        (self.folder / "arguments").write_text(f"work\n{self.out()}\n'--entry=f('\\''a b'\\'')\nand more'\n")
        program = [sys.executable, str(self.program), f"@{self.folder}/arguments"]
        subprocess.run(program, env=self.environment, stdin=subprocess.DEVNULL, check=True)
        self.assertEqual(pathlib.Path(self.out()).read_text(), "['work'] [\"--entry=f('a b')\\nand more\"] ''")
        self.assertFalse((self.folder / "prepared").exists())

    def test_it_outlives_what_goes_wrong(self):
        self.start()
        self.ask(1, "fail", self.out())
        failed = self.answer()
        self.assertEqual(failed["exitCode"], 1)
        self.assertIn("ValueError: of no use", failed["output"])
        self.ask(2, "abort", self.out())
        aborted = self.answer()
        self.assertEqual(aborted["exitCode"], 134)
        self.assertIn("the action was ended by SIGABRT", aborted["output"])
        self.ask(3, "work", self.out())
        self.assertEqual(self.answer()["exitCode"], 0)

    def test_one_that_hangs_holds_nobody_up_and_can_be_cancelled(self):
        self.start()
        self.ask(1, "wait", self.out())
        self.ask(2, "work", self.out())
        self.assertEqual(self.answer()["requestId"], 2)
        self.ask(1, cancel=True)
        self.assertEqual(self.answer(), {"wasCancelled": True, "requestId": 1})
        self.ask(1, cancel=True)  # comes too late, and is not answered
        self.ask(3, "work", self.out())
        self.assertEqual(self.answer()["requestId"], 3)

    def test_nothing_is_left_when_it_ends(self):
        self.start()
        self.ask(1, "wait", self.out())
        while not pathlib.Path(self.out("waiting")).exists():
            time.sleep(0.01)
        children = pathlib.Path(f"/proc/{self.worker.pid}/task/{self.worker.pid}/children")
        (pid,) = children.read_text().split()
        self.worker.stdin.close()
        self.worker.wait(60)
        self.assertFalse(pathlib.Path(f"/proc/{pid}").exists())

    def test_processes_that_an_action_leaves_are_stopped(self):
        self.start()
        self.ask(1, "leave", self.out())
        self.assertEqual(self.answer()["exitCode"], 0)
        self.assertFalse(pathlib.Path("/proc", pathlib.Path(self.out("left")).read_text()).exists())

    def test_it_writes_to_its_outputs_only(self):
        if ctypes.CDLL(None).syscall(444, None, 0, 1) < 1:
            self.skipTest("this machine has no Landlock")
        # Not where files are temporary: there it may write.
        folders = [folder for folder in (str(self.folder), "/var/tmp") if not folder.startswith("/tmp/")]  # noqa: S108
        usable = [folder for folder in folders if os.access(folder, os.W_OK)]
        if not usable:
            self.skipTest("the clone lies under /tmp, and this test may write nowhere else itself")
        elsewhere = tempfile.mkdtemp(dir=usable[0])
        self.addCleanup(shutil.rmtree, elsewhere)
        self.start()
        self.ask(1, "elsewhere", self.out(), elsewhere)
        answer = self.answer()
        self.assertEqual(answer["exitCode"], 1)
        self.assertIn("PermissionError", answer["output"])
        self.assertEqual(os.listdir(elsewhere), [])

    def test_it_has_no_network(self):
        check = "import sys; from parity import isolation; sys.exit(not isolation.leave_network())"
        if subprocess.run([sys.executable, "-c", check], env=self.environment, check=False).returncode:
            self.skipTest("this machine forbids namespaces")
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.start()
            self.ask(1, "network", self.out(), str(server.getsockname()[1]))
            answer = self.answer()
        self.assertEqual(answer["exitCode"], 1)
        self.assertIn("Network is unreachable", answer["output"])

    def test_where_a_library_has_started_threads_actions_start_anew(self):
        self.start(THREADS="1")
        self.ask(1, "work", self.out(), "more")
        self.assertEqual(self.answer(), {"exitCode": 0, "output": "wrote work\n", "requestId": 1})
        self.assertEqual(pathlib.Path(self.out()).read_text(), "['work'] ['more'] ''")
        self.ask(2, "fail", self.out())
        self.assertIn("ValueError: of no use", self.answer()["output"])


if __name__ == "__main__":
    absltest.main()
