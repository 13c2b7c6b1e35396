"""Runs a user's Bowler query or fixer on one file (https://pybowler.io/docs/api-query)."""

from __future__ import annotations

import contextlib
import logging
import pathlib
import tempfile
from collections.abc import Callable, Iterator

from bowler import BowlerTool, Query
from fissix.fixer_base import BaseFix

from codemods.user.errors import CodemodError

#: Runs on the file with a path.
Run = Callable[[str], None]


def rewrite(query: Callable[..., Query], path: str) -> Callable[[str, str], str]:
    """What the query makes of a file's code.

    Args:
      query: takes paths, gives a `bowler.Query` that was not executed.
      path: where it is defined.
    """

    def run(file: str) -> None:
        made = query(file)
        if not isinstance(made, Query):
            raise CodemodError(f"query() gives {type(made).__name__}, not a bowler.Query", path)
        made.execute(write=True, silent=True, interactive=False)

    return _on_text(run, path)


def fixer_rewrite(fixer: type[BaseFix], path: str) -> Callable[[str, str], str]:
    """What the fixer makes of a file's code."""

    def run(file: str) -> None:
        BowlerTool([fixer], write=True, silent=True, interactive=False, options={"print_function": True}).run([file])

    return _on_text(run, path)


def _on_text(run: Run, path: str) -> Callable[[str, str], str]:
    def apply(code: str, name: str) -> str:
        with tempfile.TemporaryDirectory(prefix="codemod-") as folder:
            file = pathlib.Path(folder) / pathlib.PurePosixPath(name).name
            file.write_text(code, encoding="utf-8")
            with _errors() as errors:
                try:
                    run(str(file))
                except CodemodError:
                    raise
                except Exception as error:
                    errors.append(f"{type(error).__name__}: {error}")
            if errors:
                text = " ".join(errors[0].replace(str(file), name).split())
                raise CodemodError(f"Bowler failed on {name}: {text}", path)
            return file.read_text(encoding="utf-8")

    return apply


@contextlib.contextmanager
def _errors() -> Iterator[list[str]]:
    """What is logged as an error: Bowler logs what it can't parse or rewrite, leaves the file, and goes on."""
    found: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(record.getMessage())

    handler = Handler(level=logging.ERROR)
    logging.getLogger().addHandler(handler)
    try:
        yield found
    finally:
        logging.getLogger().removeHandler(handler)
