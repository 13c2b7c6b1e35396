"""Targets of a workspace whose BUILD files know nothing of this tool, asked of `bazel query`."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import posixpath
import re
import subprocess
import textwrap
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping, Sequence

from auditing.targets import Broken, Target
from buildfiles.place import build_file

#: Attributes that name what a target needs when it runs.
_DEPS = ("deps", "runtime_deps", "actual")


_PLACED = re.compile(r"ERROR: (?P<file>/\S+?):(?P<line>\d+):\d+: (?P<message>.*)")
_PACKAGE = re.compile(r"ERROR: error loading package '(?P<package>[^']*)': (?P<message>.*)")
_SKIPPED = re.compile(r"ERROR: Skipping '(?P<pattern>.+?)': (?P<message>no such .*)")


class QueryError(Exception):
    """Bazel could not answer; the message is for the user."""


class Targets(dict[str, Target]):
    """Targets by label, and the places in BUILD files that Bazel could not read: those of whole packages are missing."""

    def __init__(self, known: Mapping[str, Target], broken: Iterable[Broken] = ()):
        super().__init__(known)
        self.broken = tuple(sorted(set(broken)))


def targets(
    bazel: Sequence[str], workspace: pathlib.Path, patterns: Sequence[str], kinds: str = r"py|^alias$"
) -> Targets:
    """Python targets that the patterns name and those of the same repository that they depend on.

    Args:
      bazel: the command, with startup options.
      workspace: the root of the repository.
      patterns: target patterns; `-//x/...` leaves out.
      kinds: a regular expression for classes of rules that are Python targets; `filegroup`s among their
        sources are looked into.

    Raises:
      QueryError: Bazel failed for a reason other than single broken packages, or a pattern names nothing.
    """
    known: dict[str, Target] = {}
    broken: list[Broken] = []
    named: set[str] = set()
    wanted = _expression(patterns)
    while wanted:
        query = f'attr("srcs", "[.]py[,\\]]", {wanted}) + kind("({kinds}|^filegroup$)", {wanted})'
        xml, errors = _query(bazel, workspace, query)
        if not named:
            _check_patterns(errors)
        broken += _broken(errors, workspace)
        known |= {target.label: target for target in parsed(xml)}
        python = {label: t for label, t in known.items() if re.search(kinds, t.kind)}
        ours = {label for t in python.values() for label in (*t.deps, *t.files) if label.startswith("//")}
        missing = sorted(ours - known.keys() - named)
        named |= set(missing)
        wanted = f"set({' '.join(missing)})" if missing else ""
    return Targets({label: _expanded(target, known) for label, target in sorted(python.items())}, broken)


def _expanded(target: Target, known: Mapping[str, Target]) -> Target:
    """A target with the files of its filegroups in their place."""
    files: set[str] = set()
    todo, seen = list(target.files), set()
    while todo:
        file = todo.pop()
        if not file.startswith("//"):
            files.add(file)
        elif file in known and file not in seen:
            seen.add(file)
            todo.extend(known[file].files)
    deps = tuple(dep for dep in target.deps if not dep.startswith("//") or dep in known)
    return dataclasses.replace(target, files=tuple(sorted(files)), deps=deps)


def _expression(patterns: Sequence[str]) -> str:
    plus = " + ".join(p for p in patterns if not p.startswith("-")) or "//..."
    minus = "".join(f" - {p[1:]}" for p in patterns if p.startswith("-"))
    return f"({plus}{minus})"


def _query(bazel: Sequence[str], workspace: pathlib.Path, expression: str) -> tuple[bytes, list[str]]:
    """What Bazel prints, and its errors: packages that it could not read are left out."""
    command = [*bazel, "query", "--output=xml", "--keep_going", "--noimplicit_deps", "--order_output=no", expression]
    ran = subprocess.run(command, cwd=workspace, capture_output=True, check=False)
    errors = [line for line in ran.stderr.decode(errors="replace").splitlines() if line.startswith("ERROR")]
    if ran.returncode not in (0, 3):
        raise QueryError(f"bazel query failed ({ran.returncode}): {errors[-1] if errors else expression}")
    return ran.stdout, errors


def _check_patterns(errors: Iterable[str]) -> None:
    """Raises `QueryError` where a label that a person gave names nothing."""
    for found in filter(None, map(_SKIPPED.match, errors)):
        raise QueryError(f"{found['pattern']}: {found['message'].partition(': ')[0]}")


def _broken(errors: Sequence[str], workspace: pathlib.Path) -> list[Broken]:
    """The places that errors name; for a package that none names a line of, the file as a whole."""
    broken = [
        Broken(os.path.relpath(found["file"], workspace), int(found["line"]), found["message"])
        for found in filter(None, map(_PLACED.match, errors))
    ]
    known = {posixpath.dirname(place.file) for place in broken}
    for found in filter(None, map(_PACKAGE.match, errors)):
        if found["package"] not in known:
            file = build_file(workspace / found["package"])
            name = file.name if file is not None else "BUILD"
            message = textwrap.shorten(found["message"], 200, placeholder=" ...")
            broken.append(Broken(posixpath.join(found["package"], name), 1, message))
    return broken


def parsed(xml: bytes) -> Iterable[Target]:
    """Targets of `bazel query --output=xml`; labels among their `files` are other rules."""
    if not xml.strip():
        return
    for rule in ET.fromstring(xml).iter("rule"):
        label = rule.get("name", "")
        if not _is_ours(label):
            continue
        label = short(label)
        package = label[2:].partition(":")[0]
        lists = {node.get("name"): [value.get("value", "") for value in node] for node in rule.findall("list")}
        lists |= {node.get("name"): [node.get("value", "")] for node in rule.findall("label")}
        sources = [path_of(s) if s.endswith(".py") else short(s) for s in lists.get("srcs", ()) if _is_ours(s)]
        deps = sorted({short(dep) for name in _DEPS for dep in lists.get(name, ())})
        roots = tuple(posixpath.normpath(posixpath.join(package, i)) for i in lists.get("imports", ()))
        yield Target(
            label, rule.get("class", ""), tuple(sorted(sources)), tuple(deps), tuple(r for r in roots if r != ".")
        )


def _is_ours(label: str) -> bool:
    return label.startswith(("//", "@//", "@@//"))


def short(label: str) -> str:
    """One spelling of a label: `@@//a:b` to `//a:b`, `//a` to `//a:a`; canonical repository names lose a `@`."""
    if _is_ours(label):
        label = label.lstrip("@")
        package = label[2:]
        return label if ":" in label else f"{label}:{package.rsplit('/', 1)[-1]}"
    return "@" + label.lstrip("@") if label.startswith("@@") else label


def path_of(label: str) -> str:
    """The path of a source file's label below the root."""
    package, _, name = short(label)[2:].partition(":")
    return f"{package}/{name}" if package else name
