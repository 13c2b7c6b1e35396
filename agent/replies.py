"""What asks and what answers have in common."""

from __future__ import annotations

import dataclasses
from typing import Protocol

from agent.prompt import Failure
from agent.records import OpenRequest, Origin, Usage


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
    """Answers requests: a client of a model service, or a folder of files."""

    def reply(self, request: OpenRequest, failure: Failure | None) -> Replied:
        """A reply to a request.

        Args:
          request: what is asked.
          failure: of the reply before, where there was one.

        Raises:
          NoReply: there is none.
        """
