"""Paths that a user typed, and places to work in."""

from __future__ import annotations

import os
import pathlib


def typed(path: str) -> pathlib.Path:
    """An absolute path; relative ones start where the user ran the command, also under `bazel run`."""
    return pathlib.Path(os.path.normpath(working_directory() / pathlib.Path(path).expanduser()))


def working_directory() -> pathlib.Path:
    """Where the user ran the command."""
    return pathlib.Path(os.environ.get("BUILD_WORKING_DIRECTORY") or os.getcwd())


def workspace_directory() -> pathlib.Path:
    """The user's source tree; only `bazel run` knows it."""
    folder = os.environ.get("BUILD_WORKSPACE_DIRECTORY")
    if not folder:
        raise RuntimeError("BUILD_WORKSPACE_DIRECTORY is not set: this program is to be run by `bazel run`")
    return pathlib.Path(folder)


def shown(path: pathlib.Path) -> str:
    """A path as the user would type it."""
    relative = os.path.relpath(path, working_directory())
    return str(path) if relative.startswith("../..") else relative
