"""Facts of many files, each computed once per content and kept between runs."""

from __future__ import annotations

import hashlib
import os
import pathlib
import sqlite3
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor

from auditing.facts import VERSION, Facts, facts_of

#: Files per unit of work: enough to hide what handing it over costs.
_BATCH = 64


def collect(root: pathlib.Path, files: Iterable[str], cache: pathlib.Path | None = None) -> dict[str, Facts]:
    """Facts by path; files that are not there have none.

    Args:
      root: the repository's root.
      files: paths below it.
      cache: a database to keep facts in, by path, size and time of change, and by content.
    """
    files = sorted(set(files))
    store = _Store(cache)
    found: dict[str, Facts] = {}
    todo: list[tuple[str, str, str]] = []
    for file in files:
        path = root / file
        try:
            stat = path.stat()
        except OSError:
            continue
        stamp = f"{VERSION}:{stat.st_size}:{stat.st_mtime_ns}:{stat.st_ino}"
        kept = store.get(file, stamp)
        if kept is not None:
            found[file] = Facts.from_json(kept)
        else:
            todo.append((file, str(path), stamp))
    batches = [todo[i : i + _BATCH] for i in range(0, len(todo), _BATCH)]
    if len(batches) > 1:
        with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
            results = list(pool.map(_read, batches))
    else:
        results = [_read(batch) for batch in batches]
    for batch in results:
        for file, stamp, text in batch:
            found[file] = Facts.from_json(text)
            store.put(file, stamp, text)
    store.close()
    return found


def _read(batch: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    return [(file, stamp, facts_of(file, pathlib.Path(path).read_bytes()).to_json()) for file, path, stamp in batch]


def cache_path(workspace: pathlib.Path) -> pathlib.Path:
    """Where facts about a workspace are kept, in the user's cache."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.environ.get("HOME", "/nonexistent"), ".cache")
    name = hashlib.sha256(str(workspace.resolve()).encode()).hexdigest()[:16]
    return pathlib.Path(base) / "jaxport" / "audit" / f"{name}.sqlite"


class _Store:
    """Facts in a database; none where there is no place for one."""

    def __init__(self, path: pathlib.Path | None):
        self.connection: sqlite3.Connection | None = None
        if path is None:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.connection = sqlite3.connect(path, timeout=10)
            self.connection.execute("create table if not exists facts (file text primary key, stamp text, facts text)")
        except (OSError, sqlite3.Error):
            self.connection = None
        self.kept = dict(self._all())

    def _all(self) -> Iterable[tuple[str, tuple[str, str]]]:
        rows = self.connection.execute("select file, stamp, facts from facts") if self.connection else ()
        return [(file, (stamp, facts)) for file, stamp, facts in rows]

    def get(self, file: str, stamp: str) -> str | None:
        """What was kept for a file that has not changed since."""
        kept = self.kept.get(file) if self.connection else None
        return kept[1] if kept is not None and kept[0] == stamp else None

    def put(self, file: str, stamp: str, facts: str) -> None:
        """Keeps facts from now on."""
        if self.connection:
            self.connection.execute("insert or replace into facts values (?, ?, ?)", (file, stamp, facts))

    def close(self) -> None:
        """Writes what was put."""
        if self.connection:
            self.connection.commit()
            self.connection.close()
