"""Which names a piece of code reads and binds."""

from __future__ import annotations

import libcst as cst


class Reads(cst.CSTVisitor):
    """Names that code reads, and names that it binds."""

    def __init__(self) -> None:
        self.reads: set[str] = set()
        self.writes: set[str] = set()

    def visit_Attribute(self, node: cst.Attribute) -> bool:
        node.value.visit(self)
        return False

    def visit_Arg(self, node: cst.Arg) -> bool:
        node.value.visit(self)
        return False

    def visit_Param(self, node: cst.Param) -> bool:
        for part in (node.default, node.annotation):
            if part is not None:
                part.visit(self)
        return False

    def visit_AssignTarget(self, node: cst.AssignTarget) -> bool:
        self._target(node.target)
        return False

    def visit_AnnAssign(self, node: cst.AnnAssign) -> bool:
        self._target(node.target)
        if node.value is not None:
            node.value.visit(self)
        node.annotation.visit(self)
        return False

    def visit_AugAssign(self, node: cst.AugAssign) -> bool:
        self._target(node.target)
        node.target.visit(self)
        node.value.visit(self)
        return False

    def visit_For(self, node: cst.For) -> bool:
        self._target(node.target)
        node.iter.visit(self)
        node.body.visit(self)
        if node.orelse is not None:
            node.orelse.visit(self)
        return False

    def visit_CompFor(self, node: cst.CompFor) -> bool:
        self._target(node.target)
        return True

    def visit_NamedExpr(self, node: cst.NamedExpr) -> bool:
        self._target(node.target)
        node.value.visit(self)
        return False

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        self.writes.add(node.name.value)
        node.params.visit(self)
        for decorator in node.decorators:
            decorator.visit(self)
        inner = Reads()
        node.body.visit(inner)
        stars = [p for p in (node.params.star_arg, node.params.star_kwarg) if isinstance(p, cst.Param)]
        parameters = {p.name.value for p in [*node.params.params, *node.params.kwonly_params, *stars]}
        self.reads |= inner.reads - inner.writes - parameters
        return False

    def visit_Lambda(self, node: cst.Lambda) -> bool:
        inner = Reads()
        node.body.visit(inner)
        self.reads |= inner.reads - {p.name.value for p in node.params.params}
        return False

    def visit_Import(self, node: cst.Import) -> bool:
        for alias in node.names:
            self._alias(alias)
        return False

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:
        if not isinstance(node.names, cst.ImportStar):
            for alias in node.names:
                self._alias(alias)
        return False

    def _alias(self, alias: cst.ImportAlias) -> None:
        name = alias.asname.name if alias.asname is not None else alias.name
        while isinstance(name, cst.Attribute):
            name = name.value
        if isinstance(name, cst.Name):
            self.writes.add(name.value)

    def visit_Name(self, node: cst.Name) -> None:
        self.reads.add(node.value)

    def _target(self, node: cst.BaseExpression) -> None:
        if isinstance(node, cst.Name):
            self.writes.add(node.value)
        elif isinstance(node, cst.Tuple | cst.List):
            for element in node.elements:
                self._target(element.value)
        else:
            node.visit(self)


def _scan(node: cst.CSTNode) -> Reads:
    visitor = Reads()
    node.visit(visitor)
    return visitor


def read_names(node: cst.CSTNode) -> set[str]:
    """Names that a statement or expression reads (also those it may have bound itself)."""
    return _scan(node).reads


def assigned_names(node: cst.CSTNode) -> set[str]:
    """Local names that a statement binds."""
    return _scan(node).writes


class ReplaceNames(cst.CSTTransformer):
    """Replaces reads of names by expressions. Keywords, attributes and parameters are left alone."""

    def __init__(self, new: dict[str, cst.BaseExpression]):
        self.new = new

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.BaseExpression:
        return updated_node.with_changes(attr=original_node.attr)

    def leave_Arg(self, original_node: cst.Arg, updated_node: cst.Arg) -> cst.Arg:
        return updated_node.with_changes(keyword=original_node.keyword)

    def leave_Param(self, original_node: cst.Param, updated_node: cst.Param) -> cst.Param:
        return updated_node.with_changes(name=original_node.name)

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        return self.new.get(original_node.value, updated_node)


class RenameMarkers(cst.CSTTransformer):
    """Replaces identifiers, wherever they stand."""

    def __init__(self, new: dict[str, str]):
        self.new = new

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        name = self.new.get(original_node.value)
        return updated_node if name is None else updated_node.with_changes(value=name)
