"""Facts of the original's run, looked up by place in the source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from codemods.engine.outcome import Span


def _leaves(tree: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(tree, Mapping) and "shape" in tree and "dtype" in tree:
        yield tree
    elif isinstance(tree, Mapping):
        for key in tree:
            yield from _leaves(tree[key])
    elif isinstance(tree, list):
        for item in tree:
            yield from _leaves(item)


class Trace:
    """A parsed trace.json; an empty one where the original was not run."""

    def __init__(self, data: Mapping[str, Any] | None = None):
        self.data = data or {}
        self.objects: list[Mapping[str, Any]] = list(self.data.get("objects", ()))
        self._by_site: dict[tuple[str, int, int], list[Mapping[str, Any]]] = {}
        self._under: dict[tuple[str, int, int], list[Mapping[str, Any]]] = {}
        for entry in self.objects:
            for site in entry.get("site") or ():
                self._under.setdefault((site["file"], site["line"], site["column"]), []).append(entry)
            if entry.get("site"):
                site = entry["site"][-1]
                self._by_site.setdefault((site["file"], site["line"], site["column"]), []).append(entry)

    def made_at(self, span: Span) -> list[Mapping[str, Any]]:
        """Objects whose constructor call stands at `span`."""
        return self._by_site.get((span.file, span.line, span.column), [])

    def made_under(self, span: Span) -> list[Mapping[str, Any]]:
        """Objects made while the call at `span` ran."""
        return self._under.get((span.file, span.line, span.column), [])

    def instances(self, name: str) -> list[Mapping[str, Any]]:
        """Objects of a user class."""
        return [entry for entry in self.objects if entry["class"] == name and entry.get("user")]

    def inputs(self, entries: list[Mapping[str, Any]]) -> set[tuple[int | None, ...]]:
        """Shapes of the first input over all calls, batch left out."""
        shapes = set()
        for entry in entries:
            for call in entry.get("calls", ()):
                for leaf in list(_leaves(call.get("inputs")))[:1]:
                    shapes.add((None, *leaf["shape"][1:]))
        return shapes

    def input_tree(self, entry: Mapping[str, Any]) -> Any:
        """Inputs of one traced call of `call`, as a tree of shapes and dtypes."""
        for call in entry.get("calls", ()):
            if call.get("method") in (None, "call", "__call__"):
                return call
        return None

    @property
    def root(self) -> Mapping[str, Any] | None:
        """The object under test; None where there are several, or it is a plain function."""
        index = self.data.get("root")
        return self.objects[index] if isinstance(index, int) else None

    @property
    def roots(self) -> list[tuple[tuple[str, ...], int]]:
        """Ids of the objects under test, with their paths in the entry's value."""
        return list(_ids(self.data.get("root"), ()))


def _ids(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], int]]:
    items: Any = ()
    if isinstance(value, Mapping):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    elif value is not None:
        yield path, value
    for key, item in items:
        yield from _ids(item, (*path, str(key)))
