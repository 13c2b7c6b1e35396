"""Which names a piece of code reads and binds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import libcst as cst

from codemods.engine.walk import Rewriter, children, identifiers, kept, mapped, root_name


class Reads:
    """Names that code reads, and names that it binds."""

    def __init__(self) -> None:
        self.reads: set[str] = set()
        self.writes: set[str] = set()

    def visit(self, node: cst.CSTNode | None) -> None:
        if node is None:
            return
        if type(node) is cst.Name:
            self.reads.add(node.value)
            return
        special: Any = _SPECIAL.get(type(node))
        if type(node) in _STATEMENTS:
            found = _scan(node)
            self.reads |= found.reads
            self.writes |= found.writes
        elif special is not None:
            special(self, node)
        else:
            for part in children(node):
                self.visit(part)

    def _value(self, node: cst.Attribute | cst.Arg) -> None:
        self.visit(node.value)

    def _param(self, node: cst.Param) -> None:
        self.visit(node.default)
        self.visit(node.annotation)

    def _assign_target(self, node: cst.AssignTarget) -> None:
        self._target(node.target)

    def _ann_assign(self, node: cst.AnnAssign) -> None:
        self._target(node.target)
        self.visit(node.value)
        self.visit(node.annotation)

    def _aug_assign(self, node: cst.AugAssign) -> None:
        self._target(node.target)
        self.visit(node.target)
        self.visit(node.value)

    def _for(self, node: cst.For) -> None:
        self._target(node.target)
        self.visit(node.iter)
        self.visit(node.body)
        self.visit(node.orelse)

    def _comp_for(self, node: cst.CompFor) -> None:
        self._target(node.target)
        for part in children(node):
            self.visit(part)

    def _named_expr(self, node: cst.NamedExpr) -> None:
        self._target(node.target)
        self.visit(node.value)

    def _function(self, node: cst.FunctionDef) -> None:
        self.writes.add(node.name.value)
        self.visit(node.params)
        for decorator in node.decorators:
            self.visit(decorator)
        inner = Reads()
        inner.visit(node.body)
        stars = [p for p in (node.params.star_arg, node.params.star_kwarg) if isinstance(p, cst.Param)]
        parameters = {p.name.value for p in [*node.params.params, *node.params.kwonly_params, *stars]}
        self.reads |= inner.reads - inner.writes - parameters

    def _lambda(self, node: cst.Lambda) -> None:
        inner = Reads()
        inner.visit(node.body)
        self.reads |= inner.reads - {p.name.value for p in node.params.params}
        self.visit(node.params)

    def _import(self, node: cst.Import | cst.ImportFrom) -> None:
        if not isinstance(node.names, cst.ImportStar):
            for alias in node.names:
                self._alias(alias)

    def _alias(self, alias: cst.ImportAlias) -> None:
        name = root_name(alias.asname.name if alias.asname is not None else alias.name)
        if name:
            self.writes.add(name)

    def _target(self, node: cst.BaseExpression) -> None:
        if isinstance(node, cst.Name):
            self.writes.add(node.value)
        elif isinstance(node, cst.Tuple | cst.List):
            for element in node.elements:
                self._target(element.value)
        else:
            self.visit(node)


_SPECIAL = {
    cst.Attribute: Reads._value,
    cst.Arg: Reads._value,
    cst.Param: Reads._param,
    cst.AssignTarget: Reads._assign_target,
    cst.AnnAssign: Reads._ann_assign,
    cst.AugAssign: Reads._aug_assign,
    cst.For: Reads._for,
    cst.CompFor: Reads._comp_for,
    cst.NamedExpr: Reads._named_expr,
    cst.FunctionDef: Reads._function,
    cst.Lambda: Reads._lambda,
    cst.Import: Reads._import,
    cst.ImportFrom: Reads._import,
}


#: What is scanned once: statements are asked about again and again, alone and as parts of blocks.
_STATEMENTS = frozenset({cst.SimpleStatementLine, cst.If, cst.For, cst.While, cst.With, cst.FunctionDef})


@kept
def _scan(node: cst.CSTNode) -> Reads:
    found = Reads()
    special: Any = _SPECIAL.get(type(node))
    if special is not None:
        special(found, node)
    elif type(node) is cst.Name:
        found.reads.add(node.value)
    else:
        for part in children(node):
            found.visit(part)
    return found


def read_names(node: cst.CSTNode) -> set[str]:
    """Names that a statement or expression reads (also those it may have bound itself)."""
    return set(_scan(node).reads)


def assigned_names(node: cst.CSTNode) -> set[str]:
    """Local names that a statement binds."""
    return set(_scan(node).writes)


def free_reads(statements: Sequence[cst.BaseStatement]) -> set[str]:
    """Names that a body reads before it has bound them itself, on some way through it."""
    return _free(statements, set())[0]


def bound_after(statements: Sequence[cst.BaseStatement], bound: set[str]) -> set[str]:
    """Names that are bound after a body, whatever way was taken through it."""
    return _free(statements, bound)[1]


def _free(statements: Sequence[Any], bound: set[str]) -> tuple[set[str], set[str]]:
    """Free reads, and the names that are bound after the statements whatever way was taken."""
    free: set[str] = set()
    bound = set(bound)
    for node in statements:
        if isinstance(node, cst.For):
            free |= read_names(node.iter) - bound
            target = assigned_names(cst.Assign([cst.AssignTarget(node.target)], cst.Name("_")))
            free |= _free(node.body.body, bound | target)[0]
        elif isinstance(node, cst.If):
            free |= read_names(node.test) - bound
            reads, then = _free(node.body.body, bound)
            orelse: Any = node.orelse
            branch = [orelse] if isinstance(orelse, cst.If) else orelse.body.body if orelse is not None else []
            other, after = _free(branch, bound)
            free |= reads | other
            bound |= then if branch and _leaves(branch) else after if _leaves(node.body.body) else then & after
        elif isinstance(node, cst.SimpleStatementLine):
            for small in node.body:
                free |= read_names(small) - bound
                bound |= assigned_names(small)
        else:
            free |= read_names(node) - bound
            bound |= assigned_names(node) if isinstance(node, cst.FunctionDef) else set()
    return free, bound


def _leaves(body: Sequence[Any]) -> bool:
    """Is nothing that comes after a block reached from it?"""
    last = body[-1] if body else None
    return isinstance(last, cst.SimpleStatementLine) and isinstance(last.body[-1], cst.Return | cst.Raise)


class ReplaceNames(Rewriter):
    """Replaces reads of names by expressions. Keywords, attributes and parameters are left alone."""

    def __init__(self, new: Mapping[str, cst.BaseExpression]):
        self.new = new

    def rewritten(self, node: Any) -> Any:
        return node if identifiers(node).isdisjoint(self.new) else self._replaced(node)

    def _replaced(self, node: Any) -> Any:
        kind: Any = type(node)
        if kind is cst.Name:
            return self.new.get(node.value, node)
        field = _NAMING.get(kind)
        label = getattr(node, field) if field is not None else None
        return mapped(node, lambda part: part if part is label else self._replaced(part))


#: Fields that name something and read nothing.
_NAMING = {cst.Attribute: "attr", cst.Arg: "keyword", cst.Param: "name"}


def replaced(node: Any, new: Mapping[str, cst.BaseExpression]) -> Any:
    """The node with names replaced, those that the new code brings, too."""
    for _ in range(4):
        if identifiers(node).isdisjoint(new):
            break
        node = node.visit(ReplaceNames(new))
    return node


class RenameMarkers(Rewriter):
    """Replaces identifiers, wherever they stand."""

    def __init__(self, new: Mapping[str, str]):
        self.new = new

    def rewritten(self, node: Any) -> Any:
        return node if identifiers(node).isdisjoint(self.new) else self._renamed(node)

    def _renamed(self, node: Any) -> Any:
        if type(node) is not cst.Name:
            return mapped(node, self._renamed)
        name = self.new.get(node.value)
        return node if name is None else node.with_changes(value=name)
