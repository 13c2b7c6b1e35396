"""Gives the name of an original's target to its port, and takes it back."""

from __future__ import annotations

import libcst as cst
import libcst.matchers as m

from buildfiles.parsed import BuildFile, Target, quoted
from parity.errors import BadInputError

_SUFFIX = "_tensorflow"


def with_alias(text: str, name: str, twin: str, path: str, back: str) -> str:
    """The original becomes NAME_tensorflow, and NAME an alias of the port, with the original's visibility.

    Args:
      text: of the BUILD file.
      name: of the original's target.
      twin: of the port's.
      path: how messages name the file.
      back: the command that undoes this, for a comment.

    Raises:
      BadInputError: the targets are not there, or the cut-over was made before.
    """
    file = BuildFile(text, path)
    if file.target(name + _SUFFIX) is not None:
        raise BadInputError(f"{name}{_SUFFIX} is there: the cut-over was made; undo it with {back}", path)
    original, port = _target(file, name), _target(file, twin)
    if original.rule == "alias":
        raise BadInputError(f"{name} is an alias, not the original", path, file.line(original))
    visibility = original.value("visibility") or port.value("visibility")
    rows = [("name", quoted(name)), ("actual", quoted(f":{twin}"))]
    if visibility is not None:
        rows.append(("visibility", file.module.code_for_node(visibility)))
    alias = "".join(f"    {key} = {value},\n" for key, value in rows)
    block = f"# The port; back to the original: {back}\nalias(\n{alias})\n"
    renamed = BuildFile(_renamed(original, file, name + _SUFFIX), path)
    return renamed.after(_target(renamed, name + _SUFFIX), block)


def without_alias(text: str, name: str, path: str) -> str:
    """Undoes `with_alias`, to the same bytes.

    Raises:
      BadInputError: there is no cut-over to undo.
    """
    file = BuildFile(text, path)
    _, alias = _cut(file, name)
    left = BuildFile(_without(file, alias), path)
    return _renamed(_target(left, name + _SUFFIX), left, name)


def without_original(text: str, name: str, path: str) -> str:
    """Takes the alias and the original's target out, once nothing needs them.

    Raises:
      BadInputError: there was no cut-over, or a target of this file still needs one of the two.
    """
    file = BuildFile(text, path)
    original, alias = _cut(file, name)
    for target in file.targets:
        for needed in (original.name, alias.name):
            if target not in (original, alias) and _mentions(target, needed):
                reason = f"{target.name} needs :{needed}; change that first"
                raise BadInputError(reason, path, file.line(target))
    first = BuildFile(_without(file, alias), path)
    return _without(first, _target(first, original.name))


def _target(file: BuildFile, name: str) -> Target:
    found = file.target(name)
    if found is None:
        known = ", ".join(target.name for target in file.targets[:8])
        raise BadInputError(f"has no target {name}" + (f"; it has {known}" if known else ""), file.path)
    return found


def _cut(file: BuildFile, name: str) -> tuple[Target, Target]:
    """The original and the alias of a cut-over."""
    alias, original = file.target(name), file.target(name + _SUFFIX)
    if alias is None or alias.rule != "alias" or original is None:
        raise BadInputError(f"there is no cut-over of {name}: no alias of that name and {name}{_SUFFIX}", file.path)
    return original, alias


def _mentions(target: Target, name: str) -> bool:
    """Does any attribute hold the label? Also in lists that are put together."""
    return any(string.evaluated_value == f":{name}" for string in m.findall(target.call, m.SimpleString()))  # type: ignore[attr-defined]


def _renamed(target: Target, file: BuildFile, name: str) -> str:
    """The file with another name for a target of it."""
    value = target.value("name")
    assert value is not None
    return file.replaced(value, cst.SimpleString(quoted(name)))


def _without(file: BuildFile, target: Target) -> str:
    """The file without a target, the comments right above it, and the blank line above them."""
    lines = file.text.splitlines(keepends=True)
    start, end = file.line(target) - 1, file.last_line(target)
    while start and lines[start - 1].lstrip().startswith("#"):
        start -= 1
    if start and not lines[start - 1].strip():
        start -= 1
    elif end < len(lines) and not lines[end].strip():
        end += 1
    return "".join([*lines[:start], *lines[end:]])
