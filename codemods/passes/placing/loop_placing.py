"""Replays loops that make layers: one loop in the constructor, one in the call."""

from __future__ import annotations

import libcst as cst

from codemods.passes.frame import Frame, Scope
from codemods.passes.modules import ModuleSpec, Placement
from codemods.passes.names import ReplaceNames, assigned_names, read_names
from codemods.passes.pieces import PASS
from codemods.passes.placing.staging import Item, Staged, nodes, prune
from codemods.passes.values import Value


class LoopPlacing:
    """Placement of the layers of a loop."""

    def loop_scope(self, frame: Frame) -> Scope:
        return Scope(("*",) * len(frame.scopes))

    def close_loop(
        self, node: cst.For, init_target: cst.BaseAssignTargetExpression, source: Value, staged: Staged, scope: Scope,
        inner: Frame, frame: Frame, result: Staged,
    ) -> Staged:  # fmt: skip
        iter_init = self.eval(node.iter, frame.child(as_init=True, extra=[], prelude=[])).code  # type: ignore[attr-defined]
        calls = prune(staged.call, read_names(node.iter) if False else self.loop_live(staged))
        config_only = not any(not item.config for item in calls)
        if config_only and not scope.created:
            body = node.body.with_changes(body=staged.init or nodes(staged.call))
            result.init.append(node.with_changes(target=init_target, iter=iter_init, body=body))
            result.call.append(Item(node.with_changes(iter=source.code, body=node.body.with_changes(
                body=nodes(staged.call) or [PASS])), config=True))  # fmt: skip
            return result
        if self.flatten(scope, calls):
            return self.flattened(node, iter_init, staged, scope, calls, frame, result)
        for placement in scope.created:
            result.init.append(cst.parse_statement(f"{self.list_ref(placement)} = nnx.List()"))
        if staged.init:
            body = node.body.with_changes(body=staged.init)
            result.init.append(node.with_changes(target=init_target, iter=iter_init, body=body))
        self.unit.imports.add("nnx")
        used = assigned_names(cst.Assign([cst.AssignTarget(node.target)], cst.Name("_"))) & set().union(
            *[read_names(item.node) for item in calls], set()
        )
        target, iterable = self.call_loop(node, source, scope, bool(used))
        body = node.body.with_changes(body=nodes(calls) or [PASS])
        result.call.append(Item(node.with_changes(target=target, iter=iterable, body=body)))
        if len(frame.scopes) > 1:
            for placement in scope.created:
                outer = Placement(str(placement.list_marker), f"{placement.base}_group", ())
                outer.list_marker = self.unit.fresh("l")
                outer.path = (outer.list_marker, "*")
                outer.depth = len(frame.scopes) - 1
                placement.path = (outer.list_marker, "*", "*")
                assert frame.spec is not None
                frame.spec.placements.append(Placement(outer.list_marker, f"{placement.base}_groups"))
                frame.scope.created.append(outer)
                outer.inner = placement
                result.init.append(self.keep_statement(outer, cst.Name(str(placement.list_marker)), frame))
        return result

    def loop_live(self, staged: Staged) -> set[str]:
        """Names that the next iteration may read."""
        return set().union(*[read_names(item.node) for item in staged.call if not item.config], set())

    def call_loop(
        self, node: cst.For, source: Value, scope: Scope, keep_target: bool
    ) -> tuple[cst.BaseAssignTargetExpression, cst.BaseExpression]:
        names = [placement.marker for placement in scope.created]
        lists = [self.list_ref(placement) for placement in scope.created]
        if not names:
            return node.target, source.code
        if not keep_target:
            if len(names) == 1:
                return cst.Name(names[0]), cst.parse_expression(lists[0])
            return _tuple_target(names), cst.parse_expression(f"zip({', '.join(lists)})")
        zipped = cst.parse_expression(f"zip(_, {', '.join(lists)})").visit(ReplaceNames({"_": source.code}))
        target = node.target
        if isinstance(target, cst.Tuple):
            target = target.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        return cst.Tuple([cst.Element(target), *[cst.Element(cst.Name(n)) for n in names]], [], []), zipped  # type: ignore

    def flatten(self, scope: Scope, calls: list[Item]) -> bool:
        """Does the outer loop only repeat an inner loop over layers?"""
        return (
            len(calls) == 1 and isinstance(calls[0].node, cst.For) and bool(scope.created)
            and all(getattr(p, "inner", None) is not None for p in scope.created)
            and read_names(calls[0].node.iter) <= {p.marker for p in scope.created} | {"zip"}
        )  # fmt: skip

    def flattened(
        self, node: cst.For, iter_init: cst.BaseExpression, staged: Staged, scope: Scope, calls: list[Item],
        frame: Frame, result: Staged,
    ) -> Staged:  # fmt: skip
        """An outer loop around one loop over layers: one flat list."""
        new: dict[str, cst.BaseExpression] = {}
        dropped: set[str] = set()
        for outer in scope.created:
            inner = outer.inner
            items = str(inner.list_marker)
            inner.path = (items, "*")
            new[items] = cst.parse_expression(f"self.{items}")
            dropped |= {f"{items} = nnx.List()", f"{self.list_ref(outer)}.append({items})"}
            result.init.append(cst.parse_statement(f"self.{items} = nnx.List()"))
            if frame.spec is not None:
                frame.spec.placements = [p for p in frame.spec.placements if p.marker != outer.list_marker]
        body = [s for s in staged.init if cst.Module([s]).code.strip() not in dropped]
        loop = node.with_changes(iter=iter_init, body=node.body.with_changes(body=body)).visit(ReplaceNames(new))
        result.init.append(loop)  # type: ignore[arg-type]
        inner_loop = calls[0].node.visit(ReplaceNames(new))
        result.call.append(Item(inner_loop.with_changes(leading_lines=node.leading_lines)))  # type: ignore[union-attr,arg-type]
        return result

    def width_name(self, name: str, frame: Frame) -> str:
        """The constructor variable that carries the width of tensor `name` through a loop."""
        spec: ModuleSpec | None = frame.spec
        assert spec is not None
        key = ("width", name)
        if key not in self.widths.setdefault(id(spec), {}):
            taken = {
                *self.widths[id(spec)].values(),
                *spec.dims,
                *(p.name.value for p in self.constructor_parameters(spec)),
            }
            base = "in_features" if "in_features" not in taken else f"{name}_features"
            while base in taken:
                base += "_"
            self.widths[id(spec)][key] = base
        return self.widths[id(spec)][key]


def _tuple_target(names: list[str]) -> cst.Tuple:
    return cst.Tuple([cst.Element(cst.Name(name)) for name in names], [], [])
