"""Reads and writes recorded answers, one JSON file each."""

from __future__ import annotations

import pathlib
from collections.abc import Iterable, Mapping, Sequence

import pydantic

from agent.errors import AnswerError, EditError
from agent.records import Answer
from agent.reply import parsed
from cli import outputs


def load(path: pathlib.Path, command: str) -> Answer:
    """Reads one answer.

    Args:
      path: the file.
      command: what a user runs to have it made anew.

    Raises:
      AnswerError: it can't be read, does not have the form of an answer, or was edited; the text names the file.
    """
    try:
        text = path.read_text(encoding="utf-8")
        answer = Answer.model_validate_json(text)
    except (OSError, UnicodeDecodeError) as error:
        raise AnswerError(f"can't be read: {error}", str(path)) from None
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the whole"
        raise AnswerError(
            f"is not a recorded answer: {place}: {first['msg']}; delete it and run: {command}", str(path)
        ) from None
    if not answer.is_sealed:
        raise AnswerError(
            f"was edited after it was recorded; to answer by hand, run `{command} --prompts_dir DIR`, "
            f"or delete it and run: {command}", str(path)
        )  # fmt: skip
    try:
        same = parsed(answer.raw).edits == answer.edit
    except EditError:
        same = False
    if not same:
        raise AnswerError(f"holds another edit than its reply; delete it and run: {command}", str(path))
    return answer


def load_all(paths: Iterable[pathlib.Path], command: str) -> dict[pathlib.Path, Answer]:
    """Reads answers; raises `AnswerError` also where two are for the same request."""
    found: dict[pathlib.Path, Answer] = {}
    keys: dict[str, pathlib.Path] = {}
    for path in sorted(paths):
        answer = load(path, command)
        if answer.key in keys:
            raise AnswerError(f"answers the same request as {keys[answer.key]}; delete one of them", str(path))
        keys[answer.key] = path
        found[path] = answer
    return found


def files(folder: pathlib.Path) -> Sequence[pathlib.Path]:
    """The files with answers in a folder."""
    return sorted(folder.glob("*.json"))


def dump(answer: Answer) -> str:
    """The text of an answer's file."""
    return outputs.dump(answer.model_dump(mode="json"))


def write(folder: pathlib.Path, answers: Iterable[Answer]) -> Mapping[pathlib.Path, Answer]:
    """Writes answers, each whole or not at all; returns them by their files."""
    by_file = {folder / answer.file_name: answer for answer in answers}
    outputs.write({path: dump(answer) for path, answer in by_file.items()}, str(folder))
    return by_file
