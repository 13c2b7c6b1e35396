"""Places in the user's source, read off stack frames."""

from __future__ import annotations

import ast
import functools
import itertools
import os
import pathlib
import sys
import types
from collections.abc import Iterable
from typing import Any

#: Frames of these functions stand between a call and the hook that sees it.
_BETWEEN = frozenset({"__new__", "__call__", "error_handler", "inject_argument_info_in_traceback"})
#: Packages whose code is no user's, where an installed package is ported in its place.
_FRAMEWORKS = frozenset({"tensorflow", "keras", "tf_keras"})
_OWN = str(pathlib.Path(__file__).parent)


class Frames:
    """Tells the user's frames from all others and names the place that each is at.

    A frame is the user's if its file lies below `root` and is neither ours nor installed, unless what is ported is.

    Args:
      root: folder of the user's files.
      apart: files in it that don't count, such as the example.
    """

    def __init__(self, root: str, apart: Iterable[str] = ()):
        self._root = os.path.abspath(root)
        self._apart = {os.path.abspath(file) for file in apart}
        self._numbers: dict[int, int] = {}
        self._kept: list[types.FrameType] = []  # a frame that is gone may give its id to another
        self._counter = itertools.count()

    @functools.cache  # noqa: B019 - lives as long as the process
    def relative(self, filename: str) -> str | None:
        """The path of a user's file below the root; None for other files."""
        path = os.path.abspath(filename)
        if not path.startswith(self._root + os.sep) or filename.startswith("<"):
            return None
        below = os.path.relpath(path, self._root)
        installed = path.startswith(_OWN + os.sep) or f"site-packages{os.sep}" in below or path in self._apart
        library = os.path.join(sys.prefix, "lib") + os.sep
        if self._root.startswith(library) or f"{os.sep}site-packages" in self._root:
            installed |= below.split(os.sep)[0] in _FRAMEWORKS  # a package beside them is being ported
        else:
            installed |= path.startswith(library)
        return None if installed else below.replace(os.sep, "/")

    def caller(self, frame: types.FrameType | None, skip: Any = None) -> types.FrameType | None:
        """The frame that made the call, if it is the user's.

        Args:
          frame: where the search starts: the caller of a hook.
          skip: an object whose own methods' frames don't count as callers.

        Returns:
          The first frame that isn't part of how Python and Keras carry out a call; None if that is not the user's.
        """
        while frame is not None:
            code = frame.f_code
            if self.relative(code.co_filename) is not None:
                if code.co_name != "__new__" and not (skip is not None and _is_method_of(frame, skip)):
                    return frame
            elif code.co_name not in _BETWEEN and not code.co_filename.startswith(_OWN):
                return None
            frame = frame.f_back
        return None

    def stack(self, frame: types.FrameType | None) -> list[dict[str, Any]]:
        """Sites of all user frames from the outermost to `frame`."""
        sites = []
        while frame is not None:
            if self.relative(frame.f_code.co_filename) is not None:
                sites.append(self.site(frame))
            frame = frame.f_back
        return sites[::-1]

    def site(self, frame: types.FrameType) -> dict[str, Any]:
        """The call that a frame is at, as in trace.json: lines from 1, columns in characters from 0."""
        filename = frame.f_code.co_filename
        line, end_line, column, end_column = _position(frame)
        calls, lines = _calls(filename)
        if (end_line, end_column) in calls:
            line, column = calls[end_line, end_column]
        return {
            "file": self.relative(filename),
            "line": line,
            "column": _characters(lines, line, column),
            "end_line": end_line,
            "end_column": _characters(lines, end_line, end_column),
            "function": frame.f_code.co_qualname,
            "invocation": self._number(frame),
        }

    def _number(self, frame: types.FrameType) -> int:
        if id(frame) not in self._numbers:
            self._numbers[id(frame)] = next(self._counter)
            self._kept.append(frame)
        return self._numbers[id(frame)]


def _is_method_of(frame: types.FrameType, instance: Any) -> bool:
    names = frame.f_code.co_varnames[: frame.f_code.co_argcount]
    return bool(names) and frame.f_locals.get(names[0]) is instance and frame.f_code.co_name == "__init__"


def _position(frame: types.FrameType) -> tuple[int, int, int, int]:
    positions: Iterable[tuple[int | None, ...]] = frame.f_code.co_positions()
    found = next(itertools.islice(positions, frame.f_lasti // 2, None), (None, None, None, None))
    line, end_line, column, end_column = found
    line = line or frame.f_lineno
    return line, end_line or line, column or 0, end_column or 0


@functools.cache
def _calls(filename: str) -> tuple[dict[tuple[int, int], tuple[int, int]], list[str]]:
    """Where each call of a file starts, by where it ends: what the interpreter reports may start at an attribute."""
    text = pathlib.Path(filename).read_text(encoding="utf-8")
    starts = {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call):
            starts[node.end_lineno or 0, node.end_col_offset or 0] = (node.lineno, node.col_offset)
    return starts, text.splitlines()


def _characters(lines: list[str], line: int, column: int) -> int:
    text = lines[line - 1] if 0 < line <= len(lines) else ""
    return len(text.encode()[:column].decode(errors="replace"))
