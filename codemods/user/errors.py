"""What goes wrong with users' codemods."""

from __future__ import annotations


class CodemodError(Exception):
    """A codemod can't be used; the text is a sentence with file and line."""

    def __init__(self, reason: str, file: str, line: int = 1) -> None:
        super().__init__(f"{file}:{line}: {reason}")
