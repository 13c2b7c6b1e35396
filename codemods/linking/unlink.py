"""Takes the port of linked files apart: one module per file, each importing what it needs of the others."""

from __future__ import annotations

import ast
import pathlib
from collections.abc import Mapping

from codemods.linking.files import SourceFile
from codemods.linking.link import Linked


def ported_path(path: str) -> str:
    """Where the port of a file lies: `a/b.py` gives `a/b_jax.py`, `a/__init__.py` gives `a/init_jax.py`."""
    place = pathlib.PurePosixPath(path)
    stem = "init" if place.stem == "__init__" else place.stem
    return str(place.with_name(f"{stem}_jax.py"))


def own_names(linked: Linked, path: str) -> dict[str, str]:
    """Names of a file's definitions that were changed for the module, with their own."""
    return {new: d.name for d, new in linked.names.items() if d.path == path and new != d.name}


def written_path(path: str, entry: str) -> str:
    """Where the port of a file is written: beside the entry's, where it lies below its folder; else by its whole path."""
    place, folder = pathlib.PurePosixPath(ported_path(path)), pathlib.PurePosixPath(entry).parent
    return str(place.relative_to(folder)) if place.is_relative_to(folder) else str(place)


def imports_of(linked: Linked, file: SourceFile, missing: set[str], homes: Mapping[str, str]) -> list[str]:
    """Import statements of a ported file.

    Args:
      linked: the module that was ported.
      file: the original.
      missing: names that its port reads and does not define.
      homes: the file that each name of the port is defined for.
    """
    found: dict[str, list[str]] = {}
    relative = _imports_relatively(file)
    for name in sorted(missing & homes.keys()):
        home = homes[name]
        if home == file.path:
            continue
        module = ported_path(home).removesuffix(".py").replace("/", ".")
        package = file.package
        if relative and module.rpartition(".")[0] == package:
            module = f".{module.rpartition('.')[2]}"
        own = own_names(linked, home).get(name, name)
        found.setdefault(module, []).append(own if own == name else f"{own} as {name}")
    return [f"from {module} import {', '.join(names)}" for module, names in sorted(found.items())]


def _imports_relatively(file: SourceFile) -> bool:
    return any(isinstance(node, ast.ImportFrom) and node.level for node in ast.walk(ast.parse(file.text)))
