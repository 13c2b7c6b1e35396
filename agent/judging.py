"""Audits a finished port, blind to how it was made: completeness first, then a checklist with evidence by line."""

from __future__ import annotations

import json
import pathlib
from typing import Any, Literal

import pydantic

from agent import prompt
from agent.canonical import digest
from agent.completeness import Audit
from agent.errors import EditError
from agent.questions import Question
from agent.records import Origin, Record, Usage
from agent.replies import Answerer

#: Framework-neutral: what a reader of both files would go through.
CHECKS = {
    "branches": "every branch, loop and early return of the original is in the port, under the same condition",
    "layers": "every layer and operation is there, in the same order, on the same inputs, with the same settings",
    "defaults": "every argument and default value is the same, those of the frameworks' own functions included",
    "losses": "losses, their weights and reductions, and metrics are the same, and updated at the same times",
    "regularizers": "weight penalties, constraints, dropout and noise are there, and on in training alone where they were",
    "masks": "masks and padding reach everything that they reached, and empty or fully masked inputs do the same",
    "state": "running statistics, counters, seeds and other state are kept, updated and reset as before",
    "errors": "every error path is there: what raised raises, for the same inputs, with the same message",
    "training": "optimizer, schedule, clipping and the order of a training step are the same",
    "style": "the port reads as an author of Flax would have written it; names, comments and docstrings of the original stay",
    "dependencies": "the port imports what it needs and nothing else, and nothing of TensorFlow",
}
Verdict = Literal["holds", "fails", "does not apply"]

_LINES = {"type": "array", "items": {"type": "integer"}}
SCHEMA = {
    "type": "object",
    "properties": {
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "check": {"type": "string", "enum": list(CHECKS)},
                    "verdict": {"type": "string", "enum": ["holds", "fails", "does not apply"]},
                    "original_lines": _LINES,
                    "port_lines": _LINES,
                    "why": {"type": "string"},
                },
                "required": ["check", "verdict", "original_lines", "port_lines", "why"],
            },
        }
    },
    "required": ["items"],
}


class Item(Record):
    """One line of the checklist; `original_lines` and `port_lines` are the evidence."""

    check: str
    verdict: Verdict
    original_lines: tuple[int, ...]
    port_lines: tuple[int, ...]
    why: str


class _Reply(Record):
    items: tuple[Item, ...]


class Judgement(Record):
    """What a judge said; `of` is the digest of both texts."""

    version: Literal[1] = 1
    of: str
    origin: Origin
    usage: Usage
    items: tuple[Item, ...]

    @property
    def failed(self) -> list[Item]:
        return [item for item in self.items if item.verdict == "fails"]


def judge(original: str, port: str, found: Audit, answerer: Answerer, tries: int) -> Judgement:
    """Has a port judged.

    Args:
      original, port: the two texts, which with `found` are all that the judge is shown.
      found: what completeness says.
      answerer: the judge.
      tries: how often it is asked, where its replies are not of the form.

    Raises:
      NoReply: there is none.
      EditError: no reply is of the form asked for.
    """
    failure: prompt.Failure | None = None
    for _ in range(tries):
        replied = answerer.reply(question(original, port, found, failure))
        try:
            items = parsed(replied.raw, original, port)
        except EditError as error:
            failure = prompt.Failure(replied.raw, error.check, error.reason)
            continue
        return Judgement(of=digest([original, port]), origin=replied.origin, usage=replied.usage, items=items)
    assert failure is not None
    raise EditError(failure.check, f"{tries} replies, the last: {failure.reason}")


def question(original: str, port: str, found: Audit, failure: prompt.Failure | None) -> Question:
    """The prompt; the code in it has its lines numbered."""
    text = prompt.rendered(
        "judge.md", failure, original=_numbered(original), port=_numbered(port), checks=CHECKS,
        findings=[str(finding) for finding in found.findings],
    )  # fmt: skip
    return Question(f"judge-{digest([original, port])[:12]}", text, SCHEMA, failure.raw if failure else None)


def parsed(raw: str, original: str, port: str) -> tuple[Item, ...]:
    """The checklist in a reply. Raises `EditError` where it is incomplete, or gives no evidence, or such as there is not."""
    try:
        items = _Reply.model_validate_json(raw.strip()).items
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        raise EditError(
            "form", f"the reply is not the JSON asked for: {'.'.join(map(str, first['loc']))}: {first['msg']}"
        ) from None
    names = [item.check for item in items]
    if sorted(names) != sorted(CHECKS):
        wrong = sorted(set(CHECKS) ^ set(names)) or sorted(name for name in names if names.count(name) > 1)
        raise EditError("form", f"each check is to be there once; look at {wrong[0]}")
    counts = (len(original.splitlines()), len(port.splitlines()))
    for item in items:
        for lines, most, which in ((item.original_lines, counts[0], "original"), (item.port_lines, counts[1], "port")):
            if any(not 1 <= line <= most for line in lines):
                raise EditError("evidence", f"{item.check}: the {which} has lines 1 to {most}")
        if item.verdict != "does not apply" and not (item.original_lines or item.port_lines):
            raise EditError("evidence", f"{item.check}: name the lines that show it")
        if item.verdict != "holds" and not item.why.strip():
            raise EditError("evidence", f"{item.check}: say why")
    return items


def _numbered(text: str) -> str:
    return "\n".join(f"{number:>4}  {line}" for number, line in enumerate(text.splitlines(), 1))


def calibration() -> dict[str, Any]:
    """How well completeness told seeded defects when it was last measured; `tests/benchmarks/judging.py` writes it."""
    return json.loads((pathlib.Path(__file__).parent / "calibration.json").read_text(encoding="utf-8"))
