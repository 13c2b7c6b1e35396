"""Keeps every reply that was paid for until it is an answer, so that a run that was stopped goes on where it was."""

from __future__ import annotations

import collections
import json
import pathlib
from typing import Any, Protocol

import pydantic

from agent.canonical import digest
from agent.questions import Question
from agent.records import Origin, Record, Usage
from agent.replies import Answerer, Replied
from cli import outputs


class _Kept(Record):
    raw: str
    usage: Usage
    origin: Origin


class Identified(Answerer, Protocol):
    """An answerer that says what its replies depend on beside the prompt."""

    @property
    def identity(self) -> Any: ...


class Journal:
    """An answerer that asks another one, and has what that one said in earlier runs said again, in the same order.

    Attributes:
      reused: how many replies were there already.
    """

    def __init__(self, answerer: Identified, folder: pathlib.Path):
        self.answerer, self.folder = answerer, folder
        self.reused = 0
        self._asked: collections.Counter[str] = collections.Counter()

    def reply(self, question: Question) -> Replied:
        """The reply that an earlier run got here, else a new one, which is kept before it is used."""
        name = digest([question.text, self.answerer.identity])[:32]
        # The same prompt may be put again: where a reply failed in the same way as the one before.
        self._asked[name] += 1
        path = self.folder / question.name / f"{name}-{self._asked[name]}.json"
        try:
            kept = _Kept.model_validate_json(path.read_text(encoding="utf-8"))
            self.reused += 1
            return Replied(kept.raw, kept.usage, kept.origin)
        except (OSError, UnicodeDecodeError, pydantic.ValidationError):
            pass
        replied = self.answerer.reply(question)
        record = _Kept(raw=replied.raw, usage=replied.usage, origin=replied.origin)
        text = json.dumps(record.model_dump(mode="json"), indent=1) + "\n"
        outputs.write({path: text}, str(self.folder))
        return replied

    def forget(self, names: list[str]) -> None:
        """Removes the replies to requests that are answered now."""
        for name in names:
            for path in (self.folder / name).glob("*.json"):
                path.unlink()
            if (self.folder / name).is_dir():
                (self.folder / name).rmdir()
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()
