"""Gives every layer that a function makes a place in its module."""

from __future__ import annotations

from typing import Any

import libcst as cst

from codemods.passes.frame import Frame
from codemods.passes.layer_names import received, says_nothing
from codemods.passes.modules import Placement
from codemods.passes.names import ReplaceNames
from codemods.passes.naming import plural, snake
from codemods.passes.placing.loop_placing import LoopPlacing
from codemods.passes.values import Value


class Placing(LoopPlacing):
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
        return snake(value.module.spec.called or value.module.spec.name)

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
            named = value.layer is not None and value.layer.name or says_nothing(name)
            base = self.base_name(value) if named else name
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


def containers(code: cst.BaseExpression) -> cst.BaseExpression:
    """A list or dict of modules in the form that NNX tracks."""
    if isinstance(code, cst.List | cst.ListComp | cst.Tuple):
        return cst.Call(cst.parse_expression("nnx.List"), [cst.Arg(code)])
    if isinstance(code, cst.Dict | cst.DictComp):
        return cst.Call(cst.parse_expression("nnx.Dict"), [cst.Arg(code)])
    return code
