"""Limits for the process that runs code we know nothing of."""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import os
import pathlib
import re
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence

from parity import copies

_NEW_NETWORK = 0x40000000
_NEW_USER = 0x10000000
_SET_DEATH_SIGNAL, _GET_DEATH_SIGNAL = 1, 2
# What TensorFlow's C++ parts log, such as `I0000 00:00:1795267740.497323   27875 cudart_stub.cc:31] ...`.
_LOG_LINE = re.compile(r"[IW]\d{4} [\d:.]+ |\d{4}-\d\d-\d\d [\d:.]+: [IW] |WARNING: All log messages before absl")
#: Characters of what a process wrote.
_KEPT = 4000


#: Main functions of modules that were imported beforehand, by name, and the environment that they were imported in.
_prepared: dict[str, tuple[Callable[[list[str]], object], Mapping[str, str]]] = {}


def leave_network() -> bool:
    """Moves this process where there is no network; False where the system doesn't allow it.

    Call it before any thread is started.
    """
    try:
        library = ctypes.CDLL(None, use_errno=True)
        if library.unshare(_NEW_NETWORK) == 0:
            return True
        user, group = os.geteuid(), os.getegid()
        death_signal = ctypes.c_int()
        library.prctl(_GET_DEATH_SIGNAL, ctypes.byref(death_signal), 0, 0, 0)
        if library.unshare(_NEW_USER | _NEW_NETWORK) != 0:
            return False
        # The kernel forgets it when it gives other rights.
        library.prctl(_SET_DEATH_SIGNAL, death_signal.value, 0, 0, 0)
    except (OSError, AttributeError):
        return False
    # Without these lines it would be `nobody`, though with the rights to files that it had.
    with contextlib.suppress(OSError):
        pathlib.Path("/proc/self/setgroups").write_text("deny")
        pathlib.Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        pathlib.Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    return True


def prepare(module: str, environment: Mapping[str, str]) -> None:
    """Imports one of our modules now, so that `run_limited` runs it in a copy of this process.

    That saves the time that it takes to import what it needs. Only for this process, for runs with this environment,
    which becomes that of this process, and as long as it has no threads but its own.

    Args:
      module: dotted name; the module has a function `main`, which gets the command line.
      environment: as for `run_limited`.
    """
    variables = _variables(environment)
    os.environ.update(variables)
    _prepared[module] = importlib.import_module(module).main, variables


def run_limited(module: str, arguments: list[str], environment: Mapping[str, str], timeout: float) -> tuple[int, str]:
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
    variables = _variables(environment)
    main, made_in = _prepared.get(module, (None, {}))
    if main is not None and made_in == variables and copies.threads() == 1:
        return _run_copy(main, [module, *arguments], timeout)
    paths = [os.path.dirname(os.path.dirname(os.path.abspath(__file__))), *sys.path]
    variables = {
        **os.environ,
        **variables,
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(path for path in paths if path)),
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
    return done.returncode, done.stderr[-_KEPT:]


def _variables(environment: Mapping[str, str]) -> dict[str, str]:
    return {
        "PYTHONHASHSEED": "0",
        "PYTHONNODEBUGRANGES": "",
        "PYTHONSAFEPATH": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_ENABLE_ONEDNN_OPTS": "0",
        "CUDA_VISIBLE_DEVICES": "",
        "KERAS_BACKEND": "tensorflow",
        "OPENBLAS_NUM_THREADS": "1",
        **environment,
    }


def _run_copy(main: Callable[[list[str]], object], argv: Sequence[str], timeout: float) -> tuple[int, str]:
    def run() -> int:
        _limit(int(timeout))()
        main(list(argv))
        return 0

    with tempfile.TemporaryFile() as output:
        code = copies.result(run, output.fileno(), timeout)
        output.seek(0)
        return code, output.read().decode(errors="replace")[-_KEPT:]


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
