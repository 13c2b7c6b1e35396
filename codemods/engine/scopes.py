"""What binds each name of a file: a small scope analysis for `resolve.py`, in one walk."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import libcst as cst

from codemods.engine.api import ROOTS, canonical
from codemods.engine.walk import children


@dataclasses.dataclass(frozen=True)
class Binding:
    """What binds a name: an import's dotted path, an assigned expression, or anything else (None)."""

    target: str | cst.BaseExpression | None
    scope: Scope
    fallback: bool = False


@dataclasses.dataclass(eq=False)
class Scope:
    """A module, class, function, lambda or comprehension."""

    parent: Scope | None
    is_class: bool = False
    names: dict[str, list[Binding]] = dataclasses.field(default_factory=dict)
    elsewhere: dict[str, Scope] = dataclasses.field(default_factory=dict)  # global, nonlocal
    stars: list[str] = dataclasses.field(default_factory=list)

    def bind(self, name: str, target: str | cst.BaseExpression | None, fallback: bool = False) -> None:
        scope = self.elsewhere.get(name, self)
        scope.names.setdefault(name, []).append(Binding(target, self, fallback))


class Scopes:
    """The scopes of a module."""

    def __init__(self, module: cst.Module):
        self.module = Scope(None)
        self.scope_of: dict[cst.Name, Scope] = {}
        self._walk(module, self.module, False)

    def bindings(self, name: cst.Name) -> list[Binding]:
        """All that binds this name, in the innermost scope that does; empty where nothing does."""
        scope, own = self.scope_of.get(name), True
        while scope is not None:
            at = scope.elsewhere.get(name.value, scope)
            if name.value in at.names and (own or not at.is_class):
                return at.names[name.value]
            scope, own = scope.parent, False
        return []

    # The walk. Scopes differ in what they see: a function's defaults and decorators belong outside.

    def _walk(self, node: cst.CSTNode, scope: Scope, fallback: bool) -> None:
        if isinstance(node, cst.Name):
            self.scope_of[node] = scope
            return
        special: Any = _SPECIAL.get(type(node))
        if special is not None:
            special(self, node, scope, fallback)
        else:
            for child in children(node):
                self._walk(child, scope, fallback)

    def _walk_all(self, nodes: object, scope: Scope, fallback: bool) -> None:
        for node in nodes if isinstance(nodes, (list, tuple)) else [nodes]:
            if isinstance(node, cst.CSTNode):
                self._walk(node, scope, fallback)

    def _attribute(self, node: cst.Attribute, scope: Scope, fallback: bool) -> None:
        self._walk(node.value, scope, fallback)

    def _arg(self, node: cst.Arg, scope: Scope, fallback: bool) -> None:
        self._walk(node.value, scope, fallback)

    def _import(self, node: cst.Import, scope: Scope, fallback: bool) -> None:
        for alias in node.names:
            path = _dotted(alias.name)
            if alias.asname is not None:
                scope.bind(_dotted(alias.asname.name), path, fallback)
            else:
                scope.bind(path.partition(".")[0], path.partition(".")[0], fallback)

    def _import_from(self, node: cst.ImportFrom, scope: Scope, fallback: bool) -> None:
        module = "." * len(node.relative) + (_dotted(node.module) if node.module else "")
        if isinstance(node.names, cst.ImportStar):
            if module.partition(".")[0] in ROOTS:
                self.module.stars.append(canonical(module))
            return
        for alias in node.names:
            name = alias.asname.name if alias.asname else alias.name
            scope.bind(_dotted(name), f"{module}.{_dotted(alias.name)}", fallback)

    def _function(self, node: cst.FunctionDef, scope: Scope, fallback: bool) -> None:
        scope.bind(node.name.value, None, fallback)
        self._walk_all(node.decorators, scope, fallback)
        self._walk_all(node.returns, scope, fallback)
        inner = self._parameters(node.params, scope, fallback)
        self._declare(node.body, inner)
        self._walk(node.body, inner, fallback)

    def _lambda(self, node: cst.Lambda, scope: Scope, fallback: bool) -> None:
        self._walk(node.body, self._parameters(node.params, scope, fallback), fallback)

    def _parameters(self, params: cst.Parameters, scope: Scope, fallback: bool) -> Scope:
        inner = Scope(scope)
        stars = [p for p in (params.star_arg, params.star_kwarg) if isinstance(p, cst.Param)]
        for param in [*params.posonly_params, *params.params, *params.kwonly_params, *stars]:
            inner.bind(param.name.value, None)
            self._walk_all(param.default, scope, fallback)
            self._walk_all(param.annotation, scope, fallback)
        return inner

    def _declare(self, body: cst.BaseSuite, scope: Scope) -> None:
        # Before the walk, as the statement may follow in a block that binds the name only later.
        for statement in _simple_statements(body):
            if isinstance(statement, (cst.Global, cst.Nonlocal)):
                for item in statement.names:
                    name, home = item.name.value, self.module
                    if isinstance(statement, cst.Nonlocal):
                        home = scope.parent or self.module
                        while home.parent and (home.is_class or name not in home.names):
                            home = home.parent
                    scope.elsewhere[name] = home

    def _class(self, node: cst.ClassDef, scope: Scope, fallback: bool) -> None:
        scope.bind(node.name.value, None, fallback)
        self._walk_all([*node.decorators, *node.bases, *node.keywords], scope, fallback)
        self._walk(node.body, Scope(scope, is_class=True), fallback)

    def _comprehension(self, node: cst.BaseComp, scope: Scope, fallback: bool) -> None:
        inner = Scope(scope)
        self._walk(node.for_in, inner, fallback)
        parts = [getattr(node, field) for field in ("key", "value", "elt") if hasattr(node, field)]
        self._walk_all(parts, inner, fallback)

    def _assign(self, node: cst.Assign, scope: Scope, fallback: bool) -> None:
        self._walk(node.value, scope, fallback)
        for target in node.targets:
            self._bind_target(target.target, node.value, scope, fallback)

    def _annotated(self, node: cst.AnnAssign, scope: Scope, fallback: bool) -> None:
        self._walk_all([node.annotation, node.value], scope, fallback)
        self._bind_target(node.target, node.value, scope, fallback)

    def _walrus(self, node: cst.NamedExpr, scope: Scope, fallback: bool) -> None:
        self._walk(node.value, scope, fallback)
        self._bind_target(node.target, node.value, scope, fallback)

    def _bind_target(
        self, target: cst.BaseExpression, value: cst.BaseExpression | None, scope: Scope, fallback: bool
    ) -> None:
        if isinstance(target, cst.Name):
            self.scope_of[target] = scope
            simple = isinstance(value, (cst.Name, cst.Attribute))
            scope.bind(target.value, value if simple else None, fallback)
        elif isinstance(target, (cst.Tuple, cst.List)):
            values: list[cst.BaseExpression | None] = [None] * len(target.elements)
            if isinstance(value, (cst.Tuple, cst.List)) and len(value.elements) == len(values):
                values = [element.value for element in value.elements]
            for element, item in zip(target.elements, values, strict=True):
                self._bind_target(element.value, item, scope, fallback)
        else:
            self._walk(target, scope, fallback)

    def _augmented(self, node: cst.AugAssign, scope: Scope, fallback: bool) -> None:
        self._walk(node.value, scope, fallback)
        self._bind_target(node.target, None, scope, fallback)

    def _for(self, node: cst.For | cst.CompFor, scope: Scope, fallback: bool) -> None:
        self._bind_target(node.target, None, scope, fallback)
        for child in children(node):
            if child is not node.target:
                self._walk(child, scope, fallback)

    def _as_name(self, node: cst.AsName, scope: Scope, fallback: bool) -> None:
        self._bind_target(node.name, None, scope, fallback)

    def _match_name(self, node: cst.MatchAs | cst.MatchStar, scope: Scope, fallback: bool) -> None:
        if node.name is not None:
            scope.bind(node.name.value, None, fallback)
        self._walk_all(getattr(node, "pattern", None), scope, fallback)

    def _try(self, node: cst.Try, scope: Scope, fallback: bool) -> None:
        for child in children(node):
            guarded = isinstance(child, cst.ExceptHandler) and _imports(node.body)
            self._walk(child, scope, fallback or guarded)


_SPECIAL = {
    cst.Attribute: Scopes._attribute,
    cst.Arg: Scopes._arg,
    cst.Import: Scopes._import,
    cst.ImportFrom: Scopes._import_from,
    cst.FunctionDef: Scopes._function,
    cst.Lambda: Scopes._lambda,
    cst.ClassDef: Scopes._class,
    cst.ListComp: Scopes._comprehension,
    cst.SetComp: Scopes._comprehension,
    cst.DictComp: Scopes._comprehension,
    cst.GeneratorExp: Scopes._comprehension,
    cst.Assign: Scopes._assign,
    cst.AnnAssign: Scopes._annotated,
    cst.AugAssign: Scopes._augmented,
    cst.NamedExpr: Scopes._walrus,
    cst.For: Scopes._for,
    cst.CompFor: Scopes._for,
    cst.AsName: Scopes._as_name,
    cst.MatchAs: Scopes._match_name,
    cst.MatchStar: Scopes._match_name,
    cst.Try: Scopes._try,
}


def _simple_statements(suite: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The small statements of a function's own body, at any depth, without those of nested scopes."""
    for child in children(suite):
        if isinstance(child, cst.BaseSmallStatement):
            yield child
        elif not isinstance(child, (cst.FunctionDef, cst.ClassDef, cst.BaseExpression)):
            yield from _simple_statements(child)


def _imports(suite: cst.BaseSuite) -> bool:
    return any(isinstance(statement, (cst.Import, cst.ImportFrom)) for statement in _simple_statements(suite))


def _dotted(node: cst.CSTNode | None) -> str:
    if isinstance(node, cst.Attribute):
        return f"{_dotted(node.value)}.{node.attr.value}"
    return node.value if isinstance(node, cst.Name) else ""
