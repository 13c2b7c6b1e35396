"""What goes wrong with answers, as sentences."""

from __future__ import annotations

from parity.errors import BadInputError


class AnswerError(BadInputError):
    """An answer can't be used: it was edited, nothing asks for it, or it does not fit; exit code 2."""


class EditError(Exception):
    """A reply is of no use: one sentence that says why, which may be given back to whoever answered."""

    def __init__(self, check: str, reason: str):
        """`check`: the name of the check that it fails."""
        super().__init__(reason)
        self.check = check
        self.reason = reason
