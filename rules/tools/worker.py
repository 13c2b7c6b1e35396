"""Runs a build action's program as a process, or as one of Bazel's persistent workers.

A worker gets one JSON object a line on standard input for each action, and answers with one on standard output
(https://bazel.build/remote/creating). It is started with `--persistent_worker`; else the program runs one action. In
both cases arguments may stand in a file, `@FILE`, one a line, as Bazel quotes them.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

#: An action's program: its command line in, its exit code out.
Step = Callable[[Sequence[str]], int]


@dataclasses.dataclass(frozen=True)
class Request:
    """What Bazel asks of a worker.

    Attributes:
      id: tells requests apart that run at once; 0 where there is one at a time.
      arguments: of the action.
      cancel: not an action, but the wish that the one with this id be stopped.
    """

    id: int
    arguments: tuple[str, ...]
    cancel: bool

    @classmethod
    def read(cls, line: bytes) -> Request:
        """A request from its line."""
        fields: Mapping[str, Any] = json.loads(line)
        return cls(
            id=fields.get("requestId", 0),
            arguments=tuple(fields.get("arguments", ())),
            cancel=fields.get("cancel", False),
        )

    def response(self, code: int, output: str) -> bytes:
        """The line to answer with."""
        return self._line({"exitCode": code, "output": output})

    def cancelled(self) -> bytes:
        """The line to answer with where it was stopped."""
        return self._line({"wasCancelled": True})

    def _line(self, fields: Mapping[str, Any]) -> bytes:
        return json.dumps({**fields, "requestId": self.id}).encode() + b"\n"


def expanded(arguments: Sequence[str]) -> list[str]:
    """Arguments of a process, those of `@FILE` read from the file."""
    if len(arguments) != 1 or not arguments[0].startswith("@"):
        return list(arguments)
    return _unquoted(pathlib.Path(arguments[0][1:]).read_text(encoding="utf-8"))


def asked(request: Request) -> list[str]:
    """Arguments of a request. Bazel gives the lines of the file in its place, as they are."""
    arguments = request.arguments
    is_file = len(arguments) == 1 and arguments[0].startswith("@")
    return expanded(arguments) if is_file else _unquoted("\n".join(arguments))


def _unquoted(text: str) -> list[str]:
    """Words as a shell would read them, one a line."""
    # Taking quotes apart is slow, and few files have any.
    return shlex.split(text) if "'" in text else text.splitlines()


def run(step: Step, argv: Sequence[str]) -> int:
    """Runs one action, or as a worker any number of them, one after the other in this process.

    Args:
      step: the program. It may leave nothing behind that the next action would see.
      argv: the command line.

    Returns:
      The exit code.
    """
    if "--persistent_worker" not in argv:
        return step(expanded(argv))
    answers = own_answers()
    for line in sys.stdin.buffer:
        request = Request.read(line)
        if request.cancel:
            continue
        code, output = 1, ""
        try:
            code = step(asked(request))
        except Exception as error:
            output = f"{type(error).__name__}: {error}"
        os.write(answers, request.response(code, output))
    return 0


def own_answers() -> int:
    """A descriptor for answers. What anything else writes to standard output goes where errors go."""
    answers = os.dup(1)
    os.dup2(2, 1)
    return answers
