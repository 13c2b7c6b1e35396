"""Playbook pages: advice in Markdown, each with pairs of code before and after that are run in both frameworks."""

from __future__ import annotations

import dataclasses
import fnmatch
import functools
import hashlib
import pathlib
import re
from collections.abc import Iterable, Sequence
from typing import Literal, get_args

from parity.errors import BadInputError

Level = Literal["general", "style", "task", "client"]
#: What speaks about the case at hand comes first where not all fits.
_FIRST = ("client", "task", "style", "general")
OWN = pathlib.Path(__file__).parent / "playbook"

_FIELD = re.compile(r"^(level|matches|reviewed|inputs): *(.*)$")
_BLOCK = re.compile(r"^```python (before|after)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MOST_CHARACTERS = 5000


@dataclasses.dataclass(frozen=True)
class Page:
    """One page.

    Attributes:
      file: where it is from, for messages.
      title: its first line.
      level: `general` rules of porting, `style`, a `task`, or a `client`'s own habits.
      matches: patterns of symbols that it speaks about.
      reviewed: who has reviewed it; a client's page is not used before.
      inputs: one line of arguments for each case that its pair is run on: specs as `float32[4,3]`, and literals.
      before, after: the pair: TensorFlow, and JAX. Each defines one function `f`.
      text: the page as it goes into a prompt.
    """

    file: str
    title: str
    level: Level
    matches: tuple[str, ...]
    reviewed: str
    inputs: tuple[str, ...]
    before: str
    after: str
    text: str

    @property
    def digest(self) -> str:
        """Of all that a check of its pair depends on."""
        return hashlib.sha256("\0".join([self.before, self.after, *self.inputs]).encode()).hexdigest()

    def speaks_about(self, symbols: Iterable[str]) -> bool:
        return any(fnmatch.fnmatchcase(symbol, pattern) for symbol in symbols for pattern in self.matches)


def read(path: pathlib.Path) -> Page:
    """Reads a page. Raises `BadInputError` where it has not the form of one."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"can't be read: {error}", str(path)) from None
    lines = text.splitlines()
    if not lines or not lines[0].startswith("# "):
        raise BadInputError("is no page: it begins with a title, `# ...`", str(path))
    fields: dict[str, list[str]] = {"level": [], "matches": [], "reviewed": [], "inputs": []}
    shown = []
    for line in lines[1:]:
        if found := _FIELD.match(line):
            fields[found[1]].append(found[2].strip())
        else:
            shown.append(line)
    blocks: dict[str, list[str]] = {"before": [], "after": []}
    for kind, code in _BLOCK.findall(text):
        blocks[kind].append(code)
    level = "".join(fields["level"])
    if level not in get_args(Level):
        raise BadInputError(f"is no page: `level:` is one of {', '.join(get_args(Level))}", str(path))
    for kind, found_blocks in blocks.items():
        if len(found_blocks) != 1:
            raise BadInputError(
                f"is no page: it has one block ```python {kind}, here are {len(found_blocks)}", str(path)
            )
    if not fields["inputs"]:
        raise BadInputError("is no page: `inputs:` says what its pair is run on, as `float32[4,3]`", str(path))
    matches = tuple(p.strip() for line in fields["matches"] for p in line.split(",") if p.strip())
    return Page(
        file=str(path),
        title=lines[0][2:].strip(),
        level=level,  # type: ignore[arg-type]
        matches=matches or ("*",),
        reviewed=" ".join(fields["reviewed"]),
        inputs=tuple(fields["inputs"]),
        before=blocks["before"][0],
        after=blocks["after"][0],
        text="\n".join([lines[0], *shown]).strip() + "\n",
    )


def folder(path: pathlib.Path) -> list[Page]:
    """The pages in a folder and those below it, by name. Raises `BadInputError`."""
    return [read(file) for file in sorted(path.rglob("*.md"))]


@functools.cache
def own() -> tuple[Page, ...]:
    """jaxport's own pages; a test runs their pairs."""
    return tuple(folder(OWN))


def usable(pages: Iterable[Page]) -> list[Page]:
    """Those that may be used: of a client's, those that somebody has reviewed."""
    return [page for page in pages if page.level != "client" or page.reviewed]


def for_prompt(pages: Sequence[Page], symbols: Iterable[str]) -> list[str]:
    """Pages on some symbols as text, as many as fit; those that say most about the case come first."""
    about = list(symbols)
    matching = [page for page in pages if page.speaks_about(about)]
    matching.sort(key=lambda page: (_FIRST.index(page.level), page.matches == ("*",), page.file))
    found, length = [], 0
    for page in matching:
        if length + len(page.text) <= _MOST_CHARACTERS:
            found.append(page.text)
            length += len(page.text)
    return found
