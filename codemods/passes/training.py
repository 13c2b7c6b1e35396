"""The training pass: everything outside of models."""

from __future__ import annotations

from codemods.passes.settings import Settings


class Training(Settings):
    """See the files `training_*.py`."""
