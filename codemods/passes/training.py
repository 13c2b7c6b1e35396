"""The training pass: everything outside of models."""

from __future__ import annotations

from codemods.passes.tensor_arrays import TensorArrays


class Training(TensorArrays):
    """See the files `training_*.py`."""
