"""Writes the facts of one file: `facts_step FILE PATH OUT`, as a process or as a persistent worker.

A worker speaks Bazel's JSON protocol: one request per line on stdin, one response per line on stdout.
https://bazel.build/remote/creating
"""

from __future__ import annotations

import json
import pathlib
import sys
from collections.abc import Sequence
from typing import Any

from auditing.facts import facts_of


def step(arguments: Sequence[str]) -> None:
    """Reads `FILE`, writes its facts to `OUT`; `PATH` is the file's name in them."""
    file, path, out = arguments
    pathlib.Path(out).write_text(facts_of(path, pathlib.Path(file).read_bytes()).to_json(), encoding="utf-8")


def respond(request: dict[str, Any]) -> dict[str, Any]:
    """One unit of work; an error is the response's, so that the worker lives on."""
    try:
        step(expanded(request["arguments"]))
    except Exception as error:
        return {"exitCode": 1, "output": f"{type(error).__name__}: {error}", "requestId": request.get("requestId", 0)}
    return {"exitCode": 0, "output": "", "requestId": request.get("requestId", 0)}


def expanded(arguments: Sequence[str]) -> list[str]:
    """Arguments, those of `@FILE` read from the file."""
    if len(arguments) == 1 and arguments[0].startswith("@"):
        return pathlib.Path(arguments[0][1:]).read_text(encoding="utf-8").splitlines()
    return list(arguments)


def main(argv: Sequence[str]) -> int:
    """Runs one step, or serves until stdin ends."""
    if "--persistent_worker" not in argv:
        step(expanded(argv))
        return 0
    for line in sys.stdin:
        print(json.dumps(respond(json.loads(line))), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
