"""What the port knows of an expression: its new code, and what it stands for.

Dims are ints or symbolic integers of `jax.export`; a symbol stands for a piece of configuration
code (`filters`, `widths[0]`) that is valid where the layers are made, or for something unknown.
"""

from __future__ import annotations

import ast
import dataclasses
import types
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import libcst as cst
from jax import export

from codemods.engine.precedence import parenthesised
from codemods.engine.walk import kept
from codemods.passes.mask_values import Mask, joined_mask

if TYPE_CHECKING:
    from codemods.passes.modules import LayerInstance, ModuleInstance

_print = cst.Module([]).code_for_node

Dim = Any  # int or a jax.export symbolic integer


class NamedInt(int):
    """An integer that a constant of the file stands for, such as `HIDDEN = 128`; arithmetic gives plain integers.

    Attributes:
      code: the constant, which means the same everywhere in the file.
    """

    code: str

    def __new__(cls, value: int, code: str) -> NamedInt:
        made = super().__new__(cls, value)
        made.code = code
        return made


Shape = tuple[Dim, ...]


class _Unknown:
    def __repr__(self) -> str:
        return "UNKNOWN"

    def __bool__(self) -> bool:
        raise TypeError("UNKNOWN has no truth value")


UNKNOWN = _Unknown()


@dataclasses.dataclass(frozen=True)
class TensorType:
    """Shape (None: not even the rank is known) and dtype name (None: unknown)."""

    shape: Shape | None = None
    dtype: str | None = None

    @property
    def last(self) -> Dim | None:
        return self.shape[-1] if self.shape else None


@dataclasses.dataclass
class Value:
    """One evaluated expression.

    Attributes:
      code: the new code.
      known: the Python value, where the source fixes it.
      dim: for integers of the configuration, their symbolic value.
      tensor: set when this is a tensor.
      layer, module: set when this is a framework layer, or an instance of a ported module.
      items: elements, when this is a list, tuple or shape of known length.
      item: what every element of a sequence of unknown length looks like.
      mapping: elements by key, when this is a dict with known keys.
      symbol: canonical framework symbol, when this is one.
      shape_of: the tensor whose shape this is.
      special: a construct that a pass handles, such as a functional model under construction.
      staged: computed from the inputs, type not known.
      wrapped: a layer given to another layer, as rule bodies see it.
      sure: `dim` is known to be an int, not a tuple or a float.
      mask: which steps of a tensor count, where Keras hands that from layer to layer.
    """

    code: cst.BaseExpression
    known: Any = UNKNOWN
    dim: Dim | None = None
    tensor: TensorType | None = None
    layer: LayerInstance | None = None
    module: ModuleInstance | None = None
    items: list[Value] | None = None
    item: Value | None = None
    mapping: dict[Any, Value] | None = None
    symbol: str | None = None
    shape_of: TensorType | None = None
    special: Any = None
    staged: bool = False
    wrapped: Any = None
    sure: bool = False
    mask: Mask | None = None

    @property
    def is_tensor(self) -> bool:
        """Is this computed from the inputs, at call time?"""
        if self.tensor is not None or self.staged:
            return True
        parts = list(self.items or ()) + list((self.mapping or {}).values()) + ([self.item] if self.item else [])
        return any(part.is_tensor for part in parts)

    @property
    def has_layers(self) -> bool:
        if self.layer is not None or self.module is not None:
            return True
        parts = list(self.items or ()) + list((self.mapping or {}).values()) + ([self.item] if self.item else [])
        return any(part.has_layers for part in parts)

    def with_code(self, code: cst.BaseExpression) -> Value:
        return dataclasses.replace(self, code=code)


class Lasting:
    """A `special` that stays with a value when a function returns it."""


class Symbols:
    """Symbolic integers of one file, and the code each stands for."""

    def __init__(self) -> None:
        self._scope = export.SymbolicScope()
        self._code: dict[str, str | None] = {}
        self._by_code: dict[str, Dim] = {}
        self._preferred: dict[str, str] = {}
        #: Pieces of code that are variables of the constructor alone: callers can't use them.
        self.local: set[str] = set()
        #: Symbols for variables that no longer have the value that the constructor was given.
        self.changed: set[str] = set()
        #: Sizes of inputs that the constructor takes only where a layer needs them; a call reads them from the tensor.
        self.optional: set[str] = set()

    def _new(self, base: str, code: str | None) -> Dim:
        name = "".join(c if c.isalnum() else "_" for c in base).strip("_") or "d"
        name = name if name[0].isalpha() else f"d{name}"
        while name in self._code or name in ("mod", "floordiv", "max", "min"):
            name += "_"
        self._code[name] = code
        return export.symbolic_shape(name, scope=self._scope)[0]

    def of_code(self, code: str) -> Dim:
        """The symbol for a piece of configuration code; the same code gives the same symbol."""
        if code not in self._by_code:
            self._by_code[code] = self._new(code, code)
        return self._by_code[code]

    def renewed(self, code: str) -> Dim:
        """The symbol for a variable of the constructor that has a new value from here on."""
        self._by_code[code] = self._new(code, code)
        self.changed |= self.names(self._by_code[code])
        return self._by_code[code]

    def unknown(self, base: str = "unknown") -> Dim:
        """A dim that no code of the constructor stands for."""
        return self._new(base, None)

    def is_local(self, dim: Dim) -> bool:
        return not isinstance(dim, int) and bool(self.parts(dim) & self.local)

    def at_call(self, dim: Dim) -> bool:
        """Is this better read from the tensor when the module is called?"""
        return not isinstance(dim, int) and bool(self.parts(dim) & self.optional)

    def prefer(self, dim: Dim, code: str) -> None:
        """Print `dim` as the user wrote it, where it is more than one symbol."""
        own = self._code.get(str(dim)) if not isinstance(dim, int) else None
        if not isinstance(dim, int) and (str(dim) not in self._code or (own is not None and "[" in own)):
            self._preferred.setdefault(str(dim), code)

    def code(self, dim: Dim, not_yet: Collection[str] = ()) -> str | None:
        """Code for a dim, or None when it depends on something that has none.

        `not_yet`: names that are bound only later.
        """
        if isinstance(dim, int):
            return dim.code if isinstance(dim, NamedInt) else str(dim)
        text = str(dim)
        if text in self._preferred and not _names_in(self._preferred[text]) & set(not_yet):
            return self._preferred[text]
        tree = _parsed(dim)
        if any(isinstance(n, ast.Name) and n.id not in ("mod", "floordiv", "max", "min") and not self._code.get(n.id)
               for n in ast.walk(tree)):  # fmt: skip
            return None
        printed = ast.unparse(_Printer(self._code).visit(tree))
        return printed if '"' in printed else printed.replace("'", '"')

    def parts(self, dim: Dim) -> frozenset[str | None]:
        """The pieces of code that a dim is made of; None among them for what has no code."""
        tree = _parsed(dim)
        return frozenset(self._code[n.id] for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id in self._code)

    def names(self, dim: Dim) -> set[str]:
        """The symbols that a dim is made of, by their own names."""
        if isinstance(dim, int):
            return set()
        return {n.id for n in ast.walk(_parsed(dim)) if isinstance(n, ast.Name)} & self._code.keys()

    def code_of(self, name: str) -> str | None:
        """The code that one symbol stands for."""
        return self._code[name]

    def substitute(
        self, dim: Dim, by_code: Mapping[str, Dim], by_name: Mapping[str, Dim] = types.MappingProxyType({})
    ) -> Dim:
        """`dim` with symbols replaced, as when a constructor is called; `by_name` goes first."""
        if isinstance(dim, int):
            return dim
        env: dict[str, Any] = {"floordiv": lambda a, b: a // b, "mod": lambda a, b: a % b}
        env |= {"max": _maximum, "min": _minimum}
        for name, code in self._code.items():
            env[name] = (
                by_name[name]
                if name in by_name
                else by_code[code]  # type: ignore[index]
                if code in by_code and name not in self.changed
                else self._symbol(name)
            )
        try:
            return eval(compile(_parsed(dim), "dim", "eval"), env)
        except Exception:
            return self.unknown()

    def _symbol(self, name: str) -> Dim:
        return export.symbolic_shape(name, scope=self._scope)[0]


def _parsed(dim: Dim) -> ast.Expression:
    """A dim's terms as Python; jax.export prints powers as `n^2`."""
    return ast.parse(str(dim).replace("^", "**"), mode="eval")


def _names_in(code: str) -> set[str]:
    return {n.id for n in ast.walk(ast.parse(code, mode="eval")) if isinstance(n, ast.Name)}


def _maximum(a: Dim, b: Dim) -> Dim:
    return max(a, b)


def _minimum(a: Dim, b: Dim) -> Dim:
    return min(a, b)


class _Printer(ast.NodeTransformer):
    """Prints a symbolic integer in the user's own words."""

    def __init__(self, code: Mapping[str, str | None]):
        self._code = code

    def visit_Name(self, node: ast.Name) -> ast.AST:
        code = self._code.get(node.id)
        return ast.parse(code, mode="eval").body if code else node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        operators = {"floordiv": ast.FloorDiv, "mod": ast.Mod}
        if name in operators:
            return ast.BinOp(node.args[0], operators[name](), node.args[1])
        return node


def literal(value: Any) -> cst.BaseExpression:
    """Code for a Python constant."""
    return cst.parse_expression(repr(value))


def constant(value: Any) -> Value:
    return Value(literal(value), known=value)


@kept
def text(node: cst.CSTNode) -> str:
    """Source of a node."""
    return _print(parenthesised(node))


def join(a: Value, b: Value, symbols: Symbols) -> Value:
    """What two branches agree on."""
    if a is b:
        return a
    known = a.known if a.known is not UNKNOWN and b.known is not UNKNOWN and _same(a.known, b.known) else UNKNOWN
    dim = a.dim if a.dim is not None and b.dim is not None and _same(a.dim, b.dim) else None
    tensor = None
    if a.tensor is not None or b.tensor is not None:
        tensor = join_tensor(a.tensor or TensorType(), b.tensor or TensorType(), symbols)
    items = None
    if a.items is not None and b.items is not None and len(a.items) == len(b.items):
        items = [join(x, y, symbols) for x, y in zip(a.items, b.items, strict=True)]
    same_layer = a.layer is b.layer and a.module is b.module
    mapping = (
        a.mapping if a.mapping is not None and b.mapping is not None and a.mapping.keys() == b.mapping.keys() else None
    )
    return Value(
        a.code, known, dim, tensor, a.layer if same_layer else (a.layer or b.layer), a.module or b.module, items,
        a.item if a.item is not None else b.item, mapping, a.symbol if a.symbol == b.symbol else None,
        None, a.special or b.special, a.staged or b.staged, None, is_int(a) and is_int(b),
        joined_mask(a.mask, b.mask),
    )  # fmt: skip


def is_int(value: Value) -> bool:
    """Is a value known to be an int?"""
    return value.sure or (isinstance(value.known, int) and not isinstance(value.known, bool))


def join_tensor(a: TensorType, b: TensorType, symbols: Symbols) -> TensorType:
    if a.shape is None or b.shape is None or len(a.shape) != len(b.shape):
        return TensorType(None, a.dtype if a.dtype == b.dtype else None)
    dims = tuple(_either(x, y) if _same(x, y) else symbols.unknown() for x, y in zip(a.shape, b.shape, strict=True))
    return TensorType(dims, a.dtype if a.dtype == b.dtype else None)


def _either(a: Dim, b: Dim) -> Dim:
    """One of two equal dims, by a name only where both have it."""
    return a if not isinstance(a, int) or getattr(a, "code", "") == getattr(b, "code", "") else int(a)


def _same(a: Any, b: Any) -> bool:
    try:
        return isinstance(a, int) == isinstance(b, int) and bool(a == b)
    except Exception:
        return False


same_dim: Callable[[Any, Any], bool] = _same
Elements = Sequence[Value]
