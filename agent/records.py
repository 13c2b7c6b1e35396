"""The records that are kept: requests, replies and answers, with their types."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from agent.canonical import digest

_KEY = r"^[0-9a-f]{64}$"


class Record(BaseModel):
    """A value with exactly these fields, of exactly these types."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Cause(Record):
    """One residual within a region.

    Attributes:
      symbol: canonical name of the API, or of the construct.
      text: the code at its place.
      line, column: its place, counted from the region's definition: line 0 is the first.
    """

    symbol: str
    text: str
    line: int
    column: int


class Subject(Record):
    """What an answer is for. Equal subjects have equal answers: where a file has changed elsewhere, answers hold.

    Attributes:
      function: the definition, as `Gate.call`, or `<module>`.
      definition: source of the definition at module level, or of the statement.
      region: the statement to rewrite.
      line: its first line in the definition, from 0.
      column: where it begins in that line.
      causes: what stopped the rules there.
    """

    function: str
    definition: str
    region: str
    line: int
    column: int
    causes: tuple[Cause, ...]

    @property
    def key(self) -> str:
        """The digest that names it."""
        return digest({"version": 1, **self.model_dump(mode="json")})


class Request(Record):
    """What is asked: the subject, and what helps to answer.

    Attributes:
      reasons: of each cause, why no rule rewrites it and what may be done.
      dependencies: signatures of ported definitions that the code uses.
      facts: what a run of the original showed, one sentence each.
    """

    subject: Subject
    reasons: tuple[str, ...]
    dependencies: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()


class OpenRequest(Record):
    """A request that has no answer, and where it stands.

    Attributes:
      file, line: of the first residual.
      after: definitions with requests of their own that this one's code reads; to be asked about first.
      settles: whether rules for its symbols may settle it, or an edit of the statement alone.
    """

    request: Request
    file: str
    line: int
    after: tuple[str, ...] = ()
    settles: Literal["rule", "edit"] = "edit"

    @property
    def key(self) -> str:
        return self.request.subject.key

    @property
    def name(self) -> str:
        """A name for files that belong to it."""
        return file_stem(self.request.subject.function, self.key)


class Problem(Record):
    """What an answer fails: a check, and the reason."""

    key: str
    check: str
    reason: str


class State(Record):
    """How far a port with answers has come.

    Attributes:
      open: what is asked and has no answer.
      problems: of answers that there are.
    """

    open: tuple[OpenRequest, ...]
    problems: tuple[Problem, ...]


class Block(Record):
    """Text of the region, and what takes its place."""

    search: Annotated[str, Field(min_length=1)]
    replace: str


class Reply(Record):
    """What a reply is to hold, as JSON.

    Attributes:
      edits: the rewrite.
      refusal: why there is none, where there is none.
    """

    edits: tuple[Block, ...] = ()
    refusal: str = ""


class Usage(Record):
    """What an answer took; `cost` in US dollars, as a decimal number."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: Annotated[str, Field(pattern=r"^\d+(\.\d+)?$")] = "0"


class Verdict(Record):
    """What one check said of the answer when it was given."""

    check: str
    passed: bool
    detail: str = ""


class Origin(Record):
    """Who answered.

    Attributes:
      kind: `model`, by the client; `file`, where a reply was read from a file, whoever wrote it.
      name: the model, or who wrote the file as they called themselves.
    """

    kind: Literal["model", "file"]
    name: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}"


class Answer(Record):
    """A recorded answer.

    Attributes:
      key: of the request's subject.
      raw: the reply as it came.
      edit: the blocks in it.
      seal: digest of all the rest, so that a change by hand shows.
    """

    version: Literal[1] = 1
    key: Annotated[str, Field(pattern=_KEY)]
    request: Request
    origin: Origin
    raw: str
    edit: tuple[Block, ...]
    usage: Usage
    verdicts: tuple[Verdict, ...]
    seal: str = ""

    def sealed(self) -> Answer:
        """The same with its seal."""
        return self.model_copy(update={"seal": self._digest()})

    @property
    def is_sealed(self) -> bool:
        """Is it as it was recorded?"""
        return self.seal == self._digest() and self.key == self.request.subject.key

    def _digest(self) -> str:
        return digest(self.model_dump(mode="json", exclude={"seal"}))

    @property
    def file_name(self) -> str:
        """The name of the file that keeps it."""
        return f"{file_stem(self.request.subject.function, self.key)}.json"


def file_stem(function: str, key: str) -> str:
    """A file's name for what belongs to a request."""
    readable = "".join(c for c in function if c.isalnum() or c in "._").lstrip(".")
    return f"{readable or 'module'}-{key[:12]}"
