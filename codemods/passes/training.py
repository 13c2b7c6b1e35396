"""The training pass: everything outside of models."""

from __future__ import annotations

from codemods.passes.hosting import Hosting


class Training(Hosting):
    """See the files `training_*.py`."""
