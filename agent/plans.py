"""The plan of a unit: what rules port, what is left, and what asking for it would take. Users edit it, and asking obeys."""

from __future__ import annotations

import hashlib
import pathlib
from collections.abc import Mapping
from typing import Literal

import pydantic

from agent.records import Record
from parity.errors import BadInputError


class Definition(Record):
    """A class or function at module level.

    Attributes:
      uses: how many uses of the framework are in it.
      symbols: these, by how often each is used.
      notes: what the report says of differences that remain.
      state: what becomes of it: `ported`, by rules alone; `answered`, by rules and recorded answers; `asks`, as something
        in it has no rule; `waits` for what it uses.
    """

    name: str
    kind: Literal["class", "function"]
    file: str
    line: int
    lines: int
    uses: int
    symbols: Mapping[str, int]
    notes: int
    state: Literal["ported", "answered", "asks", "waits"]


class Component(Record):
    """Definitions that use each other, mostly one alone.

    Attributes:
      number: counts from 1, leaf to root.
      after: numbers of the components that it uses.
      waits_for: those of them that are to be asked about first, at whatever distance.
    """

    number: int
    definitions: tuple[Definition, ...]
    after: tuple[int, ...]
    waits_for: tuple[int, ...]


class File(Record):
    """One file of the unit, and those of the others that it imports."""

    path: str
    digest: str
    imports: tuple[str, ...]
    definitions: int
    ported: int


class Item(Record):
    """One place that is asked about.

    Attributes:
      key: of the request.
      skip: set by the user: leave it as it is.
      component: where it stands; None at module level.
      settles: how it may be settled: by a `rule` for its symbol, which then serves everywhere, or by an `edit` of the
        statement.
      why: for each symbol, why no rule rewrites it and what may be done.
      risks: what may go wrong, one sentence each.
      state: `open`, or `answered` by a recorded answer.
      input_tokens, output_tokens: of one try, estimated; what a model thinks is not in it.
    """

    key: str
    skip: bool = False
    function: str
    file: str
    line: int
    component: int | None
    statement: str
    symbols: tuple[str, ...]
    settles: Literal["rule", "edit"]
    why: tuple[str, ...]
    risks: tuple[str, ...]
    state: Literal["open", "answered"]
    input_tokens: int
    output_tokens: int


class Left(Record):
    """A residual that nobody can be asked about, as it stands in no statement."""

    file: str
    line: int
    symbol: str
    why: str


class Plan(Record):
    """All of it; `items` in the order in which they are asked about."""

    version: Literal[1] = 1
    source: str
    files: tuple[File, ...]
    components: tuple[Component, ...]
    items: tuple[Item, ...]
    left: tuple[Left, ...]

    @property
    def definitions(self) -> list[Definition]:
        return [definition for component in self.components for definition in component.definitions]

    def in_state(self, state: str) -> list[Definition]:
        return [definition for definition in self.definitions if definition.state == state]

    @property
    def asked(self) -> list[Item]:
        """What is asked about: open, and not skipped."""
        return [item for item in self.items if item.state == "open" and not item.skip]

    def tokens(self) -> tuple[int, int]:
        """Input and output tokens, estimated, where each place is settled at the first try."""
        return sum(i.input_tokens for i in self.asked), sum(i.output_tokens for i in self.asked)


def read(path: pathlib.Path) -> Plan:
    """Reads a plan, maybe edited. Raises `BadInputError` with the place where it does not fit."""
    try:
        return Plan.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"can't be read: {error}", str(path)) from None
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the whole"
        raise BadInputError(f"is no plan: {place}: {first['msg']}", str(path)) from None


def dump(plan: Plan) -> str:
    """The text of a plan's file."""
    return plan.model_dump_json(indent=1) + "\n"


def edited(new: Plan, old: Plan) -> Plan:
    """The new plan with what a user changed in an older one: what is skipped, and the order where that is another."""
    skipped = {item.key for item in old.items if item.skip}
    items = [item.model_copy(update={"skip": item.key in skipped}) for item in new.items]
    places = {item.key: place for place, item in enumerate(old.items)}
    known = [places[item.key] for item in items if item.key in places]
    if known != sorted(known):
        items.sort(key=lambda item: places.get(item.key, len(places)))
    return new.model_copy(update={"items": tuple(items)})


def check_fits(plan: Plan, digests: Mapping[str, str], shown: str, command: str) -> None:
    """Raises `BadInputError` where a plan was made for other text.

    Args:
      plan: the plan.
      digests: of the files as they are, by their paths.
      shown: the plan's file, for messages.
      command: what makes it anew.
    """
    changed = [file.path for file in plan.files if digests.get(file.path, file.digest) != file.digest]
    if changed:
        raise BadInputError(
            f"was made for another text of {', '.join(changed)}; run `{command}`, which keeps what you changed in it",
            shown,
        )


def digest(text: str) -> str:
    """Of a file's text, to tell whether it has changed."""
    return hashlib.sha256(text.encode()).hexdigest()
