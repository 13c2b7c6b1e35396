"""Writes an audit's files, each whole or not at all."""

from __future__ import annotations

import os
import pathlib
import tempfile
from collections.abc import Callable

from auditing.drawing import as_dot, as_svg, migration_graph
from auditing.page import as_html
from auditing.result import Audit, as_csv, as_json

#: By extension.
WRITERS: dict[str, Callable[[Audit], str]] = {
    "json": as_json,
    "csv": as_csv,
    "dot": lambda result: as_dot(migration_graph(result)),
    "svg": lambda result: as_svg(migration_graph(result)),
    "html": as_html,
}


def write(result: Audit, folder: pathlib.Path) -> list[pathlib.Path]:
    """Writes `audit.EXTENSION` of every kind; returns the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for extension, writer in WRITERS.items():
        path = folder / f"audit.{extension}"
        handle, name = tempfile.mkstemp(dir=folder, prefix=f".{path.name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(writer(result))
        os.chmod(name, 0o644)
        os.replace(name, path)
        paths.append(path)
    return paths
