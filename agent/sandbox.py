"""Runs steps on code that a model proposed, which may do anything.

What it guarantees, on Linux: the step ends after its time, with all that it started in its own session; it gets none of
the caller's environment but what is listed here, so no keys; memory and the size of files are limited. Where the
system has network namespaces that this user may make, there is no network; where it has Landlock, nothing can be
written outside the step's own folder. `Confined.tied` says which of the two held. It does not keep a step from
reading files that the user can read; screening refuses code that opens any.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence

#: What a step may see of the environment. Nothing that holds a key, and no way to a proxy or a configuration.
_PASSED = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SYSTEMROOT", "RUNFILES_DIR", "JAXPORT_SLOW")
_SET = {
    "JAX_PLATFORMS": "cpu",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONSAFEPATH": "1",
    "PYTHONUTF8": "1",
    # A thread for each core would count the processor time several times over.
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}
_MEMORY = 6 << 30
_FILE_SIZE = 512 << 20
#: Of standard output and error, which must not fill the disk either.
_MOST_OUTPUT = 1 << 20


@dataclasses.dataclass(frozen=True)
class Confined:
    """How a step ended.

    Attributes:
      code: its exit code, negative for a signal; None where it ran out of time.
      errors: the end of what it wrote to standard error.
      tied: whether it had no network, and could write nowhere else.
    """

    code: int | None
    errors: str
    tied: Mapping[str, bool]

    @property
    def sentence(self) -> str:
        """The last line that says something."""
        lines = [line.strip() for line in self.errors.splitlines() if line.strip()]
        return lines[-1] if lines else "it said nothing"


def run(
    module: str, arguments: Sequence[str], folder: pathlib.Path, timeout: float, also: Sequence[pathlib.Path] = ()
) -> Confined:
    """Runs `python -m module arguments` with its hands tied.

    Args:
      module, arguments: the step.
      folder: the one place that it may write to.
      timeout: seconds, by the clock and of the processor.
      also: folders to import from, after those of this process.
    """
    own = pathlib.Path(tempfile.mkdtemp(prefix="confined-", dir=folder))
    settings = {
        "seconds": int(timeout) + 5,
        "memory": _MEMORY,
        "file_size": _FILE_SIZE,
        "folders": [str(folder)],
        "tied": str(own / "tied.json"),
    }
    (own / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
    search_path = [path or os.getcwd() for path in sys.path] + [str(path) for path in also]
    environment = {name: os.environ[name] for name in _PASSED if name in os.environ} | _SET
    environment |= {"PYTHONPATH": os.pathsep.join(search_path), "HOME": str(own), "TMPDIR": str(own)}
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "agent.confined", str(own / "settings.json"), module, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env=environment,
            cwd=own,
            start_new_session=True,
        )
        code: int | None = None
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = process.wait(timeout)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        size = errors.seek(0, os.SEEK_END)
        errors.seek(max(0, size - _MOST_OUTPUT))
        said = errors.read().decode("utf-8", errors="replace")
    try:
        tied = json.loads((own / "tied.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        tied = {"network": False, "files": False}
    return Confined(code, said, tied)
