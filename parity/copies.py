"""Runs functions in copies of this process, which have imported already what they need.

A copy is made by fork, so this process may have no threads but its own: libraries that start some when they are
imported have to be told not to, and `threads` says whether they did.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pathlib
import signal
import sys
import time
import traceback
from collections.abc import Callable, Container

_SET_DEATH_SIGNAL = 1
_SET_SUBREAPER = 36
_STREAMS = (1, 2)


def threads() -> int:
    """How many threads this process has, those of libraries included."""
    return len(os.listdir("/proc/self/task"))


def end_with(parent: int) -> None:
    """Has this process killed once its parent has ended.

    Args:
      parent: the parent's id, as it may have ended before this is called.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def adopt() -> None:
    """Makes this process the parent of all processes below it whose own parent has ended."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_SET_SUBREAPER, 1, 0, 0, 0)


def stop_adopted(known: Container[int]) -> None:
    """Kills children of this process that it has not started, and in turn their children.

    Args:
      known: ids of those that it has started.
    """
    while True:
        try:
            listed = pathlib.Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii").split()
        except OSError:
            return
        found = [int(pid) for pid in listed if int(pid) not in known]
        if not found:
            return
        for pid in found:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def start(run: Callable[[], int], output: int) -> int:
    """Starts `run` in a copy of this process; returns its process id.

    The copy leads a group of its own, has no input, no files open that this process has, and is gone once this process
    is. `collect` is to be called for it.

    Args:
      run: returns the exit code. The copy ends right after it, whatever threads it has started.
      output: descriptor of the file for both of the copy's streams.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        end_with(parent)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        for stream in _STREAMS:
            os.dup2(output, stream)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        adopt()
        code = run()
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
        if isinstance(error.code, str):
            print(error.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def stop(pid: int) -> None:
    """Kills a copy and what it started, as far as that is in its group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def collect(pid: int, wait: bool = True) -> int | None:
    """The exit code of a copy, negative for a signal; None where it has not ended and is not waited for."""
    options = os.WEXITED | os.WNOWAIT | (0 if wait else os.WNOHANG)
    # It stays until its group is gone, or its id could be another's.
    if os.waitid(os.P_PID, pid, options) is None:
        return None
    stop(pid)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def result(run: Callable[[], int], output: int, timeout: float) -> int:
    """The exit code of `run` in a copy, negative for a signal.

    Args:
      run, output: see `start`.
      timeout: seconds.

    Raises:
      TimeoutError: it ran for longer; it is gone.
    """
    end = time.monotonic() + timeout
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    try:
        pid = start(run, output)
        while (code := collect(pid, wait=False)) is None:
            left = end - time.monotonic()
            if left <= 0:
                stop(pid)
                collect(pid)
                raise TimeoutError(f"took longer than {timeout:g} s")
            signal.sigtimedwait({signal.SIGCHLD}, left)
        return code
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
