"""The training pass: everything outside of models."""

from __future__ import annotations

from codemods.passes.training_fit import Fitting


class Training(Fitting):
    """See the files `training_*.py`."""
