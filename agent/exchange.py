"""Asks without a service: prompts are written as files, and replies are read from files beside them."""

from __future__ import annotations

import pathlib

from agent import prompt
from agent.records import OpenRequest, Origin, Usage
from agent.replies import NoReply, Replied
from cli import outputs


class Exchange:
    """A folder of prompts and replies; anyone may answer.

    `NAME.prompt.md` is the prompt, `NAME.reply.json` what whoever answers writes. Where a reply fails a check, the next
    prompt says so, and `NAME.reply.json` is to be written anew.
    """

    def __init__(self, folder: pathlib.Path, by: str):
        """`by`: what those who write replies are called."""
        self.folder = folder
        self.origin = Origin(kind="file", name=by)
        self.waiting: list[pathlib.Path] = []

    def reply(self, request: OpenRequest, failure: prompt.Failure | None) -> Replied:
        """The reply that was left for a request.

        Raises:
          NoReply: there is none yet, or it is the one that failed; the prompt was written.
        """
        place = self.folder / f"{request.name}.reply.json"
        try:
            raw = place.read_text(encoding="utf-8")
        except FileNotFoundError:
            raw = ""
        except (OSError, UnicodeDecodeError) as error:
            raise NoReply(f"{place}: can't be read: {error}") from None
        if not raw.strip() or (failure is not None and raw == failure.raw):
            text = prompt.text(request.request, failure)
            outputs.write({self.folder / f"{request.name}.prompt.md": text}, str(self.folder))
            self.waiting.append(place)
            again = "again, since the last one failed" if failure else ""
            raise NoReply(
                f"write the reply to {place.with_suffix('').with_suffix('')}.prompt.md as {place} {again}".rstrip()
            )
        return Replied(raw, Usage(calls=0), self.origin)
