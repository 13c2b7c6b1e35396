"""The training pass: everything outside of models."""

from __future__ import annotations

from codemods.passes.training_objects import Objects


class Training(Objects):
    """See the files `training_*.py`."""
