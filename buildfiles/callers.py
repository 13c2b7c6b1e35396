"""Who imports an original, and how they would import its port."""

from __future__ import annotations

import dataclasses
import pathlib
import subprocess
from collections.abc import Iterator

import libcst as cst
from libcst import metadata
from libcst.helpers import get_absolute_module_from_package_for_import, get_full_name_for_node


@dataclasses.dataclass(frozen=True)
class Import:
    """An import of the original.

    Attributes:
      file: below the repository's root.
      line: of the statement.
      text: as written.
      switched: the same of the port; None where names in the file would have to change, too.
    """

    file: str
    line: int
    text: str
    switched: str | None


def sources(workspace: pathlib.Path) -> list[str]:
    """Python files of a repository: those that git knows of, else all."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
        cwd=workspace, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode == 0:
        return sorted(set(listed.stdout.splitlines()))
    return sorted(p.relative_to(workspace).as_posix() for p in workspace.rglob("*.py") if "bazel-" not in p.as_posix())


def dotted(file: str) -> str:
    """The name that a file is imported by, from the repository's root."""
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def switched(code: str, file: str, old: str, new: str) -> tuple[str, list[Import]]:
    """A file with imports of a port in the place of those of its original, and all such imports.

    Names in the file stay: `from models import tagger` becomes `from models import tagger_jax as tagger`.

    Args:
      code: of the file.
      file: below the repository's root.
      old: dotted name of the original's module.
      new: of the port's.
    """
    try:
        wrapper = metadata.MetadataWrapper(cst.parse_module(code), unsafe_skip_copy=True)
    except cst.ParserSyntaxError:
        return code, []
    switch = _Switch(file, old, new)
    module = wrapper.visit(switch)
    return module.code, switch.found


class _Switch(cst.CSTTransformer):
    METADATA_DEPENDENCIES = (metadata.PositionProvider,)

    def __init__(self, file: str, old: str, new: str):
        super().__init__()
        self.file, self.found = file, list[Import]()
        self.around = file.rpartition("/")[0].replace("/", ".")
        self.old, self.new = old, new
        self.package, _, self.name = old.rpartition(".")
        self.port = new.rpartition(".")[2]

    def leave_ImportFrom(self, original_node: cst.ImportFrom, updated_node: cst.ImportFrom) -> cst.ImportFrom:
        module = get_absolute_module_from_package_for_import(self.around, original_node)
        if module == self.old:
            new = updated_node.with_changes(module=self._renamed(original_node.module))
            self._keep(original_node, new)
            return new
        if module != self.package or isinstance(original_node.names, cst.ImportStar):
            return updated_node
        names = list(self._aliases(original_node.names))
        if names == list(original_node.names):
            return updated_node
        new = updated_node.with_changes(names=names)
        self._keep(original_node, new)
        return new

    def leave_Import(self, original_node: cst.Import, updated_node: cst.Import) -> cst.Import:
        names, plain = [], False
        for alias in original_node.names:
            if get_full_name_for_node(alias.name) != self.old:
                names.append(alias)
            elif alias.asname is None:
                plain = True
                names.append(alias)
            else:
                names.append(alias.with_changes(name=self._renamed(alias.name)))
        if plain:
            self._keep(original_node, None)
            return updated_node
        if names == list(original_node.names):
            return updated_node
        new = updated_node.with_changes(names=names)
        self._keep(original_node, new)
        return new

    def _aliases(self, names: object) -> Iterator[cst.ImportAlias]:
        for alias in names:  # type: ignore[attr-defined]
            if isinstance(alias.name, cst.Name) and alias.name.value == self.name:
                asname = alias.asname or cst.AsName(cst.Name(self.name))
                alias = alias.with_changes(name=cst.Name(self.port), asname=asname)
            yield alias

    def _renamed(self, node: cst.BaseExpression | None) -> cst.BaseExpression:
        """The module's last name is another one."""
        if isinstance(node, cst.Attribute):
            return node.with_changes(attr=cst.Name(self.port))
        return cst.Name(self.port)

    def _keep(self, node: cst.CSTNode, new: cst.CSTNode | None) -> None:
        line = self.get_metadata(metadata.PositionProvider, node).start.line
        print_ = cst.Module([]).code_for_node
        self.found.append(Import(self.file, line, print_(node), None if new is None else print_(new)))
