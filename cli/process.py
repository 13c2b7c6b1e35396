"""Runs a step as a process of its own: another module, the same interpreter and search path."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence

#: What steps see of the environment beyond the caller's: stable numerics, quiet logs, no accelerator.
ENVIRONMENT: Mapping[str, str] = {
    "JAX_PLATFORMS": "cpu",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONUTF8": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",
}


class TimedOut(Exception):
    """The step did not end in time; its processes are gone."""


class Finished:
    """How a step ended.

    Attributes:
      code: the exit code, negative for a signal.
      errors: what it wrote to standard error.
    """

    def __init__(self, code: int, errors: str):
        self.code = code
        self.errors = errors

    @property
    def sentence(self) -> str:
        """The last line that says something; a step that refuses its input ends with one sentence."""
        lines = [line.strip() for line in self.errors.splitlines() if line.strip()]
        return lines[-1] if lines else ""

    @property
    def tail(self) -> str:
        """The last lines, to show when a step stopped and should not have."""
        return "\n".join(self.errors.rstrip().splitlines()[-20:])


def run(module: str, arguments: Sequence[str], timeout: float | None, also: Sequence[pathlib.Path] = ()) -> Finished:
    """Runs `python -m module arguments`; raises `TimedOut` after `timeout` seconds.

    `also` are folders to import from, after those of this process: a user's `random.py` must not stand
    in for Python's.
    """
    search_path = [path or os.getcwd() for path in sys.path] + [str(path) for path in also]
    environment = {**os.environ, **ENVIRONMENT, "PYTHONPATH": os.pathsep.join(search_path), "PYTHONSAFEPATH": "1"}
    environment.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    # The step may run a user's program: it must not read our input, nor write where we write.
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            env=environment,
            start_new_session=True,
        )
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise TimedOut from None
        finally:
            # Also what the user's program started and left behind, and everything on Ctrl-C.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        errors.seek(0)
        return Finished(code, errors.read().decode("utf-8", errors="replace"))
