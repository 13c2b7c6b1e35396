"""Which functions are given to which parameters of the file's functions and constructors: `ResNet(stack_fn, ...)`.

Found in the source, before anything is evaluated: by name, through local variables and parameters that hand them on.
A parameter counts where every call gives it functions of the file, of the framework, or None.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any

import libcst as cst

from codemods.engine import rule as rules
from codemods.engine.walk import children, nodes_of
from codemods.passes.names import assigned_names
from codemods.passes.unit import Unit
from codemods.passes.values import text

#: A parameter: the function's path (`build.block` for one inside another), and its name.
Slot = tuple[str, str]


@dataclasses.dataclass(frozen=True)
class Candidate:
    """What a call gives.

    Attributes:
      kind: `function` (by path), `lambda` (by path and name of the parameter), `symbol`, `layer` (a call that makes one),
        `slot` or `none`.
    """

    kind: str
    path: str
    name: str = ""
    node: Any = dataclasses.field(default=None, compare=False)


@dataclasses.dataclass
class _Scope:
    path: str
    node: cst.FunctionDef
    nested: dict[str, cst.FunctionDef]
    assigned: dict[str, list[cst.BaseExpression]]


class GivenSources:
    """The candidates for every parameter that functions are given to.

    Attributes:
      slots: candidates by parameter, those of other parameters taken in.
      functions: every function of the file by its path.
    """

    def __init__(self, unit: Unit):
        self.unit = unit
        self.functions: dict[str, cst.FunctionDef] = {}
        self.slots: dict[Slot, list[Candidate]] = {}
        #: Parameters that something else is given to, as well.
        self._others: set[Slot] = set()
        #: Calls of parameters: whatever is given to them is called.
        self._indirect: list[tuple[Slot, cst.Call, list[_Scope]]] = []
        self._constructors = dict(_constructors(unit))
        for statement in unit.module.body:
            if isinstance(statement, cst.FunctionDef):
                self._enter(statement, statement.name.value)
        for statement in unit.module.body:
            self._survey(statement, [])
        for path, node in [*self.functions.items(), *self._constructors.items()]:
            for param in [*node.params.params, *node.params.kwonly_params]:
                if param.default is not None:
                    self._give((path, param.name.value), param.default, [])
        self._settle()

    def _enter(self, node: cst.FunctionDef, path: str) -> None:
        self.functions[path] = node
        for inner in _nested(node).values():
            self._enter(inner, f"{path}.{inner.name.value}")

    def _survey(self, node: cst.CSTNode, scopes: list[_Scope], owner: str = "") -> None:
        """`owner`: the class whose body this is in. Its methods, and functions in them, are no candidates."""
        if isinstance(node, cst.ClassDef):
            owner = f"{owner}{node.name.value}."
        if isinstance(node, cst.FunctionDef):
            path = f"{scopes[-1].path}.{node.name.value}" if scopes else f"{owner}{node.name.value}"
            scopes = [*scopes, _Scope(path, node, _nested(node), _assigned(node))]
        if isinstance(node, cst.Call) and isinstance(node.func, cst.Name):
            self._call(node, scopes)
        for part in children(node):
            self._survey(part, scopes, owner)

    def _call(self, node: cst.Call, scopes: list[_Scope]) -> None:
        name = node.func.value  # type: ignore[attr-defined]
        path = self._path(name, scopes)
        if path is not None:
            self._arguments(node, path, scopes)
        for scope in reversed(scopes):
            if name in scope.nested or name in scope.assigned:
                break
            if name in _parameters(scope.node):
                self._indirect.append(((scope.path, name), node, scopes))
                break

    def _arguments(self, node: cst.Call, path: str, scopes: list[_Scope]) -> None:
        if path in self.functions:
            names = [p.name.value for p in self.functions[path].params.params]
        else:
            names = [p.name.value for p in self._constructors[path].params.params[1:]]
        for i, arg in enumerate(node.args):
            if arg.star:
                return
            name = arg.keyword.value if arg.keyword else names[i] if i < len(names) else None
            if name is not None:
                self._give((path, name), arg.value, scopes)

    def _path(self, name: str, scopes: list[_Scope]) -> str | None:
        """The function of the file that a name stands for."""
        for scope in reversed(scopes):
            if name in scope.nested:
                path = f"{scope.path}.{name}"
                return path if path in self.functions else None
            if name in scope.assigned or name in _parameters(scope.node):
                return None
        return name if name in self.functions or name in self._constructors else None

    def _give(self, slot: Slot, value: cst.BaseExpression, scopes: list[_Scope]) -> None:
        found = list(self._candidates(value, scopes, slot, 0))
        if None in found:
            self._others.add(slot)
        known = self.slots.setdefault(slot, [])
        known.extend(c for c in found if c is not None and c not in known)

    def _candidates(
        self, value: cst.BaseExpression, scopes: list[_Scope], slot: Slot, depth: int
    ) -> Iterator[Candidate | None]:
        if isinstance(value, cst.IfExp):
            yield from self._candidates(value.body, scopes, slot, depth)
            yield from self._candidates(value.orelse, scopes, slot, depth)
        elif isinstance(value, cst.Lambda):
            around = f"{scopes[-1].path}." if scopes else ""
            yield Candidate("lambda", f"{around}{slot[1]}", node=value)
        elif isinstance(value, cst.Name) and value.value == "None":
            yield Candidate("none", "")
        elif isinstance(value, cst.Name):
            yield from self._named(value, scopes, slot, depth)
        elif isinstance(value, cst.Call) and _is_layer(self.unit.symbol(value.func)):
            yield Candidate("layer", str(self.unit.symbol(value.func)), name=text(value), node=value)
        else:
            symbol = self.unit.symbol(value)
            yield Candidate("symbol", symbol) if symbol in rules.RULES else None

    def _named(self, value: cst.Name, scopes: list[_Scope], slot: Slot, depth: int) -> Iterator[Candidate | None]:
        name = value.value
        for i, scope in reversed([*enumerate(scopes)]):
            if name in scope.nested and name not in scope.assigned:
                path = f"{scope.path}.{name}"
                yield Candidate("function", path) if path in self.functions else None
                return
            given = scope.assigned.get(name, [])
            if given and depth < 4:
                for each in given:
                    yield from self._candidates(each, scopes[: i + 1], slot, depth + 1)
            if name in _parameters(scope.node):
                yield Candidate("slot", scope.path, name)
                return
            if given:
                return
        symbol = self.unit.symbol(value)
        if symbol in rules.RULES:
            yield Candidate("symbol", symbol)
        elif symbol is None and name in self.functions:
            yield Candidate("function", name)
        else:
            yield None

    def _settle(self) -> None:
        """Puts the candidates of the parameters that hand functions on in their place."""
        while True:
            for slot, node, scopes in self._indirect:
                for candidate in list(self.slots.get(slot, ())):
                    if candidate.kind == "function":
                        self._arguments(node, candidate.path, scopes)
            before = {slot: len(found) for slot, found in self.slots.items()}, len(self._others)
            for slot, found in self.slots.items():
                for candidate in list(found):
                    source = (candidate.path, candidate.name)
                    if candidate.kind != "slot":
                        continue
                    if source in self._others or source not in self.slots:
                        self._others.add(slot)
                    more = self.slots.get(source, [])
                    found.extend(c for c in more if c not in found)
            if before == ({slot: len(found) for slot, found in self.slots.items()}, len(self._others)):
                break
        for slot in list(self.slots):
            found = [c for c in self.slots[slot] if c.kind != "slot"]
            if slot in self._others or all(c.kind == "none" for c in found):
                del self.slots[slot]
            else:
                self.slots[slot] = found


def _constructors(unit: Unit) -> Iterator[tuple[str, cst.FunctionDef]]:
    """`__init__` by class, where no subclass in the file calls it, too."""
    extended = {text(base.value) for node in unit.classes.values() for base in node.bases}
    for name, node in unit.classes.items():
        for statement in node.body.body:
            if isinstance(statement, cst.FunctionDef) and statement.name.value == "__init__" and name not in extended:
                yield name, statement


def _is_layer(symbol: str | None) -> bool:
    return symbol in rules.OBJECTS and rules.OBJECTS[symbol].kind == "layer"


def _nested(node: cst.FunctionDef) -> dict[str, cst.FunctionDef]:
    """Functions defined in a function, not in another one of it."""
    found: dict[str, cst.FunctionDef] = {}
    todo: list[Any] = list(children(node.body))
    while todo:
        part = todo.pop(0)
        if isinstance(part, cst.FunctionDef):
            found[part.name.value] = part
        elif not isinstance(part, cst.ClassDef | cst.Lambda):
            todo += children(part)
    return found


def _assigned(node: cst.FunctionDef) -> dict[str, list[cst.BaseExpression]]:
    """What a function assigns to its local names; for names bound in another way, code that is no function."""
    inner = {id(part) for nested in _nested(node).values() for part in nodes_of(nested, *_BINDING)}
    found: dict[str, list[cst.BaseExpression]] = {}
    for part in nodes_of(node.body, *_BINDING):
        if id(part) in inner:
            continue
        if isinstance(part, cst.Assign) and all(isinstance(t.target, cst.Name) for t in part.targets):
            for target in part.targets:
                found.setdefault(target.target.value, []).append(part.value)
        else:
            for name in _bound(part):
                found.setdefault(name, []).append(cst.Ellipsis())
    return found


_BINDING = (cst.Assign, cst.AugAssign, cst.AnnAssign, cst.For, cst.NamedExpr, cst.With)


def _bound(part: Any) -> Iterable[str]:
    if isinstance(part, cst.For):
        return assigned_names(cst.Assign([cst.AssignTarget(part.target)], cst.Name("_")))
    if isinstance(part, cst.With):
        return [item.asname.name.value for item in part.items if item.asname and isinstance(item.asname.name, cst.Name)]
    if isinstance(part, cst.NamedExpr):
        return [part.target.value] if isinstance(part.target, cst.Name) else []
    return assigned_names(part)


def _parameters(node: cst.FunctionDef) -> set[str]:
    return {p.name.value for p in [*node.params.params, *node.params.kwonly_params]}
