"""The text that is put to a model or a person."""

from __future__ import annotations

import dataclasses
import functools
import pathlib
from collections.abc import Sequence
from typing import Any

import jinja2

from agent.canonical import digest
from agent.excerpt import excerpt
from agent.records import Request

_FOLDER = pathlib.Path(__file__).parent / "prompts"
#: What is shown of a failure: the end of it says most.
_MOST_FAILURE = 2000


@dataclasses.dataclass(frozen=True)
class Failure:
    """An answer that was tried, and what came of it."""

    raw: str
    check: str
    reason: str


@functools.cache
def _template(name: str) -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - the output is plain text, and data is fenced
    )
    return environment.get_template(name)


def text(request: Request, failure: Failure | None = None, pages: Sequence[str] = ()) -> str:
    """The prompt for a request: the same for equal arguments.

    Args:
      request: what is asked.
      failure: of the answer before, if there was one.
      pages: of playbooks, as text.
    """
    subject = request.subject
    definition, line = excerpt(subject)
    values = {
        "function": subject.function,
        "definition": definition,
        "region": subject.region,
        "line": line + 1,
        "causes": list(zip(subject.causes, request.reasons, strict=True)),
        "dependencies": request.dependencies,
        "facts": request.facts,
        "pages": pages,
        "failure": failure.reason[-_MOST_FAILURE:] if failure else "",
        "check": failure.check if failure else "",
        "before": failure.raw if failure else "",
    }
    return _template("edit.md").render(fence=_fence([request.model_dump(mode="json"), _of(failure)]), **values)


def rendered(name: str, failure: Failure | None, **values: Any) -> str:
    """Another prompt: the page of `prompts/`, with values that are JSON, all of which is data."""
    more = {
        "failure": failure.reason[-_MOST_FAILURE:] if failure else "",
        "check": failure.check if failure else "",
        "before": failure.raw if failure else "",
    }
    return _template(name).render(fence=_fence([values, _of(failure)]), **values, **more)


def _of(failure: Failure | None) -> Any:
    return dataclasses.asdict(failure) if failure else None


def _fence(value: Any) -> str:
    """A word that is not in what it goes around, and that nobody who wrote that could know."""
    return "DATA-" + digest(value)[:16]
