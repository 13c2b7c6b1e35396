"""Which lines Black leaves as they are.

`settled` knows a part of Python's expressions, the common one, and how Black spaces it. A line that it does not know is
not settled: Black itself then says what it should look like.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"""
    (?P<space>\ *)
    (?:
      (?P<string>(?:[rbf]|rb|br)?(?:"[^"\\]*"|'[^'\\]*'))
    | (?P<name>[A-Za-z_][A-Za-z_0-9]*)
    | (?P<number>(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:e-?[0-9]+)?(?![A-Za-z_0-9.]))
    | (?P<ellipsis>\.\.\.)
    | (?P<assign>(?:\*\*|//|>>|<<|[-+*/%@&|^])=(?!=))
    | (?P<operator>\*\*|//|>>|<<|[=!<>]=|[-+*/%@&|^<>~])
    | (?P<mark>[=:,.()\[\]{}])
    )
    """,
    re.VERBOSE,
)
_COMMENT = re.compile(r"  # (?! )[ -~]*(?<! )$")
_EXCEPT = re.compile(r"except(?: [A-Za-z_][\w.]*(?: as [A-Za-z_]\w*)?)?:$", re.ASCII)
_DIRECTIVES = ("type:", "fmt:", "pylint:", "noqa")

_OPERATORS = frozenset({"and", "or", "not", "in", "is", "if", "else", "for"})
_ALONE = frozenset({"pass", "break", "continue"})
_ALONE_HEADERS = frozenset({"else:", "try:", "finally:"})
_HEADERS = frozenset({"if", "elif", "while", "for"})
_LEADING = frozenset({"return", "raise", *_HEADERS})
_UNKNOWN = frozenset(
    {
        *("and as assert async await class def del except finally from global import").split(),
        *("lambda nonlocal not or try with yield is in else").split(),
    }
)
#: What a token may follow as the first of an operand, and the space that is between them.
_BEFORE_OPERAND = {"open": 0, "unary": 0, "keyword=": 0, ",": 1, "operator": 1, "word": 1, "=": 1, ":": 1}
_ENDS = frozenset({"operand", "close"})


def settled(code: str, width: int) -> str:
    """How Black sees a line that stands alone, without its indentation.

    Args:
      code: the line.
      width: how many characters it may have.

    Returns:
      "" where it may change it. Else what it is, unchanged: `simple`, `f-string` (simple, too), or `header` for the
      first line of a block, also of an `else` and its like.
    """
    if len(code) > width or not code.isascii():
        return ""
    if code in _ALONE:
        return "simple"
    if code in _ALONE_HEADERS or _EXCEPT.match(code):
        return "header"
    return _Line(code).kind()


class _Line:
    """One line, token by token. `last` is what came before, `open` the brackets that are open."""

    def __init__(self, code: str):
        self.code = code
        self.last = ""
        self.open: list[str] = []
        self.first = ""
        self.formatted = self.assigned = self.listed = False
        self.parts: list[_Part] = []

    def kind(self) -> str:
        code, position, end = self.code, 0, len(self.code)
        while position < end:
            found = _TOKEN.match(code, position)
            if found is None:
                return self._ended(position) if _COMMENT.match(code, position) else ""
            space, group = found.end(1) - position, found.lastgroup
            text = code[found.end(1) : found.end()]
            position = found.end()
            if group == "mark" and text == ":" and position == end and not self.open:
                return "header" if self.first in _HEADERS and self.last in _ENDS and not space else ""
            if not _STEPS[group](self, text, space):  # type: ignore[index]
                return ""
        return self._ended(end)

    def _ended(self, position: int) -> str:
        done = self.last in _ENDS or (self.last == "lead" and self.first == "return")
        if self.first == "(" and not self.assigned:
            return ""
        if self.open or not done or self.first in _HEADERS or any(d in self.code[position:] for d in _DIRECTIVES):
            return ""
        return "f-string" if self.formatted else "simple"

    def _operand(self, space: int, last: str = "operand") -> bool:
        """Starts an operand; is it where one may start, with the right space?"""
        if self.last == "slice":
            self.parts[-1].spaces.append((space, 0, 1))
            self.last = last
            return True
        wanted = 1 if self.last == "lead" else _BEFORE_OPERAND.get(self.last)
        self.last = last
        return wanted == space

    # -- by kind of token; False: not known ------------------------------------------------------------

    def name(self, text: str, space: int) -> bool:
        if not self.first:
            self.first = text
            self.last = "lead" if text in _LEADING else "operand"
            return text not in _UNKNOWN and not space
        if self.last == ".":
            self.last = "operand"
            return not space
        if text in _OPERATORS:
            return self._word(text, space)
        if text == "lambda":
            self._noted("involved")
            self.open.append("lambda")
            return self._operand(space, "lead")
        return text not in _UNKNOWN and text not in _LEADING and text not in _ALONE and self._operand(space)

    def _word(self, text: str, space: int) -> bool:
        self._noted("involved")
        if self.open[-1:] == ["lambda"]:
            return False
        if text == "not" and self.last not in _ENDS and self.last != "word":
            return self._operand(space, "word")
        if text == "in" and self.first == "for" and not self.open:
            self.last = "lead"
            return space == 1
        known = self.last in _ENDS or (self.last == "word" and text in ("in", "not"))
        self.last = "word"
        return known and space == 1

    def number(self, text: str, space: int) -> bool:
        return bool(self.first) and self._operand(space) and self.open[-1:] != ["lambda"]

    ellipsis = number

    def string(self, text: str, space: int) -> bool:
        self._noted("unclear")
        if text[0] == "f":
            self.formatted = True
            if "{" in text and re.search(r"=\s*[}!:]|#", text):
                return False
        return self.number(text, space)

    def assign(self, text: str, space: int) -> bool:
        known = self.last in _ENDS and not self.open and self.first not in _LEADING and space == 1
        self.last = "="
        return known

    def operator(self, text: str, space: int) -> bool:
        if self.open[-1:] == ["lambda"]:
            return False
        if self.last in _ENDS:
            self._noted("involved")
            self.last = "operator"
            return space == 1 and text not in ("~", "**")
        if text in ("*", "**"):
            known = self.open[-1:] == ["call"] and self.last in ("open", ",") and " for " not in self.code
            return known and self._operand(space, "unary")
        return text in ("-", "+", "~") and bool(self.first) and self._operand(space, "unary")

    def mark(self, text: str, space: int) -> bool:
        return _MARKS[text](self, text, space)

    def _equal(self, text: str, space: int) -> bool:
        known, inner = self.last in _ENDS, self.open[-1:]
        if not inner and self.first == "(" and not self.listed:
            return False  # Black takes parentheses away that stand around all that is assigned to
        self.assigned = self.assigned or not inner
        self.last = "keyword=" if inner else "="
        return known and (inner == ["call"] and not space if inner else space == 1 and self.first not in _LEADING)

    def _colon(self, text: str, space: int) -> bool:
        inner = self.open[-1:]
        if inner == ["subscript"]:
            first = self.last in ("open", "slice")
            self.parts[-1].spaces.append((space, int(self.last == ","), 0 if first else 1))
            known = first or self.last == "," or self.last in _ENDS
            self.last = "slice"
            return known
        if inner == ["lambda"]:
            known = self.last in ("lead", "operand") and not space
            self.open.pop()
        else:
            known = inner == ["brace"] and self.last in _ENDS and not space
        self.last = ":"
        return known

    def _comma(self, text: str, space: int) -> bool:
        known = self.last in _ENDS or self.last == "slice"
        if self.open[-1:] == ["subscript"]:
            known = known and self.parts[-1].fits()
            self.parts[-1] = _Part()
        if self.parts:
            self.parts[-1].commas += 1
        self.listed = self.listed or not self.open
        self.last = ","
        return known and not space

    def _dot(self, text: str, space: int) -> bool:
        self._noted("involved")
        known = self.last in _ENDS and self.open[-1:] != ["lambda"]
        self.last = "."
        return known and not space

    def _opened(self, text: str, space: int) -> bool:
        if self.open[-1:] == ["lambda"] or not self.first and text != "(":
            return False
        if self.last in _ENDS and text != "{":
            self._noted("involved")
            known = not space
            kind = "call" if text == "(" else "subscript"
        else:
            # Black may take parentheses away that stand around all that a statement, or a display, holds.
            bare = self.last in ("lead", "=") or (self.last == "open" and self.open[-1] in ("list", "brace"))
            self._noted("unclear")
            known = not space if not self.first else self._operand(space) and not (text == "(" and bare)
            self.first = self.first or text
            kind = {"(": "group", "[": "list", "{": "brace"}[text]
        self.open.append(kind)
        self.parts.append(_Part())
        self.last = "open"
        return known

    def _closed(self, text: str, space: int) -> bool:
        if not self.open or self.open[-1] == "lambda":
            return False
        kind, part = self.open.pop(), self.parts.pop()
        known = (self.last in _ENDS or self.last == "slice") and part.fits()
        known = known or (self.last == "open" and kind != "subscript")
        known = known or (self.last == "," and kind == "group" and part.commas == 1)
        self.last = "close"
        return known and not space

    def _noted(self, what: str) -> None:
        for part in self.parts:
            setattr(part, what, True)


class _Part:
    """What stands between two commas of a bracket.

    Attributes:
      spaces: around the colons of a slice, each with how many there are where its bounds are simple, and where they
        are not.
      involved: is there an operator, call, attribute or subscript in it? Then a slice's bounds are not simple.
      unclear: is there something else than those, names and numbers?
    """

    def __init__(self) -> None:
        self.spaces: list[tuple[int, int, int]] = []
        self.involved = self.unclear = False
        self.commas = 0

    def fits(self) -> bool:
        """Are the colons spaced as Black spaces them?"""
        if not self.spaces:
            return True
        return not self.unclear and all((spaced if self.involved else plain) == s for s, plain, spaced in self.spaces)


_STEPS = {name: getattr(_Line, name) for name in ("string", "name", "number", "ellipsis", "assign", "operator", "mark")}
_MARKS = {
    "=": _Line._equal,
    ":": _Line._colon,
    ",": _Line._comma,
    ".": _Line._dot,
    **dict.fromkeys("([{", _Line._opened),
    **dict.fromkeys(")]}", _Line._closed),
}
