"""What asks and what answers have in common."""

from __future__ import annotations

import dataclasses
from typing import Protocol

from agent.questions import Question
from agent.records import Origin, Usage


@dataclasses.dataclass(frozen=True)
class Replied:
    """One reply, as it came.

    Attributes:
      raw: its text.
      usage: what it took.
      origin: who gave it.
    """

    raw: str
    usage: Usage
    origin: Origin


class NoReply(Exception):
    """There is no reply now; the text says what is to be done."""


class Answerer(Protocol):
    """Answers questions: a client of a model service, or a folder of files."""

    def reply(self, question: Question) -> Replied:
        """A reply to a question. Raises `NoReply` where there is none."""
