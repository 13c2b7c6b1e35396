"""Pieces of a source that others have rewritten before it is ported, and where their code stands in the original."""

from __future__ import annotations

import bisect
import dataclasses
import re
from collections.abc import Iterable

from codemods.engine.outcome import Span

_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclasses.dataclass(frozen=True, order=True)
class Edit:
    """One piece of a file with other text in its place; lines count from 1, columns from 0, in characters."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    text: str


class Lines:
    """Places in a text as offsets, and back."""

    def __init__(self, text: str):
        self.starts = [0, *(found.end() for found in _LINE_END.finditer(text))]
        self.length = len(text)

    def offset(self, line: int, column: int) -> int:
        """Where a place is; one beyond the text is its end."""
        start = self.starts[line - 1] if line <= len(self.starts) else self.length
        return min(start + column, self.length)

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset."""
        line = bisect.bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1]


class _File:
    """The edits of one file, applied to its text."""

    def __init__(self, text: str, edits: list[Edit]):
        self.before = Lines(text)
        self.starts: list[int] = []
        self.pieces: list[tuple[int, int, int, int]] = []  # in the new text: from, to; in the old: from, to
        parts, done, length = [], 0, 0
        for edit in sorted(edits):
            start = self.before.offset(edit.line, edit.column)
            end = self.before.offset(edit.end_line, edit.end_column)
            if start < done:
                raise ValueError(f"{edit.file}:{edit.line}: two edits of one place")
            parts += [text[done:start], edit.text]
            length += start - done
            self.pieces.append((length, length + len(edit.text), start, end))
            self.starts.append(length)
            length += len(edit.text)
            done = end
        self.text = "".join([*parts, text[done:]])
        self.after = Lines(self.text)

    def old(self, line: int, column: int, end: bool = False) -> tuple[int, int]:
        """The place in the old text; of what is new, where the piece that it replaces begins, or ends."""
        if line > len(self.after.starts):  # what was added at the end
            return line - len(self.after.starts) + len(self.before.starts), column
        offset = self.after.offset(line, column)
        at = bisect.bisect_right(self.starts, offset) - 1
        if at < 0:
            return self.before.place(offset)
        start, stop, old_start, old_stop = self.pieces[at]
        if offset < stop or (end and start < offset == stop):
            return self.before.place(old_stop if end else old_start)
        return self.before.place(offset - stop + old_stop)


class Edits:
    """Edits of one or several files."""

    def __init__(self, edits: Iterable[Edit] = ()):
        self._of: dict[str, list[Edit]] = {}
        for edit in edits:
            self._of.setdefault(edit.file, []).append(edit)
        self._files: dict[str, _File] = {}

    def __bool__(self) -> bool:
        return bool(self._of)

    def apply(self, file: str, text: str) -> str:
        """The text of a file as edited. Raises `ValueError` where edits overlap."""
        if file not in self._of:
            return text
        self._files[file] = _File(text, self._of[file])
        return self._files[file].text

    def pieces(self, file: str) -> list[tuple[int, int]]:
        """Where the new text stands in a file as edited, as offsets; known after `apply`."""
        found = self._files.get(file)
        return [] if found is None else [(start, stop) for start, stop, _, _ in found.pieces]

    def original(self, span: Span) -> Span:
        """Where something in the text as edited stands in the original; known after `apply`."""
        found = self._files.get(span.file)
        if found is None:
            return span
        line, column = found.old(span.line, span.column)
        end_line, end_column = found.old(span.end_line or span.line, span.end_column, end=True)
        return Span(span.file, line, column, end_line, end_column)
