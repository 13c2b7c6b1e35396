"""`for` and `while`: what changes from one round to the next, and what is known after the last."""

from __future__ import annotations

import dataclasses
from typing import Any

import libcst as cst

from codemods.passes.frame import Frame, Scope
from codemods.passes.pieces import PASS
from codemods.passes.placing.staging import Item, Staged
from codemods.passes.statements.branches import nodes_of
from codemods.passes.values import UNKNOWN, TensorType, Value, same_dim


class Loops:
    """Loops of the call side, and of ordinary functions."""

    def _exec_For(self, node: cst.For, frame: Frame) -> Staged:
        source = self.eval(node.iter, frame)
        elements = self.elements(source)
        if frame.mode in ("staged", "call") and elements and self.mixed_layers(elements):
            return self.unroll(node, elements, frame)
        if frame.mode == "staged":
            return self.staged_for(node, source, frame)
        held = self.held_layers(node, source, frame)
        if held is not None and frame.mode == "call":
            return self.loop_over_layers(node, source, held, frame)
        carried = self.carry(node, source, frame)
        inner = frame.child(env=dict(frame.env))
        self.bind_target(node.target, self.element_of(source, frame), inner)
        staged = self.run(node.body.body, inner)  # type: ignore[arg-type]
        self.merge(frame, frame.child(env=dict(frame.env)), inner)
        body = nodes_of(staged, frame)
        code = node.with_changes(iter=source.code, body=node.body.with_changes(body=body or [PASS]))
        if frame.mode == "init":
            return Staged([code])
        self.check_carried(node, carried, inner, frame)
        return Staged(staged.init if frame.mode == "call" else [], [Item(code)])

    def _exec_While(self, node: cst.While, frame: Frame) -> Staged:
        test = self.eval(node.test, frame)
        staged, inner = self.branch(node.body, frame)
        self.merge(frame, frame.child(env=dict(frame.env)), inner)
        if test.is_tensor and frame.mode in ("call", "staged"):
            frame.unit.residual(frame.function, node.test, "while", "a loop that depends on tensor values")
        code = node.with_changes(test=test.code, body=node.body.with_changes(body=nodes_of(staged, frame) or [PASS]))
        return Staged([code]) if frame.mode == "init" else Staged(staged.init, [Item(code)])

    def mixed_layers(self, elements: list[Value]) -> bool:
        layers = [element for element in elements if element.layer is not None or element.module is not None]
        return len(layers) > 1 and len({(e.layer.symbol if e.layer else e.module.spec.name) for e in layers}) > 1  # type: ignore[union-attr]

    def unroll(self, node: cst.For, elements: list[Value], frame: Frame) -> Staged:
        """A loop over a list of different layers: each is called in its own way."""
        result = Staged()
        for element in elements:
            assert isinstance(node.target, cst.Name)
            frame.env[node.target.value] = element
            result.extend(self.run(node.body.body, frame))  # type: ignore[arg-type]
        return result

    def carry(self, node: cst.For, source: Value, frame: Frame) -> dict[str, Value]:
        """Generalises what changes from one iteration to the next, before the body is evaluated."""
        trial = frame.child(
            env=dict(frame.env), emit=False, extra=[], prelude=[], scopes=[*frame.scopes[:-1], Scope(frame.scope.path)]
        )
        residuals = list(frame.unit.residuals)
        snapshot = self.snapshot(frame)
        self.bind_target(node.target, self.element_of(source, frame), trial)
        self.bind_widths(node, trial, frame)
        self.run(node.body.body, trial)  # type: ignore[arg-type]
        self.restore(snapshot, frame)
        self.drop_trial(frame.function, residuals, frame.unit.imports)
        carried: dict[str, Value] = {}
        symbols = frame.spec.symbols if frame.spec else self.plain_symbols
        for name, before in list(frame.env.items()):
            after = trial.env.get(name)
            if after is None or after is before:
                continue
            if before.items is not None and after.items is not None and len(before.items) != len(after.items):
                # A list that grows: from here on only what its items look like is known.
                frame.env[name] = self.grown(name, before, after.items[-1], frame)
            elif before.items is not None and after.items is None and after.item is not None:
                frame.env[name] = self.grown(name, before, after.item, frame)
            elif before.known is not UNKNOWN and before.tensor is None and not _same_known(before, after):
                frame.env[name] = dataclasses.replace(before, known=UNKNOWN, dim=symbols.of_code(name))
            elif before.dim is not None and before.tensor is None and not same_dim(before.dim, after.dim):
                frame.env[name] = dataclasses.replace(before, dim=symbols.of_code(name), known=UNKNOWN)
            elif before.tensor is not None and before.tensor.shape is not None:
                shape = after.tensor.shape if after.tensor is not None else None
                if shape is None or len(shape) != len(before.tensor.shape):
                    frame.env[name] = dataclasses.replace(before, tensor=TensorType())
                    continue
                dims = []
                for i, (x, y) in enumerate(zip(before.tensor.shape, shape, strict=True)):
                    if same_dim(x, y):
                        dims.append(x)
                    elif i == len(shape) - 1:
                        carried[name] = before
                        dims.append(symbols.unknown("carried"))
                    else:
                        dims.append(symbols.unknown("d"))
                frame.env[name] = dataclasses.replace(before, tensor=TensorType(tuple(dims), before.tensor.dtype))
        return carried

    def check_carried(self, node: cst.For, carried: dict[str, Value], inner: Frame, frame: Frame) -> None:
        """Class bodies: a width that changes in a loop over layers is threaded by the constructor pass."""
        for name, before in carried.items():
            frame.env[name] = inner.env.get(name, before)
            if frame.emit and frame.spec is not None:
                self.threads.append((frame.spec, node, before, inner.env.get(name)))

    def rewidth(self, value: Value, dim: Any, symbols: Any) -> Value:
        """A tensor of the same rank whose last dimension is `dim`."""
        shape = value.tensor.shape if value.tensor is not None else None
        if not shape:
            return value
        dims = (*[d if i == 0 else symbols.unknown("d") for i, d in enumerate(shape[:-1])], dim)
        return dataclasses.replace(value, tensor=TensorType(dims, value.tensor.dtype))  # type: ignore[union-attr]


def _same_known(a: Value, b: Value) -> bool:
    return b.known is not UNKNOWN and type(a.known) is type(b.known) and a.known == b.known
