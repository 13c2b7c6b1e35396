"""Runs one module with its hands tied: `python -m agent.confined SETTINGS.json MODULE ARGUMENTS...`.

Started by `agent.sandbox`. What it could tie is written to the file that the settings name, before the module runs.
"""

from __future__ import annotations

import contextlib
import json
import pathlib
import resource
import runpy
import sys

from parity.isolation import leave_network
from parity.landlock import write_only_to


def limit(seconds: int, memory: int, file_size: int) -> None:
    """Limits to processor time, memory and the size of files, in bytes."""
    for what, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_DATA, memory),
        (resource.RLIMIT_FSIZE, file_size),
    ):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(what, (most, most))


def main(argv: list[str]) -> None:
    """Ties, says so, and runs the module."""
    settings = json.loads(pathlib.Path(argv[1]).read_text(encoding="utf-8"))
    limit(settings["seconds"], settings["memory"], settings["file_size"])
    tied = {"network": leave_network(), "files": write_only_to(settings["folders"])}
    pathlib.Path(settings["tied"]).write_text(json.dumps(tied), encoding="utf-8")
    sys.argv = argv[2:]
    runpy.run_module(argv[2], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv)
