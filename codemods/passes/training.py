"""The training pass: everything outside of models."""

from __future__ import annotations

from codemods.passes.training_overrides import Overrides


class Training(Overrides):
    """See the files `training_*.py`."""
