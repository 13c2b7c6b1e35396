"""Limits for the process that runs code we know nothing of."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import resource
import signal
import subprocess
import sys

_NEW_NETWORK = 0x40000000
_NEW_USER = 0x10000000
# What TensorFlow's C++ parts log, such as `I0000 00:00:1795267740.497323   27875 cudart_stub.cc:31] ...`.
_LOG_LINE = re.compile(r"[IW]\d{4} [\d:.]+ |\d{4}-\d\d-\d\d [\d:.]+: [IW] |WARNING: All log messages before absl")


def leave_network() -> bool:
    """Moves this process where there is no network; False where the system doesn't allow it.

    Call it before any thread is started.
    """
    try:
        library = ctypes.CDLL(None, use_errno=True)
        return library.unshare(_NEW_NETWORK) == 0 or library.unshare(_NEW_USER | _NEW_NETWORK) == 0
    except (OSError, AttributeError):
        return False


def run_limited(module: str, arguments: list[str], environment: dict[str, str], timeout: float) -> tuple[int, str]:
    """Runs one of our modules in a process of its own, with limits.

    Args:
      module: dotted name.
      arguments: its command line.
      environment: variables to set on top of this process's.
      timeout: seconds.

    Returns:
      The exit status and the last of what it wrote to standard error.

    Raises:
      TimeoutError: it ran for longer.
    """
    paths = [os.path.dirname(os.path.dirname(os.path.abspath(__file__))), *sys.path]
    variables = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(path for path in paths if path)),
        "PYTHONHASHSEED": "0",
        "PYTHONNODEBUGRANGES": "",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_ENABLE_ONEDNN_OPTS": "0",
        "CUDA_VISIBLE_DEVICES": "",
        "KERAS_BACKEND": "tensorflow",
        **environment,
    }
    command = [sys.executable, "-m", module, *arguments]
    try:
        done = subprocess.run(  # noqa: S603 - our own module
            command,
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            preexec_fn=_limit(int(timeout)),  # noqa: PLW1509 - nothing here has threads
        )
    except subprocess.TimeoutExpired:
        raise TimeoutError(f"took longer than {timeout:g} s") from None
    return done.returncode, done.stderr[-4000:]


def ending(code: int, errors: str) -> str:
    """How a process ended that should have said so itself, as a clause without its subject.

    Args:
      code: its exit status, negative for a signal.
      errors: what it wrote to standard error.
    """
    lines = [line.strip() for line in errors.splitlines() if line.strip() and not _LOG_LINE.match(line)]
    last = f": {lines[-1]}" if lines else ""
    if code >= 0:
        return f"ended with exit code {code}{last}"
    memory = "; it may have run out of memory: give smaller inputs" if code == -signal.SIGKILL else ""
    with contextlib.suppress(ValueError):
        return f"was ended by {signal.Signals(-code).name}{memory}{last}"
    return f"was ended by signal {-code}{last}"


def _limit(seconds: int):
    cores = os.cpu_count() or 1

    def apply() -> None:
        for what, limit in (
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_CPU, seconds * max(cores, 1) + 60),
            (resource.RLIMIT_FSIZE, 8 << 30),
        ):
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(what, (limit, limit))

    return apply
