"""Asks without a service: prompts are written as files, and replies are read from files beside them."""

from __future__ import annotations

import pathlib

from agent.questions import Question
from agent.records import Origin, Usage
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

    def reply(self, question: Question) -> Replied:
        """The reply that was left for a question.

        Raises:
          NoReply: there is none yet, or it is the one that failed; the prompt was written.
        """
        place = self.folder / f"{question.name}.reply.json"
        try:
            raw = place.read_text(encoding="utf-8")
        except FileNotFoundError:
            raw = ""
        except (OSError, UnicodeDecodeError) as error:
            raise NoReply(f"{place}: can't be read: {error}") from None
        if not raw.strip() or raw == question.failed:
            outputs.write({self.folder / f"{question.name}.prompt.md": question.text}, str(self.folder))
            self.waiting.append(place)
            again = "again, since the last one failed" if question.failed is not None else ""
            raise NoReply(
                f"write the reply to {place.with_suffix('').with_suffix('')}.prompt.md as {place} {again}".rstrip()
            )
        return Replied(raw, Usage(calls=0), self.origin)
