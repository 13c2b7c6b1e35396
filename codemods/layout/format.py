"""Line breaks as Black sets them, at a fraction of its time.

Most lines of a port are as Black would have them: it is asked about the others. Statements that it would not change are
taken out of the source, a run of them for one placeholder, and put back into what it gives. `tests/layout` compares the
result with Black's own.
"""

from __future__ import annotations

import dataclasses
import re

import black

from codemods.layout.lines import settled

#: What would make Black see more than lines, or lines other than they are here.
_WHOLE = re.compile(r"[\t\r\f\v]|\\\n|fmt:|yapf:|coding[:=]|__run_|^[ ]+$", re.MULTILINE)
_COMMENT = re.compile(r"# (?! )[ -~]*(?<! )")
_CONTINUES = re.compile(r"(?:else|elif|except|finally)\b")
#: A piece of a line that Black has to see: what opens and closes brackets, strings and comments.
_PIECE = re.compile(
    r"""
    (?P<triple>\"{3}|'{3})
    | "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*'
    | (?P<quote>["'])
    | \#[^\n]*
    | (?P<open>[\[({]) | (?P<close>[\])}])
    | (?P<line>\n)
    """,
    re.VERBOSE,
)
_TRIPLE = {quotes: re.compile(rf"(?:[^\\]|\\.)*?{quotes}", re.DOTALL) for quotes in ('"""', "'''")}


def formatted(source: str, width: int) -> str:
    """What `black.format_str` gives for the source; quotes stay as they are, and trailing commas decide nothing.

    Raises:
      black.InvalidInput: as Black does.
    """
    mode = black.Mode(line_length=width, string_normalization=False, magic_trailing_comma=False)
    found = None if _WHOLE.search(source) else _shortened(source, width)
    if found is not None:
        short, runs = found
        result = _put_back(black.format_str(short, mode=mode), runs)
        if result is not None:
            return result
    return black.format_str(source, mode=mode)


@dataclasses.dataclass
class _Entry:
    """A logical line: `start` to `end` in the list of lines, `blank` empty lines before it.

    `kind` is as `settled` says, `comment`, or "" for what Black has to see.
    """

    kind: str
    indent: int
    start: int
    end: int
    blank: int
    is_comment: bool = False


def _entries(lines: list[str], width: int) -> list[_Entry] | None:
    """The logical lines of a source; None where it can't be read."""
    found: list[_Entry] = []
    i = blank = 0
    while i < len(lines):
        line = lines[i]
        code = line.lstrip(" ")
        if not code:
            blank += 1
            i += 1
            continue
        indent = len(line) - len(code)
        end = i + 1
        if code[0] == "#":
            kind = "comment" if _COMMENT.fullmatch(code) else ""
        else:
            kind = settled(code, width - indent)
            if not kind:
                last = _last_line(lines, i)
                if last is None:
                    return None
                end = last + 1
        found.append(_Entry(kind, indent, i, end, blank, code[0] == "#"))
        i, blank = end, 0
    return _with_comments(found)


def _with_comments(entries: list[_Entry]) -> list[_Entry]:
    """Comments belong to the code that comes next; those that stand elsewhere Black has to see."""
    indent = -1
    for entry in reversed(entries):
        if not entry.is_comment:
            indent = entry.indent
        elif entry.indent != indent:
            entry.kind, entry.indent = "", max(entry.indent, indent)
    return entries


def _last_line(lines: list[str], first: int) -> int | None:
    """Where the logical line that starts at `first` ends."""
    depth, triple = 0, ""
    for i in range(first, len(lines)):
        line, position = lines[i] + "\n", 0
        while position < len(line):
            if triple:
                closing = _TRIPLE[triple].match(line, position)
                if closing is None:
                    break
                triple, position = "", closing.end()
                continue
            piece = _PIECE.search(line, position)
            if piece is None or piece["quote"]:
                return None
            position = piece.end()
            triple = piece["triple"] or ""
            depth += bool(piece["open"]) - bool(piece["close"])
        if not triple and depth <= 0:
            return i
    return None


class _Runs:
    """Takes out the runs of statements that Black would not change."""

    def __init__(self, lines: list[str], entries: list[_Entry]):
        self.lines, self.entries = lines, entries
        self.regular = True
        #: By the line where each starts: its end, and its placeholder.
        self.found: dict[int, tuple[int, str]] = {}

    def suite(self, at: int, indent: int) -> tuple[int, bool]:
        """Looks at the statements of one block. Returns where it ends, and whether Black would change none."""
        start = run = at
        comments = at
        whole = True
        while at < len(self.entries) and self.entries[at].indent >= indent:
            entry = self.entries[at]
            if entry.kind == "comment":
                at += 1
                continue
            first = at
            at, fine = (at + 1, False) if entry.is_comment else self._statement(at, indent)
            fine = fine and all(self._spaced(i, start, indent) for i in range(comments, first + 1))
            if not fine:
                self._take(run, comments, indent)
                run, whole = at, False
            comments = at
        self._take(run, comments, indent)
        return at, whole and comments == at and at > start

    def _statement(self, at: int, indent: int) -> tuple[int, bool]:
        """One statement with its block and all its clauses, its first line at `indent`."""
        fine = True
        first = at
        while True:
            entry = self.entries[at]
            fine = fine and bool(entry.kind) and entry.indent == indent and (at == first or not entry.blank)
            at += 1
            inner = self._inner(at, indent)
            if inner is not None:
                self.regular = self.regular and inner == indent + 4
                after = at
                at, whole = self.suite(at, inner)
                fine = fine and whole and entry.kind == "header" and not self.entries[after].blank
            else:
                fine = fine and entry.kind != "header"
            code = self._code(at)
            if code == len(self.entries) or self.entries[code].indent != indent:
                return at, fine
            if not _CONTINUES.match(self.lines[self.entries[code].start], indent):
                return at, fine
            fine, at = fine and code == at, code

    def _inner(self, at: int, indent: int) -> int | None:
        """The indentation of the block that starts at an entry, if one does."""
        code = self._code(at)
        inner = self.entries[code].indent if code < len(self.entries) else 0
        return inner if inner > indent else None

    def _code(self, at: int) -> int:
        """The first entry from one on that is no comment."""
        while at < len(self.entries) and self.entries[at].is_comment:
            at += 1
        return at

    def _spaced(self, at: int, start: int, indent: int) -> bool:
        """Are there as many empty lines before an entry as Black allows?"""
        entry = self.entries[at]
        return at == start or entry.blank <= (1 if indent else 2)

    def _take(self, first: int, end: int, indent: int) -> None:
        if first < end:
            start, stop = self.entries[first].start, self.entries[end - 1].end
            formatted = any(entry.kind == "f-string" for entry in self.entries[first:end])
            # Black tells the version of Python by what the source uses.
            value = ' = f""' if formatted else ""
            inner = [i for i in self.found if start <= i < stop]
            for i in inner:
                del self.found[i]
            self.found[start] = stop, f"{' ' * indent}__run_{start}__{value}"


def _shortened(source: str, width: int) -> tuple[str, dict[str, str]] | None:
    """The source with placeholders, and what each stands for; None where Black should see all of it."""
    lines = source.split("\n")
    entries = _entries(lines, width)
    if not entries or entries[0].indent:
        return None
    runs = _Runs(lines, entries)
    at, _ = runs.suite(0, 0)
    if not runs.regular or at != len(entries):
        return None
    short: list[str] = []
    kept: dict[str, str] = {}
    i = 0
    while i < len(lines):
        if i in runs.found:
            end, placeholder = runs.found[i]
            kept[placeholder] = "\n".join(lines[i:end])
            short.append(placeholder)
            i = end
        else:
            short.append(lines[i])
            i += 1
    return "\n".join(short), kept


def _put_back(short: str, runs: dict[str, str]) -> str | None:
    """The source with the runs in their places; None where one is not where it was."""
    lines = short.split("\n")
    found = [line for line in lines if line in runs]
    if len(found) != len(runs) or len(set(found)) != len(found):
        return None
    return "\n".join(runs.get(line, line) for line in lines)
