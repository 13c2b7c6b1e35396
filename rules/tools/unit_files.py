"""The facts of a unit that its programs get from the build, and the files that belong to it."""

from __future__ import annotations

import dataclasses
import json
import pathlib
from typing import Any


@dataclasses.dataclass(frozen=True)
class UnitFiles:
    """A manifest, read.

    Attributes:
      unit: its name.
      command: what a user types to write the port into the source tree.
      package: the Bazel package.
      source: the original's path in the repository.
      level: how far it is verified.
      python_deps: labels that the port may need.
      own_deps: labels that the port needs.
      files: paths by name: module, weights_map, residuals, and what else was asked for.
      answers: the folder of recorded answers, below the package.
    """

    unit: str
    command: str
    package: str
    source: str
    level: str
    python_deps: tuple[str, ...]
    own_deps: tuple[str, ...]
    files: dict[str, pathlib.Path]
    answers: str = ""

    def text(self, name: str) -> str:
        """The text of one of the files."""
        return self.files[name].read_text(encoding="utf-8")

    def value(self, name: str) -> dict[str, Any]:
        """The object in one of the files."""
        return json.loads(self.text(name))

    @property
    def module_name(self) -> str:
        return f"{self.unit}_jax.py"

    @property
    def weights_map_name(self) -> str:
        return f"{self.unit}_weights_map.json"

    def in_package(self, name: str) -> str:
        """A file of the package, by its path in the repository."""
        return f"{self.package}/{name}" if self.package else name


def read(manifest: str) -> UnitFiles:
    """Reads a manifest. Paths in it start at the runfiles folder, where Bazel starts programs and tests."""
    content = json.loads(pathlib.Path(manifest).read_text(encoding="utf-8"))
    return UnitFiles(
        unit=content["unit"],
        command=content["command"],
        package=content["package"],
        source=content["source"],
        level=content["level"],
        python_deps=tuple(content["python_deps"]),
        own_deps=tuple(content["own_deps"]),
        answers=content.get("answers", ""),
        files={name: pathlib.Path(path) for name, path in content["files"].items()},
    )
