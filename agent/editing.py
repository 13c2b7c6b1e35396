"""Turns the blocks of an answer into edits of a file, within the region that was asked about."""

from __future__ import annotations

import ast
import dataclasses
import itertools
import os
from collections.abc import Sequence

from agent.errors import EditError
from agent.records import Block
from agent.regions import Region, source_of
from codemods.engine.edits import Edit


@dataclasses.dataclass(frozen=True, order=True)
class Piece:
    """Text that takes the place of some of a file's, by offsets."""

    start: int
    end: int
    text: str


def pieces(text: str, region: Region, blocks: Sequence[Block]) -> list[Piece]:
    """What blocks change, in order.

    Args:
      text: of the file, before any edit.
      region: all that may change.
      blocks: each names text that stands once in the region; they do not overlap.

    Raises:
      EditError: a block does not fit.
    """
    inside = text[region.start : region.end]
    found: list[Piece] = []
    for number, block in enumerate(blocks, 1):
        count = inside.count(block.search)
        if count != 1:
            where = "does not stand in the statement to rewrite" if not count else f"stands {count} times in it"
            raise EditError("applies", f"the search text of block {number} {where}; give text that stands in it once")
        start = region.start + inside.index(block.search)
        found.append(_trimmed(start, block.search, _as_unit(text, region, start, block)))
    found.sort()
    if any(a.end > b.start for a, b in itertools.pairwise(found)):
        raise EditError("applies", "two blocks change the same text")
    return found


def edits(text: str, file: str, changed: Sequence[Piece]) -> list[Edit]:
    """Pieces as edits of a file, by lines and columns."""
    lines = source_of(text).lines
    return [Edit(file, *lines.place(p.start), *lines.place(p.end), p.text) for p in changed]


def _as_unit(text: str, region: Region, start: int, block: Block) -> str:
    """The replacement, in parentheses where an expression for an expression would be torn apart by what is around it."""
    grouped = f"({block.replace.strip()})"
    if not (_parses(f"({block.search.strip()})") and _parses(grouped)):
        return block.replace
    before, after = text[region.definition[0] : start], text[start + len(block.search) : region.definition[1]]
    wanted, plain = _parses(before + grouped + after), _parses(before + block.replace + after)
    return block.replace if wanted is None or (plain is not None and ast.dump(plain) == ast.dump(wanted)) else grouped


def _parses(code: str) -> ast.Module | None:
    try:
        return ast.parse(code)
    except (SyntaxError, ValueError):
        return None


def _trimmed(start: int, search: str, replace: str) -> Piece:
    """The block without the whole lines that stay at its ends: what stays is known by its place."""
    old = search.splitlines(keepends=True)
    new = replace.splitlines(keepends=True)
    head = len(os.path.commonprefix([old, new]))  # type: ignore[type-var]  # takes any sequences
    tail = len(os.path.commonprefix([old[head:][::-1], new[head:][::-1]]))  # type: ignore[type-var]
    before = sum(map(len, old[:head]))
    after = sum(map(len, old[len(old) - tail :])) if tail else 0
    return Piece(start + before, start + len(search) - after, "".join(new[head : len(new) - tail]))
