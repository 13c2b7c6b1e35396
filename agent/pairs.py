"""Runs the pairs of playbook pages that are not jaxport's own, in the sandbox."""

from __future__ import annotations

import json
import pathlib
import shutil
import tempfile
from collections.abc import Callable, Sequence

from agent import pages, sandbox
from agent.pages import Page
from parity.errors import BadInputError

_RUNNER = "parity.rule_oracle.pairs"


def problems(files: Sequence[pathlib.Path], folder: pathlib.Path, timeout: float) -> dict[pathlib.Path, str | None]:
    """What is wrong with the pairs of some pages, by their files; None where nothing is.

    Args:
      files: the pages.
      folder: to work in.
      timeout: seconds for all of them.

    Raises:
      BadInputError: they could not be run.
    """
    place = pathlib.Path(tempfile.mkdtemp(prefix="pairs-", dir=folder))
    copies = {place / f"{number}.md": file for number, file in enumerate(files)}
    for copy, file in copies.items():
        shutil.copyfile(file, copy)
    done = sandbox.run(_RUNNER, [*(f"--page={copy}" for copy in copies), f"--out={place}/pairs.json"], place, timeout)
    if done.code != 0:
        why = f"did not end within {timeout:g} s" if done.code is None or done.code < 0 else done.sentence
        raise BadInputError(f"running the pairs of {len(files)} pages: {why}")
    found = json.loads((place / "pairs.json").read_text(encoding="utf-8"))
    return {file: found[str(copy)] for copy, file in copies.items()}


def client_pages(where: pathlib.Path, folder: pathlib.Path, timeout: float, say: Callable[[str], None]) -> list[Page]:
    """The pages of a client that may be used: reviewed, and with a pair that holds. Says which are not, and why."""
    found = []
    for page in pages.folder(where):
        if page.level == "client" and not page.reviewed:
            say(f"{page.file}: is not used: nobody has reviewed it")
        else:
            found.append(page)
    wrong = problems([pathlib.Path(page.file) for page in found], folder, timeout) if found else {}
    for file, problem in wrong.items():
        if problem is not None:
            say(f"{file}: is not used: its pair fails: {problem}")
    return [page for page in found if wrong[pathlib.Path(page.file)] is None]
