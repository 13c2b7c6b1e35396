"""Joins files into one module in which every definition has a name of its own."""

from __future__ import annotations

import dataclasses
import pathlib

import libcst as cst
from libcst import metadata

from codemods.engine.outcome import Span
from codemods.engine.scopes import Scopes
from codemods.engine.walk import children, walk
from codemods.linking.files import SourceFile, absolute
from codemods.linking.names import Bindings, Definition


@dataclasses.dataclass
class Linked:
    """Several files as one module.

    Attributes:
      text: the module.
      files: the files, in the order in which they stand in it.
      statements: how many statements of the module each file has.
      names: for each definition, its name in the module.
      places: where nodes of the module stand in their files, by line and column in the module.
      lines: the file and line of every line of the module.
      ends: where nodes of the module end in their files, by where they end in the module; renamed names are of other
        lengths, so ends do not follow from beginnings.
    """

    text: str
    files: list[SourceFile]
    statements: list[int]
    names: dict[Definition, str]
    places: dict[tuple[int, int], Span]
    lines: list[tuple[str, int]]
    ends: dict[tuple[int, int], tuple[int, int]] = dataclasses.field(default_factory=dict)

    def span(self, line: int, column: int, end_line: int, end_column: int) -> Span:
        """The place in its file of something in the module."""
        found = self.places.get((line, column))
        if found is not None:
            end = self.ends.get((end_line, end_column))
            if end is not None and end >= (found.line, found.column):
                return dataclasses.replace(found, end_line=end[0], end_column=end[1])
            shift = found.column - column if end_line == line else 0
            return dataclasses.replace(found, end_line=found.line + end_line - line, end_column=end_column + shift)
        file, first = self.lines[min(line, len(self.lines)) - 1]
        return Span(file, first, column, first + end_line - line, end_column)


def link(root: pathlib.Path, files: list[SourceFile]) -> Linked:
    """Joins files that import each other; what is imported stands first.

    Args:
      root: the folder that imports start from.
      files: from `linked_files`; the last is the entry's.
    """
    bindings = Bindings(root, files)
    names = _distinct(bindings, files)
    texts: list[str] = []
    counts: list[int] = []
    places: dict[tuple[int, int], Span] = {}
    lines: list[tuple[str, int]] = []
    ends: dict[tuple[int, int], tuple[int, int]] = {}
    for file in files:
        rename = _Renames(bindings, names, file)
        text, pairs = rename.apply()
        offset = len(lines)
        for old, new in pairs:
            places[new.start.line + offset, new.start.column] = Span(file.path, old.start.line, old.start.column)
            ends[new.end.line + offset, new.end.column] = (old.end.line, old.end.column)
        counts.append(rename.statements)
        texts.append(text)
        lines += [(file.path, rename.line_of(i + 1)) for i in range(len(text.splitlines()))]
    return Linked("".join(texts), files, counts, names, places, lines, ends)


def _distinct(bindings: Bindings, files: list[SourceFile]) -> dict[Definition, str]:
    """The entry's names stay as they are; another file's get its name added where they are taken."""
    taken: dict[str, str] = {}
    found: dict[Definition, str] = {}
    for file in reversed(files):
        stem = pathlib.PurePosixPath(file.path).stem.strip("_")
        for name in bindings.defined[file.path]:
            new = name
            while taken.get(new, file.path) != file.path:
                new = f"{new}__{stem}"
            taken[new] = file.path
            found[Definition(file.path, name)] = new
    return found


class _Renames:
    """One file's text with the module's names in place of its own."""

    def __init__(self, bindings: Bindings, names: dict[Definition, str], file: SourceFile):
        self.bindings, self.names, self.file = bindings, names, file
        self.wrapper = metadata.MetadataWrapper(cst.parse_module(file.text), unsafe_skip_copy=True)
        self.scopes = Scopes(self.wrapper.module)
        self.statements = 0
        self._line: dict[int, int] = {}

    def apply(self) -> tuple[str, list[tuple[metadata.CodeRange, metadata.CodeRange]]]:
        """The text, and pairs of places of what it kept: in the file, in the text."""
        module = self.wrapper.module
        before = self.wrapper.resolve(metadata.PositionProvider)
        replaced: dict[cst.CSTNode, cst.CSTNode] = {}
        for node in walk(module):
            new = self._replacement(node)
            if new is not None:
                replaced[node] = new
        body = [s for s in (self._statement(s) for s in module.body) if s is not None]
        kept = module.with_changes(body=body, header=[], footer=[])
        swap = _Swap(replaced)
        new_module = kept.visit(swap)
        assert isinstance(new_module, cst.Module)
        if not new_module.has_trailing_newline:
            new_module = new_module.with_changes(has_trailing_newline=True)
        text = module.with_changes(body=[], footer=[], has_trailing_newline=True).code.rstrip("\n")
        text = (text + "\n" if text else "") + new_module.code
        self.statements = len(new_module.body)
        wrapper = metadata.MetadataWrapper(cst.parse_module(text), unsafe_skip_copy=True)
        after = wrapper.resolve(metadata.PositionProvider)
        pairs = []
        for old, new in zip(_spine(kept, replaced), _spine(wrapper.module, {}), strict=False):
            a, b = before.get(old), after.get(new)
            if a is not None and b is not None:
                pairs.append((a, b))
                self._line.setdefault(b.start.line, a.start.line)
        return text, pairs

    def line_of(self, line: int) -> int:
        """The file's line of a line of the text: the nearest known one before it."""
        while line > 0 and line not in self._line:
            line -= 1
        return self._line.get(line, 1)

    def _statement(self, node: cst.BaseStatement) -> cst.BaseStatement | None:
        """A statement without its imports of linked files."""
        if not isinstance(node, cst.SimpleStatementLine):
            return node
        small = [s for s in (self._import(s) for s in node.body) if s is not None]
        if len(small) == len(node.body) and all(a is b for a, b in zip(small, node.body, strict=True)):
            return node
        return node.with_changes(body=small) if small else None

    def _import(self, node: cst.BaseSmallStatement) -> cst.BaseSmallStatement | None:
        if not isinstance(node, cst.ImportFrom | cst.Import):
            return node
        names = node.names
        if isinstance(names, cst.ImportStar):
            return None if self._is_linked_star(node) else node  # type: ignore[arg-type]
        kept = [a for a in names if not self._is_linked(a.evaluated_alias or a.evaluated_name)]
        if len(kept) == len(names):
            return node
        if not kept:
            return None
        kept[-1] = kept[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        return node.with_changes(names=kept)

    def _is_linked(self, bound: str) -> bool:
        return bound in self.bindings.imported(self.file.path)

    def _is_linked_star(self, node: cst.ImportFrom) -> bool:
        names = {entry.module for entry in self.bindings.imported(self.file.path).values()}
        module = absolute(_dotted(node.module), len(node.relative), self.file.package)
        return module in names

    def _replacement(self, node: cst.CSTNode) -> cst.CSTNode | None:
        """The name of the module for a name or chain of the file that stands for a linked definition."""
        if isinstance(node, cst.ClassDef | cst.FunctionDef) and node in self.wrapper.module.body:
            new = self.names.get(Definition(self.file.path, node.name.value))
            return None if new in (None, node.name.value) else node.name.with_changes(value=new)
        if isinstance(node, cst.Name):
            if not self._at_module_level(node):
                return None
            found = self.bindings.resolve(self.file.path, node.value)
            return self._named(found, node)
        if isinstance(node, cst.Attribute):
            root, tail = _chain(node)
            if root is None or not self._at_module_level(root):
                return None
            return self._named(self._through(root.value, tail), node)
        return None

    def _through(self, name: str, tail: list[str]) -> Definition | None:
        """What `name.a.b` is, where all but the last part are modules; the whole chain, no prefix of it."""
        found = self.bindings.resolve(self.file.path, name)
        dotted = name
        for i, part in enumerate(tail):
            if isinstance(found, str):
                inner = self.bindings.resolve(found, part)
            else:
                dotted = f"{dotted}.{part}"
                entry = self.bindings.imported(self.file.path).get(dotted)
                inner = None
                if entry is not None:
                    target = self.bindings.package.target(entry)
                    inner = target.path if target is not None else None
                elif i == len(tail) - 1:
                    return None
            if isinstance(inner, Definition):
                return inner if i == len(tail) - 1 else None
            if inner is not None:
                found = inner
        return None

    def _named(self, found: Definition | str | None, node: cst.BaseExpression) -> cst.Name | None:
        if not isinstance(found, Definition):
            return None
        new = self.names[found]
        if isinstance(node, cst.Name) and node.value == new:
            return None
        return cst.Name(new, lpar=node.lpar, rpar=node.rpar)

    def _at_module_level(self, node: cst.Name) -> bool:
        if node not in self.scopes.scope_of:
            return False  # the name of a keyword or attribute
        found = self.scopes.bindings(node)
        return (
            bool(found)
            and all(b.scope is self.scopes.module for b in found)
            or (not found and node.value in self.bindings.imported(self.file.path))
        )


class _Swap(cst.CSTTransformer):
    """Puts new nodes in place of others; what is below a new node is not looked at."""

    def __init__(self, replaced: dict[cst.CSTNode, cst.CSTNode]):
        self.replaced = replaced

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> cst.CSTNode:  # type: ignore[override]
        new = self.replaced.get(original_node)
        if new is None:
            return updated_node
        if isinstance(updated_node, cst.ClassDef | cst.FunctionDef):
            return updated_node.with_changes(name=new)
        return new


def _spine(node: cst.CSTNode, replaced: dict[cst.CSTNode, cst.CSTNode]) -> list[cst.CSTNode]:
    """Nodes in the order of the source, those below a replaced chain left out."""
    found: list[cst.CSTNode] = []
    todo = [node]
    while todo:
        current = todo.pop()
        found.append(current)
        if current in replaced and not isinstance(current, cst.ClassDef | cst.FunctionDef):
            continue
        todo.extend(reversed(children(current)))
    return found


def _chain(node: cst.Attribute) -> tuple[cst.Name | None, list[str]]:
    tail: list[str] = []
    current: cst.BaseExpression = node
    while isinstance(current, cst.Attribute):
        tail.insert(0, current.attr.value)
        current = current.value
    return (current if isinstance(current, cst.Name) else None), tail


def _dotted(node: cst.BaseExpression | None) -> str:
    if isinstance(node, cst.Attribute):
        return f"{_dotted(node.value)}.{node.attr.value}"
    return node.value if isinstance(node, cst.Name) else ""
