"""What the commands raise to end with a sentence and an exit code."""

from __future__ import annotations

from parity.errors import BadInputError

__all__ = ["BAD_INPUT", "CHECK_FAILED", "PORTED", "RESIDUALS", "BadInputError", "StepStopped"]

#: Exit codes of the commands that port.
PORTED, BAD_INPUT, RESIDUALS, CHECK_FAILED = 0, 2, 3, 4


class StepStopped(Exception):
    """A step ended in a way that it should not: a fault of this tool, not of the user's input."""
