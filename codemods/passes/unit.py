"""One source file being ported: what all passes share."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import libcst as cst
from libcst import metadata

from codemods.engine.api import ROOTS
from codemods.engine.edits import Edits
from codemods.engine.handled import handled
from codemods.engine.outcome import Residual, Span
from codemods.engine.resolve import Names
from codemods.engine.walk import root_name
from codemods.linking.link import Linked
from codemods.passes.modules import ModuleSpec
from codemods.passes.trace import Trace
from codemods.passes.values import Value, text

#: Framework classes whose subclasses become nnx.Module.
MODULE_BASES = handled(
    "tf.keras.Model",
    "tf.keras.layers.Layer",
    "tf.Module",
    "tf.keras.Sequential",
    becomes="subclasses become nnx.Module",
    shows="class Block(nnx.Module):",
    sample="""
    class Block(SYMBOL):
        def __init__(self):
            super().__init__()
            self.scale = tf.Variable(2.0)

        def __call__(self, x):
            return tf.nn.relu(x) * self.scale
    """,
)


@dataclasses.dataclass
class Note:
    span: Span
    text: str


class Unit:
    """State of one port: the tree, names, facts of the trace, and what came out so far."""

    def __init__(self, source: str, file: str, trace: Trace, linked: Linked | None = None, edits: Edits | None = None):
        """`linked`: where the parts of the source come from, if it is several files; `edits`: made to it before."""
        self.edits = edits or Edits()
        self.file = file
        self.linked = linked
        self.trace = trace
        module = cst.parse_module(source)
        self.wrapper = metadata.MetadataWrapper(module, unsafe_skip_copy=True)
        self.module = self.wrapper.module
        self._positions = self.wrapper.resolve(metadata.PositionProvider)
        self.names = Names(self.wrapper)
        self.residuals: list[tuple[str, Residual]] = []
        self.notes: list[Note] = []
        #: By function, place of the note, place of the call, and text: does the call touch a difference?
        self.differences: dict[tuple[str, Span, Span, str], bool] = {}
        self.imports: set[str] = set()
        self.helpers: dict[str, Any] = {}
        self.specs: dict[str, ModuleSpec] = {}
        self.globals: dict[str, Value] = {}
        #: Names that mean the same everywhere in the file.
        self.lasting: frozenset[str] = frozenset()
        self._fresh = 0
        self.classes: dict[str, cst.ClassDef] = {}
        self.functions: dict[str, cst.FunctionDef] = {}
        for statement in module_definitions(self.module):
            table: dict[str, Any] = self.classes if isinstance(statement, cst.ClassDef) else self.functions
            table[statement.name.value] = statement

    def span(self, node: cst.CSTNode) -> Span:
        """Where a node of the original stands."""
        position = self._positions.get(node)
        if position is None:
            return Span(self.file, 0, 0)
        start, end = position.start, position.end
        if self.linked is not None:
            return self.edits.original(self.linked.span(start.line, start.column, end.line, end.column))
        return self.edits.original(Span(self.file, start.line, start.column, end.line, end.column))

    def same_place(self, new: cst.CSTNode, old: cst.CSTNode) -> None:
        """A node that takes the place of one of the original."""
        if old in self._positions:
            self._positions = {**self._positions, new: self._positions[old]}

    def fresh(self, base: str) -> str:
        """An identifier that the user's code does not hold; replaced before anything is printed."""
        self._fresh += 1
        return f"__{base}_{self._fresh}__"

    @functools.cached_property
    def keras2(self) -> bool:
        """Does the original run on Keras 2? Without a trace: does it say so?"""
        if "keras" in self.trace.data:
            return str(self.trace.data["keras"]).startswith("tf_keras")
        return any(
            "tf_keras" in text(small)
            for statement in self.module.body
            for small in (statement.body if isinstance(statement, cst.SimpleStatementLine) else ())
            if isinstance(small, cst.Import | cst.ImportFrom)
        )

    def touched(self, is_left: Callable[[str], bool]) -> list[Note]:
        """What rules declare of the calls that they rewrote; not of those in definitions that are left as they were."""
        found = [
            (place, note)
            for (function, place, _, note), touches in self.differences.items()
            if touches and not is_left(function.split(".")[0])
        ]
        return [Note(*entry) for entry in dict.fromkeys(found)]

    def symbol(self, node: cst.BaseExpression) -> str | None:
        found = self.names.symbol(node)
        return found if isinstance(found, str) else None

    def module_symbol(self, node: cst.BaseExpression) -> str | None:
        """As `symbol`, for a chain of names in new code, as it would resolve at module level."""
        found = self.names.module_symbol(node)
        return found if isinstance(found, str) else None

    def residual(self, function: str, node: cst.CSTNode, symbol: str, reason: str) -> None:
        entry = (function, Residual(symbol, reason, self.span(node)))
        if entry not in self.residuals:
            self.residuals.append(entry)

    def notes_at(self, span: Span, text: str) -> None:
        entry = Note(span, text)
        if entry not in self.notes:
            self.notes.append(entry)

    def is_framework_import(self, node: cst.Import | cst.ImportFrom) -> bool:
        """Does an import statement bring TensorFlow or Keras?"""
        if isinstance(node, cst.ImportFrom):
            return node.module is not None and not node.relative and root_name(node.module) in FRAMEWORKS
        return all(root_name(alias.name) in FRAMEWORKS for alias in node.names)

    @functools.cached_property
    def framework_names(self) -> set[str]:
        """Names that imports of TensorFlow and Keras bind; code that stays needs them."""
        found: set[str] = set()
        for statement in self.module.body:
            for small in statement.body if isinstance(statement, cst.SimpleStatementLine) else ():
                if isinstance(small, cst.Import | cst.ImportFrom) and self.is_framework_import(small):
                    for alias in () if isinstance(small.names, cst.ImportStar) else small.names:
                        name = alias.asname.name if alias.asname is not None else alias.name
                        found |= {name.value} if isinstance(name, cst.Name) else set()
        return found

    def note(self, node: cst.CSTNode, text: str) -> None:
        entry = Note(self.span(node), text)
        if entry not in self.notes:
            self.notes.append(entry)

    def bases(self, name: str) -> list[str]:
        """Framework bases of a user class, nearest first, through its user bases."""
        found: list[str] = []
        node = self.classes.get(name)
        for base in node.bases if node else ():
            symbol = self.symbol(base.value)
            if symbol is not None:
                found.append(symbol)
            elif isinstance(base.value, cst.Name) and base.value.value != name:
                found.extend(self.bases(base.value.value))
        return found

    def is_module_class(self, name: str) -> bool:
        return any(base in MODULE_BASES for base in self.bases(name))


def module_definitions(module: cst.Module) -> Iterator[cst.ClassDef | cst.FunctionDef]:
    """Classes and functions at module level."""
    for statement in module.body:
        if isinstance(statement, cst.ClassDef | cst.FunctionDef):
            yield statement


#: Packages that need TensorFlow: ported modules do not import them.
FRAMEWORKS = frozenset(ROOTS)


Environment = Mapping[str, Value]
