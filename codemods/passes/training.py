"""The training pass: everything outside of models."""

from __future__ import annotations

from codemods.passes.questions import Questions


class Training(Questions):
    """See the files `training_*.py`."""
