"""Reads the text of a reply."""

from __future__ import annotations

import json
import re

import pydantic

from agent.errors import EditError
from agent.records import Reply

_FENCE = re.compile(r"```(?:json)?\s*\n(.*?)\n?```", re.DOTALL)

#: The form of a reply, as JSON schema: `Reply` in the part of the standard that every model service takes.
SCHEMA = {
    "type": "object",
    "properties": {
        "edits": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"search": {"type": "string"}, "replace": {"type": "string"}},
                "required": ["search", "replace"],
            },
        },
        "refusal": {"type": "string"},
    },
    "required": ["edits"],
}


def parsed(raw: str) -> Reply:
    """The reply in a text: JSON alone, or in one fenced block among other text.

    Raises:
      EditError: there is none.
    """
    text = raw.strip()
    if not text:
        raise EditError("form", "the reply is empty")
    fenced = _FENCE.findall(text)
    if not text.startswith("{") and len(fenced) == 1:
        text = fenced[0]
    try:
        reply = Reply.model_validate_json(text)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise EditError(
            "form", f"the reply is not the JSON asked for: {place + ': ' if place else ''}{first['msg']}"
        ) from None
    if not reply.edits:
        raise EditError("form", f"the reply has no edits{': ' + reply.refusal if reply.refusal else ''}")
    return reply


def written(reply: Reply) -> str:
    """The text of a reply."""
    return json.dumps(reply.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"
