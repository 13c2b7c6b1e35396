"""A persistent worker that runs every action in a copy of itself, so that imports are paid once.

Actions run code that nobody has looked at. Each has a process of its own, which no other action sees anything of: it
has no network, writes to the folders of its outputs and of temporary files only, of which one is its own, and it is
killed with what it has started when it ends, when Bazel cancels it, and when the worker ends. Several may run at once.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import os
import selectors
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from typing import IO

from parity import copies
from parity.isolation import ending, leave_network
from parity.landlock import write_only_to
from rules.tools import worker

#: Bytes of what an action wrote that Bazel is told.
_KEPT = 1 << 16
_MEGABYTE = 1 << 20
#: Where programs expect that they may write; Bazel's sandbox allows it, too.
_SHARED = ("/tmp", "/dev/shm")  # noqa: S108
#: Tells a process that it runs one action for a worker.
_MARK = "JAXPORT_IN_WORKER"


def run(step: worker.Step, argv: Sequence[str], prepare: Callable[[], None]) -> int:
    """Runs one action, or as a worker any number of them.

    Args:
      step: the program; it calls `write_to` before it runs code that is not ours.
      argv: the command line.
      prepare: imports what the program needs, and starts no threads.

    Returns:
      The exit code.
    """
    if "--persistent_worker" not in argv:
        return step(worker.expanded(argv))
    answers = worker.own_answers()
    prepare()
    gc.freeze()  # else copies would write to all of it when they collect garbage, and each get memory of its own
    _Server(step, answers).serve()
    return 0


def write_to(outputs: Iterable[str]) -> None:
    """Lets this process write beside these files and in folders for temporary ones only, where it is a worker's.

    As a process of its own, an action is for Bazel's sandbox to confine.
    """
    if os.environ.pop(_MARK, ""):
        folders = (os.path.dirname(os.path.abspath(output)) for output in outputs)
        allowed = dict.fromkeys([*folders, tempfile.gettempdir(), *_SHARED])
        write_only_to([folder for folder in allowed if os.path.isdir(folder)])


@dataclasses.dataclass
class _Action:
    """An action that runs: what was asked, the file with what it writes, its temporary folder."""

    request: worker.Request
    output: IO[bytes]
    folder: str
    cancelled: bool = False


class _Server:
    """Starts actions as they are asked for, and answers as they end."""

    def __init__(self, step: worker.Step, answers: int):
        self._step = step
        self._answers = answers
        self._running: dict[int, _Action] = {}
        self._asked = b""
        # A copy of a process with threads may hang; then each action pays for its imports, as without a worker.
        self._fresh = copies.threads() > 1
        words = (word for word in sys.orig_argv[1:] if word != "--persistent_worker")
        self._program = [os.path.abspath(word) if os.path.exists(word) else word for word in words]
        if self._fresh:
            print("a library has started threads: each action gets a new process", file=sys.stderr, flush=True)

    def serve(self) -> None:
        """Returns when there is nobody left to ask; what still runs then is stopped."""
        copies.adopt()
        woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(0, selectors.EVENT_READ)
                selector.register(woken, selectors.EVENT_READ)
                self._listen(selector, woken)
        finally:
            for pid, action in self._running.items():
                copies.stop(pid)
                copies.collect(pid)
                shutil.rmtree(action.folder, ignore_errors=True)
            copies.stop_adopted(())

    def _listen(self, selector: selectors.BaseSelector, woken: int) -> None:
        open_ = True
        while open_:
            ready = {key.fd for key, _ in selector.select()}
            if woken in ready:
                os.read(woken, 4096)
                self._answer()
            if 0 in ready:
                open_ = self._read()

    def _read(self) -> bool:
        """Starts what has been asked for; False at the end of the input."""
        read = os.read(0, _MEGABYTE)
        *lines, self._asked = (self._asked + read).split(b"\n")
        for line in lines:
            if line.strip():
                self._take(worker.Request.read(line))
        return bool(read)

    def _take(self, request: worker.Request) -> None:
        if request.cancel:
            for pid, action in self._running.items():
                if action.request.id == request.id:
                    action.cancelled = True
                    copies.stop(pid)
            return
        # Gone with the last process that has it open.
        output = tempfile.TemporaryFile()  # noqa: SIM115
        folder = tempfile.mkdtemp(prefix="action-")
        pid = copies.start(lambda: self._run(request, folder), output.fileno())
        self._running[pid] = _Action(request, output, folder)

    def _run(self, request: worker.Request, folder: str) -> int:
        """The action, in its own process."""
        os.environ |= {_MARK: "1", "TMPDIR": folder}
        tempfile.tempdir = folder
        leave_network()
        if self._fresh:
            os.execv(sys.executable, [sys.executable, *self._program, *worker.asked(request)])
        return self._step(worker.asked(request))

    def _answer(self) -> None:
        for pid in list(self._running):
            code = copies.collect(pid, wait=False)
            if code is None:
                continue
            action = self._running.pop(pid)
            copies.stop_adopted(self._running)
            shutil.rmtree(action.folder, ignore_errors=True)
            with contextlib.closing(action.output) as output:
                output.seek(max(0, output.seek(0, os.SEEK_END) - _KEPT))
                text = output.read().decode(errors="replace")
            if action.cancelled:
                line = action.request.cancelled()
            elif code < 0:
                line = action.request.response(128 - code, f"{text}the action {ending(code, '')}\n")
            else:
                line = action.request.response(code, text)
            os.write(self._answers, line)
