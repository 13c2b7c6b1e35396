"""What the names of linked files stand for: definitions in one of them, followed through re-exports."""

from __future__ import annotations

import ast
import dataclasses
import pathlib

from codemods.linking.files import ImportedName, Package, SourceFile


@dataclasses.dataclass(frozen=True)
class Definition:
    """A name that a file binds at module level."""

    path: str
    name: str


class Bindings:
    """Definitions and imports of linked files."""

    def __init__(self, root: pathlib.Path, files: list[SourceFile]):
        self.package = Package(root)
        self.files = {file.path: file for file in files}
        self.defined = {file.path: _defined(file.text) for file in files}

    def exported(self, path: str) -> list[str]:
        """What `from file import *` binds."""
        every = _all_of(self.files[path].text)
        if every is not None:
            return every
        names = [*self.defined[path], *self.imported(path)]
        return sorted({name for name in names if not name.startswith("_") and "." not in name})

    def imported(self, path: str) -> dict[str, ImportedName]:
        """Imports of linked files by the name they bind, stars taken apart."""
        found: dict[str, ImportedName] = {}
        for entry in self.files[path].imports:
            target = self.package.target(entry)
            if target is None or target.path not in self.files or target.path == path:
                continue
            if entry.name == "*":
                found |= {name: ImportedName(entry.module, name, name) for name in self.exported(target.path)}
            else:
                found[entry.bound] = entry
        return found

    def resolve(self, path: str, name: str) -> Definition | str | None:
        """What a module-level name of a file is: a definition, the path of a linked module, or None for others."""
        seen: set[tuple[str, str]] = set()
        while (path, name) not in seen:
            seen.add((path, name))
            if name in self.defined[path]:
                return Definition(path, name)
            entry = self.imported(path).get(name)
            if entry is None:
                return None
            target = self.package.target(entry)
            assert target is not None
            whole = (
                self.package.module(f"{entry.module}.{entry.name}") if entry.name else self.package.module(entry.module)
            )
            if whole is not None and whole.path == target.path:
                return target.path
            path, name = target.path, entry.name
        return None


def _defined(text: str) -> list[str]:
    """Names bound at module level by definitions and assignments, in order."""
    found: dict[str, None] = {}
    todo: list[ast.stmt] = list(ast.parse(text).body)
    while todo:
        node = todo.pop(0)
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found[node.name] = None
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.For | ast.With):
            bound = [n for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
            found |= dict.fromkeys(n.id for n in bound)
        if isinstance(node, ast.If | ast.Try | ast.For | ast.With):
            todo = [*node.body, *getattr(node, "orelse", []), *todo]
    return list(found)


def _all_of(text: str) -> list[str] | None:
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets):
            try:
                return sorted(ast.literal_eval(node.value))
            except ValueError:
                return None
    return None
