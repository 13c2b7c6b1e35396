"""The target of a port, beside that of its original."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from buildfiles import loads
from buildfiles.deps import changes, order
from buildfiles.lists import code_list, edited
from buildfiles.parsed import BuildFile, Target, quoted

_LIBRARIES = ("py_library", "py_binary")
#: What a twin has of its original, in the order that buildifier gives them.
_INHERITED = ("testonly", "tags", "visibility")


@dataclasses.dataclass(frozen=True)
class Twin:
    """A port's py_library.

    Attributes:
      name: of the target; its source is NAME.py.
      original: the original's file.
      deps: labels that the port needs.
      managed: labels that may have been put there before, and go where they are not among deps.
    """

    name: str
    original: str
    deps: tuple[str, ...]
    managed: Sequence[str] = ()


def with_twin(text: str, twin: Twin, path: str) -> str:
    """The text of a BUILD file with the port's target in it; all else stays as it is.

    A target that is there keeps what a person gave it: of its deps only those change that runs like this one put
    there. One with other sources is left alone. A new one has the visibility, the tags and testonly of the
    library that the original is in, and stands below it, or at the end of the file where there is none.

    Raises:
      BadInputError: the text can't be parsed.
    """
    file = BuildFile(text, path)
    there = file.target(twin.name)
    if there is not None:
        return _updated(file, there, twin)
    original = file.with_source(twin.original, *_LIBRARIES)
    new = _code(file, twin, original)
    if original is None:
        text = text if not text or text.endswith("\n") else text + "\n"
        placed = f"{text}\n{new}" if text else new
    else:
        placed = file.after(original, new)
    return loads.with_py_library(placed)


def _updated(file: BuildFile, there: Target, twin: Twin) -> str:
    value = there.value("deps")
    old = there.strings("deps") if value is not None else []
    if there.strings("srcs") != [f"{twin.name}.py"] or old is None:
        return file.text
    gone, new = changes(old, twin.deps, twin.managed)
    if not gone and not new:
        return file.text
    if value is not None:
        return file.replaced(value, edited(value, gone, new))
    return file.with_attribute(there, "deps", code_list(sorted(new, key=order)))


def _code(file: BuildFile, twin: Twin, original: Target | None) -> str:
    """The target as buildifier would lay it out."""
    attributes = [("name", quoted(twin.name))]
    inherited = {} if original is None else {name: original.value(name) for name in _INHERITED}
    if inherited.get("testonly") is not None:
        attributes.append(("testonly", file.module.code_for_node(inherited["testonly"])))  # type: ignore[arg-type]
    attributes.append(("srcs", f"[{quoted(twin.name + '.py')}]"))
    for name in ("tags", "visibility"):
        if inherited.get(name) is not None:
            attributes.append((name, file.module.code_for_node(inherited[name])))  # type: ignore[arg-type]
    if twin.deps:
        attributes.append(("deps", file.module.code_for_node(code_list(sorted(set(twin.deps), key=order)))))
    rows = "".join(f"    {name} = {value},\n" for name, value in attributes)
    return f"py_library(\n{rows})\n"
