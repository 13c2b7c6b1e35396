"""Loops that make layers, or run over them."""

from __future__ import annotations

import dataclasses
from typing import Any

import libcst as cst

from codemods.engine.walk import names_in
from codemods.passes.frame import Frame
from codemods.passes.modules import Thread
from codemods.passes.names import assigned_names
from codemods.passes.pieces import PASS, assign_name
from codemods.passes.placing.staging import Item, Staged
from codemods.passes.statements.branches import nodes_of
from codemods.passes.values import TensorType, Value, same_dim


class LayerLoops:
    """Loops whose rounds have layers of their own; widths that change are variables of the constructor."""

    def held_layers(self, node: cst.For, source: Value, frame: Frame) -> tuple[str, list[Value]] | None:
        """The attribute that a loop runs over, and the layers it holds."""
        if not isinstance(node.target, cst.Name) or frame.spec is None:
            return None
        code = source.code
        if (
            not isinstance(code, cst.Attribute)
            or not isinstance(code.value, cst.Name)
            or code.value.value != frame.self_name
        ):
            return None
        if isinstance(source.special, tuple) and source.special[0] == "layers":
            return (code.attr.value, source.special[2]) if source.special[2] else None
        if source.item is not None and source.item.has_layers:
            return code.attr.value, [source.item]
        return None

    def loop_over_layers(self, node: cst.For, source: Value, held: tuple[str, list[Value]], frame: Frame) -> Staged:
        """`for block in self.blocks: x = block(x)`: a width that changes on the way is threaded by the constructor."""
        attribute, layers = held
        spec, symbols = frame.spec, frame.spec.symbols  # type: ignore[union-attr]
        changed: set[str] = set()
        entry = dict(frame.env)
        for layer in layers:
            trial = frame.child(env=dict(entry), emit=False, extra=[], prelude=[])
            residuals = list(frame.unit.residuals)
            self.bind_target(node.target, layer, trial)
            self.run(node.body.body, trial)  # type: ignore[arg-type]
            self.drop_trial(frame.function, residuals, frame.unit.imports)
            for name, before in entry.items():
                after = trial.env.get(name)
                if before.tensor is not None and after is not None and after.tensor is not None and after is not before:
                    if not same_dim(before.tensor.last, after.tensor.last):
                        changed.add(name)
        result: Staged | None = None
        symbol = None
        if len(changed) > 1:
            frame.unit.residual(frame.function, node, f"self.{attribute}", "several widths change in this loop")
        inner = frame.child(env=dict(frame.env))
        for name in sorted(changed)[:1]:
            width = "in_features" if "in_features" not in spec.dims and not spec.threads else f"{attribute}_features"  # type: ignore
            symbol = symbols.of_code(width)
            thread = Thread(attribute, width, entry[name].tensor.last)  # type: ignore[union-attr]
            for layer in layers:
                loop = frame.child(env=dict(entry))
                loop.env[name] = self.rewidth(entry[name], symbol, symbols)
                self.bind_target(node.target, layer, loop)
                staged = self.run(node.body.body, loop)  # type: ignore[arg-type]
                result = result or staged
                made = layer.layer or layer.module
                if made is not None and loop.env[name].tensor is not None:
                    thread.after[made.marker] = loop.env[name].tensor.last  # type: ignore[union-attr]
                inner = loop
            spec.threads.append(thread)  # type: ignore[union-attr]
            inner.env[name] = self.rewidth(inner.env[name], symbol, symbols)
        if not changed:
            for layer in layers:
                loop = frame.child(env=dict(entry))
                self.bind_target(node.target, layer, loop)
                staged = self.run(node.body.body, loop)  # type: ignore[arg-type]
                result = result or staged
                inner = loop
        assert result is not None
        for name in assigned_names(node):
            if name in inner.env and name in frame.env:
                frame.env[name] = (
                    inner.env[name] if name in changed else self.join(frame.env[name], inner.env[name], frame)
                )
                if name not in changed and inner.env[name].tensor is not None:
                    frame.env[name] = inner.env[name]
            elif name in inner.env:
                frame.env[name] = inner.env[name]
        code = node.with_changes(iter=source.code, body=node.body.with_changes(body=nodes_of(result, frame) or [PASS]))
        return Staged(result.init, [Item(code)])

    def staged_for(self, node: cst.For, source: Value, frame: Frame) -> Staged:
        """A loop that makes layers and calls them: a loop in the constructor and one in the call."""
        result = Staged()
        before_loop = dict(frame.env)
        carried = self.carry(node, source, frame)
        symbols = frame.spec.symbols  # type: ignore[union-attr]
        for name in sorted(self.width_names(frame).keys() - self.width_names(frame.child(env=before_loop)).keys()):
            started = self.start_widths(name, before_loop[name], frame)
            if started is not None:
                result.init.append(started)
        for name, before in carried.items():
            width = self.width_name(name, frame)
            entry_code = symbols.code(before.tensor.last)  # type: ignore[union-attr]
            if entry_code is None:
                continue
            if entry_code != width:
                result.init.append(assign_name(width, entry_code))
            frame.env[width] = Value(cst.Name(width), dim=symbols.of_code(width))
            tensor = frame.env[name].tensor
            frame.env[name] = dataclasses.replace(
                frame.env[name],
                tensor=TensorType((*tensor.shape[:-1], symbols.of_code(width)), tensor.dtype),  # type: ignore
            )
        scope = self.loop_scope(frame)
        inner = frame.child(env=dict(frame.env), scopes=[*frame.scopes, scope])
        element = self.element_of(source, frame)
        self.bind_target(node.target, element, inner)
        init_target = self.bind_widths(node, inner, frame)
        staged = self.run(node.body.body, inner)  # type: ignore[arg-type]
        for name in carried:
            width = self.width_name(name, frame)
            after = inner.env[name].tensor
            code = symbols.code(after.last) if after is not None and after.shape else None
            if code is None:
                frame.unit.residual(
                    frame.function,
                    node,
                    name,
                    f"the last dimension of `{name}` changes in this loop in a way that can't be expressed",
                )
            elif code != width:
                staged.init.append(assign_name(width, code))
            if code is not None and self.runs(source, node) and self.is_fixed(after.last, node, frame):  # type: ignore[union-attr]
                continue
            if width in frame.env:
                tensor = inner.env[name].tensor
                inner.env[name] = dataclasses.replace(
                    inner.env[name],
                    tensor=TensorType((*tensor.shape[:-1], symbols.of_code(width)), tensor.dtype),  # type: ignore
                )
        for name in assigned_names(node) - assigned_names_of_target(node.target):
            if name in inner.env:
                frame.env[name] = inner.env[name]
        return self.close_loop(node, init_target, source, staged, scope, inner, frame, result)

    def runs(self, source: Value, node: cst.For) -> bool:
        """Does a loop run at least once, whatever the configuration?"""
        if self.elements(source):
            return True
        call = node.iter
        counted = isinstance(call, cst.Call) and isinstance(call.func, cst.Name) and call.func.value == "range"
        if not counted or len(call.args) != 1:  # type: ignore[attr-defined]
            return False
        count = call.args[0].value  # type: ignore[attr-defined]
        return isinstance(count, cst.Integer) and count.evaluated_value > 0

    def is_fixed(self, dim: Any, node: cst.For, frame: Frame) -> bool:
        """Is a size made of nothing that a loop changes?"""
        if isinstance(dim, int):
            return True
        symbols = frame.spec.symbols  # type: ignore[union-attr]
        codes = {symbols.code_of(name) for name in symbols.names(dim)}
        changed = assigned_names(node) | symbols.local
        return all(code is not None and "[-1]" not in code and not names_in(cst.parse_expression(code)) & changed
                   for code in codes)  # fmt: skip


def assigned_names_of_target(target: cst.BaseExpression) -> set[str]:
    return assigned_names(cst.Assign([cst.AssignTarget(target)], cst.Name("_")))
