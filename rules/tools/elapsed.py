"""Time since a command was typed."""

from __future__ import annotations

import os
import pathlib
import time

_STARTED = time.monotonic()


def since_start() -> float:
    """Seconds since this process began.

    `bazel run` puts the program in its own place, so that on Linux its time, and with it the build,
    counts as well. Elsewhere: seconds since this module was imported.
    """
    try:
        fields = pathlib.Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        uptime = float(pathlib.Path("/proc/uptime").read_text().split()[0])
        return uptime - int(fields[19]) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return time.monotonic() - _STARTED
