"""Writes a port where the user keeps it, and never over what the user has changed since.

The weights map remembers, under `written`, the digests of the module and of the map itself as the
last run wrote them: what has another digest now was edited by hand. Nothing else is remembered, so
the same input gives the same bytes.
"""

from __future__ import annotations

import contextlib
import difflib
import fcntl
import hashlib
import json
import os
import pathlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cli import errors


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _canonical(weights_map: Mapping[str, Any]) -> bytes:
    """The map's content without the record, independent of its layout."""
    content = {k: v for k, v in weights_map.items() if k != "written"}
    return json.dumps(content, sort_keys=True, ensure_ascii=True).encode()


def dump(value: Any) -> str:
    """JSON as every step writes it."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def stamped(weights_map: str, module: str) -> str:
    """The text of a weights map with the record of what is written together with it."""
    content = json.loads(weights_map)
    record = {"module": _digest(module.encode()), "weights_map": _digest(_canonical(content))}
    return dump({**content, "written": record})


def unstamped(weights_map: str) -> str:
    """The text of a weights map as the port step wrote it."""
    return dump({k: v for k, v in json.loads(weights_map).items() if k != "written"})


def edited(
    module: pathlib.Path, weights_map: pathlib.Path, contents: Mapping[pathlib.Path, str] | None = None
) -> list[pathlib.Path]:
    """Those of the two files that are there and are not what the last run wrote.

    A file that already has what is to be written, where `contents` says what that is, is not one of them.
    """
    try:
        last = json.loads(weights_map.read_text(encoding="utf-8"))
        record = last.get("written") or {}
        ours = last.get("module") in (None, module.name)
    except (OSError, ValueError, AttributeError):
        last, record, ours = None, {}, False

    def differs(path: pathlib.Path) -> bool:
        return path.exists() and (contents is None or path.read_bytes() != contents[path].encode())

    found = []
    if differs(module) and not (ours and record.get("module") == _digest(module.read_bytes())):
        found.append(module)
    # The map of another module in the same folder is replaced: its name is always the same.
    if differs(weights_map) and (last is None or (ours and record.get("weights_map") != _digest(_canonical(last)))):
        found.append(weights_map)
    return found


def refuse_edited(found: Sequence[pathlib.Path], shown: str, again: str) -> None:
    """Raises `BadInputError` where files were edited."""
    if found:
        verb = "was" if len(found) == 1 else "were"
        raise errors.BadInputError(
            f"{shown}: {verb} changed by hand since the last run, or not written by it; "
            f"keep the changes elsewhere, then overwrite with {again}"
        )


def writable(folder: pathlib.Path, shown: str) -> None:
    """Raises `BadInputError` where files can't be written to a folder, which need not be there yet."""
    there = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
    if not there.is_dir():
        raise errors.BadInputError(f"{shown}: {there.name} is a file; give a folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise errors.BadInputError(f"{shown}: can't be written to: Permission denied; give another folder")


@contextlib.contextmanager
def alone(folder: pathlib.Path) -> Iterator[None]:
    """Waits until no other run works on files below a folder, such as a BUILD file that it reads and then writes."""
    place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        # Some file systems have no locks.
        with contextlib.suppress(OSError):
            fcntl.flock(place, fcntl.LOCK_EX)
        yield
    finally:
        os.close(place)


def write(contents: Mapping[pathlib.Path, str], shown: str) -> list[pathlib.Path]:
    """Writes files whole: all are staged beside their places first, then moved.

    Args:
      contents: what each file is to have.
      shown: how a message names their folder.

    Returns:
      Those that changed.

    Raises:
      BadInputError: the system doesn't let them be written; none was.
    """
    changed = {path: text for path, text in contents.items() if not path.exists() or path.read_bytes() != text.encode()}
    staged: dict[pathlib.Path, str] = {}
    try:
        for path, text in changed.items():
            path = pathlib.Path(os.path.realpath(path))  # A link stays one.
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
            staged[path] = name
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
            os.chmod(name, path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask())
        for path, name in staged.items():
            os.replace(name, path)
    except OSError as error:
        raise errors.BadInputError(f"{shown}: can't be written to: {error.strerror}") from None
    finally:
        for name in staged.values():
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name)
    return list(changed)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def diff(path: pathlib.Path, text: str, shown: str) -> str:
    """What writing `text` to `path` would change, as a patch."""
    before = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    lines = difflib.unified_diff(
        before.splitlines(keepends=True),
        text.splitlines(keepends=True),
        f"a/{shown}" if path.exists() else "/dev/null",
        f"b/{shown}",
    )
    return "".join(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in lines)
