"""Errors that a user is meant to read."""

from __future__ import annotations


class BadInputError(Exception):
    """Something that the user gave can't be used: one sentence, exit code 2, nothing written.

    Args:
      reason: a clause without full stop, in words of the user's own code.
      file: the file to look at, as the user named it.
      line: the line in it, from 1.
    """

    def __init__(self, reason: str, file: str | None = None, line: int | None = None):
        super().__init__(reason)
        self.reason = reason
        self.file = file
        self.line = line

    def __str__(self) -> str:
        where = "" if self.file is None else f"{self.file}:{self.line}: " if self.line else f"{self.file}: "
        return where + self.reason


class NoDeviceError(Exception):
    """The machine has no such accelerator, or JAX here can't use it; the text is the reason."""
