"""What is put to a model or a person: a prompt, and the form of the reply."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from agent import prompt, reply
from agent.records import OpenRequest


@dataclasses.dataclass(frozen=True)
class Question:
    """One prompt.

    Attributes:
      name: for files that belong to it.
      text: the prompt.
      schema: of the reply, as JSON schema.
      failed: the reply before, where there was one and it failed.
    """

    name: str
    text: str
    schema: Mapping[str, Any]
    failed: str | None = None


def edit(request: OpenRequest, failure: prompt.Failure | None, pages: Sequence[str] = ()) -> Question:
    """Asks for an edit of a statement; `pages` are of playbooks."""
    text = prompt.text(request.request, failure, pages)
    return Question(request.name, text, reply.SCHEMA, failure.raw if failure is not None else None)
