"""Where a package's BUILD file is."""

from __future__ import annotations

import pathlib


def build_file(folder: pathlib.Path) -> pathlib.Path | None:
    """The BUILD file of a folder; Bazel reads BUILD.bazel where there are two."""
    return next((path for name in ("BUILD.bazel", "BUILD") if (path := folder / name).is_file()), None)
