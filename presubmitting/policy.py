"""What a repository asks of its migration, and the ratchet: exceptions that may only become fewer.

The policy is a JSON file:

    {"migrated": ["//models/...", "//lib/losses"],
     "ratchet": "tensorflow_ratchet.json"}

`migrated` are packages (with `/...` for all below) in which no new TensorFlow may appear. The ratchet lies beside the
policy and is written by `--update`; people only ever take lines away:

    {"tensorflow": {"models/old.py": 3}, "residuals": {"models/big_jax.py": 2}}

It counts the places that use TensorFlow in each file of a migrated package, and the residuals left in each port.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
from collections.abc import Mapping
from typing import Any


class PolicyError(Exception):
    """The policy or ratchet can't be read; the message names the file and what is wrong."""


@dataclasses.dataclass(frozen=True)
class Ratchet:
    """Counts that are allowed, by file."""

    tensorflow: Mapping[str, int] = dataclasses.field(default_factory=dict)
    residuals: Mapping[str, int] = dataclasses.field(default_factory=dict)

    def to_json(self) -> str:
        """The file's text, sorted."""
        return json.dumps({k: dict(sorted(v.items())) for k, v in vars(self).items()}, indent=1, sort_keys=True) + "\n"


@dataclasses.dataclass(frozen=True)
class Policy:
    """A policy, read.

    Attributes:
      file: its path, as it was given.
      migrated: package patterns.
      ratchet_file: the path of the ratchet.
      ratchet: what it allows; nothing where there is no such file.
    """

    file: str
    migrated: tuple[str, ...]
    ratchet_file: str
    ratchet: Ratchet

    def is_migrated(self, file: str) -> bool:
        """Does a file, by its path below the root, lie in a migrated package?"""
        folder = str(pathlib.PurePosixPath(file).parent)
        folder = "" if folder == "." else folder
        return any(_covers(pattern, folder) for pattern in self.migrated)


def _covers(pattern: str, folder: str) -> bool:
    name = pattern.removeprefix("//")
    if name == "..." or name.endswith("/..."):
        above = name.removesuffix("...").removesuffix("/")
        return not above or folder == above or folder.startswith(above + "/")
    return folder == name


def read(root: pathlib.Path, file: str) -> Policy:
    """Reads a policy and its ratchet, both below `root`.

    Raises:
      PolicyError: a file is not there, is no JSON, or has entries of other kinds.
    """
    data = _object(root, file)
    unknown = sorted(data.keys() - {"migrated", "ratchet"})
    if unknown:
        raise PolicyError(f"{file}:1: unknown entry `{unknown[0]}`; there are `migrated` and `ratchet`")
    migrated = data.get("migrated", [])
    if not isinstance(migrated, list) or not all(isinstance(p, str) and p.startswith("//") for p in migrated):
        raise PolicyError(f"{file}:1: `migrated` is to be a list of packages such as `//models/...`")
    ratchet_file = data.get("ratchet", "tensorflow_ratchet.json")
    beside = pathlib.PurePosixPath(file).parent / ratchet_file
    found = _object(root, str(beside)) if (root / beside).exists() else {}
    for kind in ("tensorflow", "residuals"):
        counts = found.get(kind, {})
        if not isinstance(counts, dict) or not all(isinstance(n, int) for n in counts.values()):
            raise PolicyError(f"{beside}:1: `{kind}` is to be counts by file")
    return Policy(file, tuple(migrated), str(beside), Ratchet(found.get("tensorflow", {}), found.get("residuals", {})))


def _object(root: pathlib.Path, file: str) -> dict[str, Any]:
    try:
        data = json.loads((root / file).read_text(encoding="utf-8"))
    except OSError:
        raise PolicyError(f"{file}:1: there is no such file") from None
    except ValueError as error:
        raise PolicyError(f"{file}:{getattr(error, 'lineno', 1)}: not JSON: {getattr(error, 'msg', error)}") from None
    if not isinstance(data, dict):
        raise PolicyError(f"{file}:1: is to be an object")
    return data
