"""Gives every layer that a function makes a place in its module, and replays its loops."""

from __future__ import annotations

import re
from typing import Any

import libcst as cst

from codemods.passes.calls import Calls
from codemods.passes.frame import Frame, Scope
from codemods.passes.layer_names import received
from codemods.passes.modules import ModuleSpec, Placement
from codemods.passes.names import ReplaceNames, assigned_names, read_names
from codemods.passes.staging import Item, Staged, nodes, prune
from codemods.passes.values import Value


class Placing(Calls):
    """Placement of layers; see `Scope`."""

    def place(self, callee: Value, frame: Frame) -> Value:
        """A layer that is called where it is made gets a place; returns it as read from there."""
        instance = callee.layer or callee.module
        assert instance is not None
        fresh = isinstance(callee.code, cst.Name) and callee.code.value == instance.marker
        if not fresh:
            return callee
        if callee.layer is not None and not callee.layer.makes:
            return callee
        if instance.placement is None:
            self.create(callee, received(self.base_name(callee), callee, frame), frame)
        assert instance.placement is not None
        return callee.with_code(cst.parse_expression(self.read_code(instance.placement, frame)))

    def base_name(self, value: Value) -> str:
        if value.layer is not None:
            if value.layer.name:
                return snake(value.layer.name)
            return value.layer.rule.attribute
        assert value.module is not None
        return snake(value.module.spec.name)

    def create(self, value: Value, base: str, frame: Frame, explicit: bool = False) -> Placement:
        """Adds the statement that makes and keeps an object to the constructor."""
        instance = value.layer or value.module
        placement = self.new_placement(base, frame)
        placement.explicit = explicit or bool(value.layer and value.layer.name)
        if instance is not None:
            instance.placement = placement
        frame.extra.append(self.keep_statement(placement, value.code, frame))
        return placement

    def new_placement(self, base: str, frame: Frame) -> Placement:
        scope = frame.scope
        marker = self.unit.fresh("f")
        if scope.is_loop:
            items = self.unit.fresh("l")
            placement = Placement(marker, base, (items, "*"))
            placement.list_marker = items
            assert frame.spec is not None
            frame.spec.placements.append(Placement(items, plural(base)))
        else:
            placement = Placement(marker, base, (marker,))
        placement.depth = len(frame.scopes) - 1
        scope.created.append(placement)
        if frame.spec is not None:
            frame.spec.placements.append(placement)
        return placement

    def list_ref(self, placement: Placement) -> str:
        return f"self.{placement.list_marker}" if placement.depth == 1 else str(placement.list_marker)

    def keep_statement(self, placement: Placement, code: cst.BaseExpression, frame: Frame) -> cst.BaseStatement:
        if placement.list_marker is not None:
            call = cst.parse_statement(f"{self.list_ref(placement)}.append(_)")
            return call.visit(ReplaceNames({"_": code}))  # type: ignore[return-value]
        assign = cst.Assign([cst.AssignTarget(cst.parse_expression(f"self.{placement.marker}"))], code)  # type: ignore[arg-type]
        return cst.SimpleStatementLine([assign])

    def keep_none(self, placement: Placement, frame: Frame) -> cst.BaseStatement:
        return self.keep_statement(placement, cst.Name("None"), frame)

    def read_code(self, placement: Placement, frame: Frame) -> str:
        if placement.list_marker is not None:
            return placement.marker
        return f"self.{placement.marker}"

    def keep_local(self, name: str, value: Value, frame: Frame) -> tuple[list[Any], bool] | None:
        """`name = LAYER` (or a list of layers) in a function that becomes a module."""
        instance = value.layer or value.module
        if instance is not None and isinstance(value.code, cst.Name) and value.code.value == instance.marker:
            if frame.mode == "init" or (value.layer is not None and not value.layer.makes):
                if frame.mode == "init":
                    return None
                frame.env[name] = value
                return [], False
            base = snake(value.layer.name) if value.layer is not None and value.layer.name else name
            placement = self.create(value, base, frame, explicit=True)
            frame.env[name] = value.with_code(cst.parse_expression(self.read_code(placement, frame)))
            return [], False
        parts = [*(value.items or ()), *([value.item] if value.item else ()), *(value.mapping or {}).values()]
        if frame.mode != "init" and any(self.is_unplaced(part) for part in parts) and not value.is_tensor:
            placement = self.create(value.with_code(containers(value.code)), name, frame, explicit=True)
            code = cst.parse_expression(self.read_code(placement, frame))
            frame.env[name] = self.read_container(value, code, placement.path)
            return [], False
        return None

    def is_unplaced(self, value: Value) -> bool:
        instance = value.layer or value.module
        if instance is not None and instance.placement is None:
            return isinstance(value.code, cst.Name) and value.code.value == instance.marker
        parts = [*(value.items or ()), *(value.mapping or {}).values(), *([value.item] if value.item else ())]
        return any(self.is_unplaced(part) for part in parts)

    def read_container(self, value: Value, code: cst.BaseExpression, path: tuple[str, ...]) -> Value:
        """A list or dict of layers as read from `code`; its layers learn where they are kept."""

        def part(item: Value, key: Any) -> Value:
            index = cst.Subscript(code, [cst.SubscriptElement(cst.Index(cst.parse_expression(repr(key))))])
            return self.read_container(item, index, (*path, str(key)))

        instance = value.layer or value.module
        if instance is not None and instance.placement is None:
            instance.placement = Placement(path[0], path[0], path)
        items = [part(item, i) for i, item in enumerate(value.items)] if value.items is not None else None
        mapping = {key: part(item, key) for key, item in value.mapping.items()} if value.mapping is not None else None
        item = value.item
        if item is not None:
            item = self.read_container(
                item, cst.Subscript(code, [cst.SubscriptElement(cst.Index(cst.Name("_")))]), (*path, "*")
            )
        return Value(
            code, value.known, value.dim, value.tensor, value.layer, value.module, items, item, mapping,
            special=value.special if value.layer is None else None,
        )  # fmt: skip

    # -- loops ------------------------------------------------------------------------------------

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
                body=nodes(staged.call) or [_PASS])), config=True))  # fmt: skip
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
        body = node.body.with_changes(body=nodes(calls) or [_PASS])
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

    def snapshot(self, frame: Frame) -> Any:
        spec = frame.spec
        if spec is None:
            return None
        layers = {id(x): (x, x.placement) for x in [*spec.layers, *spec.modules]}
        return layers, len(spec.placements), dict(spec.attributes), len(self.held), len(self.threads)

    def restore(self, snapshot: Any, frame: Frame) -> None:
        """Undoes what a trial evaluation of a loop placed."""
        spec = frame.spec
        if snapshot is None or spec is None:
            return
        layers, count, attributes, held, threads = snapshot
        for x in [*spec.layers, *spec.modules]:
            x.placement = layers[id(x)][1] if id(x) in layers else None
        del spec.placements[count:]
        spec.attributes.clear()
        spec.attributes.update(attributes)
        del self.held[held:]
        del self.threads[threads:]


_PASS = cst.SimpleStatementLine([cst.Pass()])


def _tuple_target(names: list[str]) -> cst.Tuple:
    return cst.Tuple([cst.Element(cst.Name(name)) for name in names], [], [])


def containers(code: cst.BaseExpression) -> cst.BaseExpression:
    """A list or dict of modules in the form that NNX tracks."""
    if isinstance(code, cst.List | cst.ListComp | cst.Tuple):
        return cst.Call(cst.parse_expression("nnx.List"), [cst.Arg(code)])
    if isinstance(code, cst.Dict | cst.DictComp):
        return cst.Call(cst.parse_expression("nnx.Dict"), [cst.Arg(code)])
    return code


def snake(name: str) -> str:
    """`ResidualBlock` and `residual-block 1` to `residual_block` and `residual_block_1`."""
    name = re.sub(r"\W+", "_", name)
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).strip("_").lower()
    return name if name and not name[0].isdigit() else f"layer_{name}"


def plural(name: str) -> str:
    """A name for a list of these."""
    if name.endswith(("s", "x", "dense")):
        return f"{name}_layers"
    return f"{name[:-1]}ies" if name.endswith("y") and name[-2:-1] not in "aeiou" else f"{name}s"


def camel(name: str) -> str:
    """`build_resnet` to `Resnet`, `residual_block` to `ResidualBlock`."""
    name = re.sub(r"^_*(build|make|create|get|define|construct)_(?=\w)", "", name).strip("_")
    parts = [part for part in name.split("_") if part]
    return "".join(part[:1].upper() + part[1:] for part in parts) or "Model"
