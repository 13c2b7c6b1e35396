"""Keras metrics in ordinary functions and in steps."""

from __future__ import annotations

import dataclasses
from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.passes.frame import Frame
from codemods.passes.training_losses import Metric
from codemods.passes.training_objects import Objects
from codemods.passes.training_values import Tracker, name_of
from codemods.passes.values import Value, text


class Trackers(Objects):
    """`update_state`, `result` and `reset_state` of metrics."""

    def merged(self, body: list[Any], source: str) -> list[Any]:
        """Updates of all metrics in a row become one update."""
        names = {t.name for t in self.trackers.get(source, {}).values()}
        result: list[Any] = []
        run: dict[str, str] = {}
        for statement in body:
            found = m.extract(statement, _UPDATE)
            name = found["name"].value if found is not None else ""  # type: ignore[union-attr]
            if name in names and name not in run and m.matches(found["arg"], m.Arg(keyword=m.Name(name))):  # type: ignore[index]
                run[name] = text(found["arg"].value)  # type: ignore[index,union-attr]
                result.append(statement)
                if set(run) == names and len(names) > 1:
                    given = ", ".join(f"{key}={value}" for key, value in run.items())
                    lead = result[-len(run)].leading_lines
                    result[-len(run) :] = [
                        cst.parse_statement(f"metrics.update({given})").with_changes(leading_lines=lead)
                    ]  # type: ignore
                continue
            run = {}
            result.append(statement)
        return result

    def tracker_method(self, base: Value, name: str, node: cst.Call, frame: Frame) -> Value:
        """`update_state`, `result` and `reset_state` of a metric."""
        assert isinstance(base.special, Tracker)
        code = text(base.code)
        if name == "result":
            return Value(cst.parse_expression(f"{code}.compute()"), staged=True)
        if name in ("reset_state", "reset_states"):
            return Value(cst.parse_expression(f"{code}.reset()"))
        arguments = self.arguments(node, frame)
        if name not in ("update_state", "__call__") or arguments is None or base.layer is None or len(arguments) > 2:
            frame.unit.residual(frame.function, node, f"Metric.{name}", f"`.{name}` of a metric")
            return Value(node)
        layer = dataclasses.replace(
            base.layer, arguments=self.named(base.layer.symbol, base.special.name, dict(base.layer.arguments))
        )
        update = self.metric_update(Metric(base.special.name, layer), [value for _, value in arguments], frame, frame.prelude)
        if update is None:
            return Value(node)
        given = ", ".join(f"{key}={value}" for key, value in update.items())
        return Value(cst.parse_expression(f"{code}.update({given})"))

    def call_layer(self, callee: Value, arguments: Any, node: cst.Call, frame: Frame) -> Value:
        """`train_loss(loss)` updates, and gives the result, which a statement does not read."""
        if not isinstance(callee.special, Tracker) or frame.mode != "plain":
            return super().call_layer(callee, arguments, node, frame)
        small = self.line.body[0] if self.line is not None else None
        if not (isinstance(small, cst.Expr) and small.value is node):
            reason = "the result of a metric that is updated in the same expression: update it in a statement of its own"
            frame.unit.residual(frame.function, node, "Metric.__call__", reason)
            return Value(node)
        return self.tracker_method(callee, "__call__", node, frame)

    def _eval_DictComp(self, node: cst.DictComp, frame: Frame) -> Value:
        """`{m.name: m.result() for m in self.metrics}`."""
        source = self.eval(node.for_in.iter, frame) if frame.mode == "plain" else None
        if source is not None and source.items and all(isinstance(i.special, Tracker) for i in source.items):
            target = name_of(node.for_in.target)
            if (
                text(node.key) == f"{target}.name"
                and text(node.value) == f"{target}.result()"
                and text(source.code) == "metrics"
            ):
                return Value(cst.parse_expression("metrics.compute()"), staged=True)
        return super()._eval_DictComp(node, frame)

    def _eval_Dict(self, node: cst.Dict, frame: Frame) -> Value:
        """`{"loss": self.loss_tracker.result()}` of all metrics under their names."""
        value = super()._eval_Dict(node, frame)
        source = frame.function.split(".")[0]
        names = [t.name for t in self.trackers.get(source, {}).values()] if "." in frame.function else []
        if names and value.mapping is not None and list(value.mapping) == names:
            if all(text(v.code) == f"metrics.{n}.compute()" for n, v in value.mapping.items()):
                return Value(cst.parse_expression("metrics.compute()"), staged=True)
        return value

    def _small_Assign(self, node: cst.Assign, frame: Frame) -> tuple[list[Any], bool]:
        items, config = super()._small_Assign(node, frame)
        target = node.targets[0].target
        value = frame.env.get(target.value) if isinstance(target, cst.Name) else None
        if frame.mode != "plain" or value is None or value.layer is None or value.layer.rule.kind != "metric":
            return items, config
        if not isinstance(node.value, cst.Call) or value.special is not None:
            return items, config
        assert isinstance(target, cst.Name)
        name = value.layer.name if value.layer.name and value.layer.name.isidentifier() else target.value
        layer = dataclasses.replace(
            value.layer, arguments=self.named(value.layer.symbol, name, dict(value.layer.arguments))
        )
        made = self.metric_make(Metric(name, layer), frame)
        if made is None:
            return items, config
        frame.env[target.value] = Value(target, layer=layer, special=Tracker(name))
        return [node.with_changes(value=cst.parse_expression(made))], config


_UPDATE = m.SimpleStatementLine(
    [
        m.Expr(
            m.Call(
                func=m.Attribute(m.Attribute(m.Name("metrics"), m.SaveMatchedNode(m.Name(), "name")), m.Name("update")),
                args=[m.SaveMatchedNode(m.Arg(), "arg")],
            )
        )
    ]
)
