"""What one source file imports and which framework symbols it uses, read from its syntax tree alone.

The file is not imported, and one file's facts depend on that file only, so they can be cached by its content.
Names are followed through import statements and plain aliases (`L = tf.keras.layers`); shadowing by local
variables is not looked at, which is close enough for counting.
"""

from __future__ import annotations

import ast
import dataclasses
import json
import warnings
from typing import Any

from codemods.engine.api import ROOTS, canonical

VERSION = 1
#: Packages of the TensorFlow side whose names do not start with `tensorflow`.
_TENSORFLOW = frozenset({*ROOTS, "sonnet", "tf_slim", "tf_agents", "keras_tuner", "kerastuner", "keras_core"})
_JAX = frozenset(
    {"jax", "jaxlib", "flax", "optax", "orbax", "haiku", "chex", "equinox", "clu", "distrax", "numpyro", "metrax", "penzai"}
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Import:
    """`from MODULE import NAME` (`name` empty for `import MODULE`); `level` counts the leading dots."""

    module: str
    name: str
    level: int
    line: int


@dataclasses.dataclass(frozen=True)
class Facts:
    """Facts of one file.

    Attributes:
      file: its path below the root of its repository.
      lines: lines with something on them.
      error: why it could not be read, with the line; empty if it could.
      imports: every import statement's names, sorted.
      symbols: uses and first line of each canonical TensorFlow symbol.
      tensorflow, jax: the first line that imports either side; 0 if none does.
    """

    file: str
    lines: int = 0
    error: str = ""
    imports: tuple[Import, ...] = ()
    symbols: tuple[tuple[str, int, int], ...] = ()
    tensorflow: int = 0
    jax: int = 0

    def to_json(self) -> str:
        """One line; equal facts give equal bytes."""
        data = dataclasses.asdict(self) | {
            "imports": [dataclasses.astuple(i) for i in self.imports],
            "version": VERSION,
        }
        return json.dumps(data, sort_keys=True, separators=(",", ":")) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Facts:
        """Reads `to_json`.

        Raises:
          ValueError: the text was written by another version.
        """
        data: dict[str, Any] = json.loads(text)
        if data.pop("version", None) != VERSION:
            raise ValueError("facts of another version: build them again")
        data["imports"] = tuple(Import(*entry) for entry in data["imports"])
        data["symbols"] = tuple((name, uses, line) for name, uses, line in data["symbols"])
        return cls(**data)


def is_tensorflow(module: str) -> bool:
    """Does a module belong to the TensorFlow side?"""
    root = module.partition(".")[0]
    return root in _TENSORFLOW or root.startswith("tensorflow")


def is_jax(module: str) -> bool:
    """Does a module belong to the JAX side?"""
    return module.partition(".")[0] in _JAX


def facts_of(file: str, content: bytes) -> Facts:
    """Facts of a file's content; what is wrong with it is in `error`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes in the user's strings
            tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None) or 1
        return Facts(file, error=f"line {line}: {getattr(error, 'msg', None) or error}")
    reader = _Reader()
    reader.read(tree)
    lines = sum(1 for line in content.splitlines() if line.strip())
    imports = tuple(sorted(reader.imports, key=dataclasses.astuple))
    absolute = [i for i in imports if not i.level]
    return Facts(
        file,
        lines,
        "",
        imports,
        tuple((name, uses, line) for name, (uses, line) in sorted(reader.symbols.items())),
        min((i.line for i in absolute if is_tensorflow(i.module)), default=0),
        min((i.line for i in absolute if is_jax(i.module)), default=0),
    )


class _Reader:
    """Imports and uses of symbols of one module."""

    def __init__(self) -> None:
        self.imports: set[Import] = set()
        self.symbols: dict[str, tuple[int, int]] = {}
        self.names: dict[str, str] = {}

    def read(self, tree: ast.Module) -> None:
        nodes = list(ast.walk(tree))
        for node in nodes:
            self._import(node)
        if not any(is_tensorflow(target) for target in self.names.values()):
            return
        for node in nodes:
            self._alias(node)
        self._uses(tree)

    def _import(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                self.imports.add(Import(alias.name, "", 0, node.lineno))
                if alias.asname:
                    self.names[alias.asname] = alias.name
                else:
                    root = alias.name.partition(".")[0]
                    self.names[root] = root
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            for alias in node.names:
                self.imports.add(Import(module, alias.name, node.level, node.lineno))
                if not node.level:
                    self.names[alias.asname or alias.name] = f"{module}.{alias.name}"

    def _alias(self, node: ast.AST) -> None:
        """`layers = tf.keras.layers`."""
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            target = self._dotted(node.value)
            if target is not None and is_tensorflow(target) and isinstance(node.value, ast.Attribute):
                self.names.setdefault(node.targets[0].id, target)

    def _uses(self, node: ast.AST) -> None:
        """Counts maximal attribute chains that start at a framework's name."""
        todo: list[ast.AST] = [node]
        while todo:
            current = todo.pop()
            if isinstance(current, ast.Attribute | ast.Name) and isinstance(current.ctx, ast.Load):
                dotted = self._dotted(current)
                if dotted is not None:
                    self._count(dotted, current.lineno)
                    continue
            todo.extend(ast.iter_child_nodes(current))

    def _count(self, dotted: str, line: int) -> None:
        if not is_tensorflow(dotted) or "." not in dotted:
            return
        symbol = canonical(dotted)
        uses, first = self.symbols.get(symbol, (0, line))
        self.symbols[symbol] = (uses + 1, min(first, line))

    def _dotted(self, node: ast.AST) -> str | None:
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or node.id not in self.names:
            return None
        return ".".join([self.names[node.id], *reversed(parts)])
