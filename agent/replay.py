"""Ports a file with recorded answers, without network: what is asked, is looked up."""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

from agent import editing, requests, screening
from agent.errors import AnswerError, EditError
from agent.records import Answer
from agent.regions import Region
from agent.requests import Asked
from codemods import port as porting
from codemods.engine.edits import Edit, Edits
from codemods.port import Port

#: Answers may let the port go on to where it finds more to ask.
_MOST_ROUNDS = 20


@dataclasses.dataclass(frozen=True)
class Applied:
    """An answer in its place."""

    asked: Asked
    answer: Answer
    edits: tuple[Edit, ...]


@dataclasses.dataclass
class Replayed:
    """A port with answers.

    Attributes:
      port: the port.
      applied: the answers that are in it.
      open: what is asked and has no answer.
      failed: answers that can't be applied, with the reason.
      unsettled: answers after which there is still a residual where they are, with its reason.
    """

    port: Port
    applied: list[Applied]
    open: list[Asked]
    failed: list[tuple[Asked, Answer, EditError]]
    unsettled: list[tuple[Answer, EditError]]

    def spans(self) -> list[dict[str, Any]]:
        """What came from answers, as the residuals' file and the certificate have it."""
        return [
            {
                "file": entry.asked.file,
                **entry.asked.place,
                "function": entry.asked.request.subject.function,
                "symbols": sorted({r["symbol"] for r in entry.asked.residuals}),
                "key": entry.answer.key,
                "origin": entry.answer.origin.model_dump(mode="json"),
            }
            for entry in self.applied
        ]


class Unit:
    """One file to port, and those that are ported with it."""

    def __init__(self, path: pathlib.Path, trace: Mapping[str, Any] | None, root: pathlib.Path | None):
        self.path, self.trace, self.root = path, trace, root

    def port(self, edits: Edits) -> Port:
        """The port with edits made to the source. Raises `codemods.port.BadSource`."""
        return porting.port_file(self.path, dict(self.trace) if self.trace is not None else None, self.root, edits)

    def sources(self, port: Port) -> dict[str, str]:
        """The texts of the files that are ported, by the names that residuals use."""
        own = self.path.read_text(encoding="utf-8")
        if port.unit.linked is None:
            return {port.unit.file: own}
        assert self.root is not None
        texts = {f.path: (self.root / f.path).read_text(encoding="utf-8") for f in port.unit.linked.files}
        return {**texts, port.unit.linked.files[-1].path: own}


def replay(unit: Unit, answers: Mapping[str, Answer]) -> Replayed:
    """Ports with the answers to what the port asks.

    Args:
      unit: what to port.
      answers: by their keys.

    Raises:
      codemods.port.BadSource: the file can't be ported at all.
    """
    with _uncollected():
        return _replayed(unit, answers)


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Trees of code are many objects that live as long as the port: looking through them takes a third of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _replayed(unit: Unit, answers: Mapping[str, Answer]) -> Replayed:
    applied: dict[str, Applied] = {}
    failed: dict[str, tuple[Asked, Answer, EditError]] = {}
    for _ in range(_MOST_ROUNDS):
        port = unit.port(Edits(edit for entry in applied.values() for edit in entry.edits))
        sources = unit.sources(port)
        wanted = requests.asked(port, sources)
        new = [a for a in wanted if a.key in answers and a.key not in applied and a.key not in failed]
        for asked in new:
            answer = answers[asked.key]
            try:
                applied[asked.key] = Applied(asked, answer, check(asked, answer, sources[asked.file]))
            except EditError as error:
                failed[asked.key] = (asked, answer, error)
        if not new:
            break
    unsettled = []
    for entry in applied.values():
        left = next((a for a in wanted if a.file == entry.asked.file and _meet(a.region, entry.asked.region)), None)
        if left is not None:
            reason = f"{left.residuals[0]['symbol']}: {left.residuals[0]['reason']}"
            unsettled.append((entry.answer, EditError("port", f"the rules can't port what comes out: {reason}")))
    waiting = [a for a in wanted if a.key not in applied and a.key not in failed]
    return Replayed(port, list(applied.values()), waiting, list(failed.values()), unsettled)


def _meet(a: Region, b: Region) -> bool:
    return a.start < b.end and b.start < a.end


def check(asked: Asked, answer: Answer, text: str) -> tuple[Edit, ...]:
    """The edits of an answer, after all that can be seen without running it. Raises `EditError`."""
    changed = editing.pieces(text, asked.region, answer.edit)
    screening.screen(text, asked.region, changed)
    return tuple(editing.edits(text, asked.file, changed))


def complain(result: Replayed, answers: Mapping[pathlib.Path, Answer], command: str) -> None:
    """Raises `AnswerError` for the first answer that does not serve.

    Args:
      result: of `replay`.
      answers: all that were given, by their files.
      command: what makes them anew.
    """
    files = {answer.key: path for path, answer in answers.items()}
    used = {entry.answer.key for entry in result.applied} | {answer.key for _, answer, _ in result.failed}
    for asked, answer, error in result.failed:
        raise AnswerError(
            f"the answer for {asked.request.subject.function} can't be used: {error.reason}; delete it and run: {command}",
            str(files[answer.key]),
        )
    for path, answer in answers.items():
        if answer.key in used:
            continue
        function = answer.request.subject.function
        changed = any(function == asked.request.subject.function for asked in result.open)
        why = (
            f"the code of {function} is not what it was given for" if changed else f"nothing in {function} asks for it"
        )
        raise AnswerError(f"{why}; delete it and run: {command}", str(path))
