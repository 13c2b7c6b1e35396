"""The files of a package that a port takes in: those that reach TensorFlow through the entry's imports."""

from __future__ import annotations

import ast
import dataclasses
import pathlib
from collections.abc import Iterator

from codemods.engine.api import ROOTS


@dataclasses.dataclass(frozen=True)
class ImportedName:
    """One name that an import statement binds.

    Attributes:
      module: dotted name of the module, absolute.
      name: what is taken from it; `*` for all, empty for the module itself.
      bound: the name that it gets.
    """

    module: str
    name: str
    bound: str


@dataclasses.dataclass(frozen=True)
class SourceFile:
    """One file: its path below the root, its dotted name, its text and the imports at module level."""

    path: str
    module: str
    text: str
    imports: tuple[ImportedName, ...]

    @property
    def package(self) -> str:
        """The package that relative imports start from."""
        return self.module if self.path.endswith("__init__.py") else self.module.rpartition(".")[0]


class Package:
    """Files below a root, read as they are asked for."""

    def __init__(self, root: pathlib.Path):
        self.root = root
        self._read: dict[str, SourceFile | None] = {}

    def module(self, dotted: str) -> SourceFile | None:
        """The file of a module, None where it is none of the root's, or can't be parsed."""
        if dotted not in self._read:
            self._read[dotted] = self._find(dotted)
        return self._read[dotted]

    def _find(self, dotted: str) -> SourceFile | None:
        if not dotted or dotted.partition(".")[0] in ROOTS:
            return None
        base = self.root.joinpath(*dotted.split("."))
        for path in (base.with_suffix(".py"), base / "__init__.py"):
            if path.is_file():
                return self.file(path.relative_to(self.root).as_posix())
        return None

    def file(self, path: str) -> SourceFile | None:
        """A file by its path below the root."""
        parts = list(pathlib.PurePosixPath(path).with_suffix("").parts)
        dotted = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        try:
            text = (self.root / path).read_text(encoding="utf-8")
            tree = ast.parse(text)
        except (OSError, UnicodeDecodeError, SyntaxError, ValueError):
            return None
        package = dotted if path.endswith("__init__.py") else dotted.rpartition(".")[0]
        return SourceFile(path, dotted, text, tuple(_imports(tree, package)))

    def below(self, file: SourceFile) -> list[SourceFile]:
        """Files of the root that a file imports at module level, each once, in order."""
        found: dict[str, SourceFile] = {}
        for entry in file.imports:
            target = self.target(entry)
            if target is not None and target.path != file.path:
                found.setdefault(target.path, target)
        return list(found.values())

    def target(self, entry: ImportedName) -> SourceFile | None:
        """The file that an import reads: the submodule, if the name is one."""
        inner = self.module(f"{entry.module}.{entry.name}") if entry.name not in ("", "*") else None
        return inner or self.module(entry.module)


def linked_files(root: pathlib.Path, path: str) -> list[SourceFile]:
    """The entry's file and those that it reaches and that reach TensorFlow; what is imported comes first.

    Args:
      root: the folder that imports start from.
      path: the entry's file below it.
    """
    package = Package(root)
    entry = package.file(path)
    if entry is None:
        return []
    order: list[SourceFile] = []
    seen: set[str] = set()

    def visit(file: SourceFile) -> None:
        if file.path in seen:
            return  # also in cycles: one of them has to come first
        seen.add(file.path)
        for other in package.below(file):
            visit(other)
        order.append(file)

    visit(entry)
    reaching = {file.path for file in order if any(i.module.partition(".")[0] in ROOTS for i in file.imports)}
    while True:
        more = {f.path for f in order if f.path not in reaching and any(o.path in reaching for o in package.below(f))}
        if not more:
            break
        reaching |= more
    return [file for file in order if file.path in reaching or file.path == path]


def _imports(tree: ast.Module, package: str) -> Iterator[ImportedName]:
    """Imports at module level, those under `if` and `try` included."""
    todo: list[ast.stmt] = list(tree.body)
    while todo:
        node = todo.pop(0)
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield ImportedName(alias.name, "", alias.asname or alias.name)
        elif isinstance(node, ast.ImportFrom):
            module = absolute(node.module or "", node.level, package)
            for alias in node.names:
                yield ImportedName(module, alias.name, alias.asname or alias.name)
        elif isinstance(node, ast.If | ast.Try):
            todo = [*node.body, *node.orelse, *getattr(node, "finalbody", []), *todo]


def absolute(module: str, level: int, package: str) -> str:
    """The absolute name of a module that an import names, `level` dots before it."""
    if not level:
        return module
    parts = package.split(".") if package else []
    base = parts[: len(parts) - level + 1]
    return ".".join([*base, *([module] if module else [])])
