"""Keras metrics in ordinary functions and in steps."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.passes.frame import Frame
from codemods.passes.placing.staging import Staged
from codemods.passes.training_losses import Metric
from codemods.passes.training_own_metrics import OwnMetrics
from codemods.passes.training_values import Tracker, name_of
from codemods.passes.values import UNKNOWN, Value, text


class Trackers(OwnMetrics):
    """`update_state`, `result` and `reset_state` of metrics."""

    def merged(self, body: list[Any], source: str) -> list[Any]:
        """Updates of all metrics in a row become one update."""
        names = self.metric_names(source)
        result: list[Any] = []
        run: dict[str, dict[str, str]] = {}
        for statement in body:
            found = m.extract(statement, _UPDATE)
            name = found["name"].value if found is not None else ""  # type: ignore[union-attr]
            if name in names and name not in run:
                call = statement.body[0].value
                run[name] = {a.keyword.value: text(a.value) for a in call.args if a.keyword is not None}
                result.append(statement)
                given = [pair for keywords in run.values() for pair in keywords.items()]
                if set(run) == names and len(names) > 1 and len({k for k, _ in given}) == len(set(given)):
                    keywords = ", ".join(f"{key}={value}" for key, value in dict(given).items())
                    lead = [line for s in result[-len(run) :] for line in s.leading_lines]
                    new = cst.parse_statement(f"metrics.update({keywords})").with_changes(leading_lines=lead)  # type: ignore
                    result[-len(run) :] = [new]
                continue
            run = {}
            result.append(statement)
        return result

    def metric_names(self, source: str) -> set[str]:
        """Names of the metrics that the steps of a class are given."""
        return {t.name for t in self.trackers.get(source, {}).values()}

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
        update = self.metric_update(
            Metric(base.special.name, layer), [value for _, value in arguments], frame, frame.prelude
        )
        if update is None:
            return Value(node)
        given = ", ".join(f"{key}={value}" for key, value in update.items())
        return Value(cst.parse_expression(f"{code}.update({given})"))

    def _exec_For(self, node: cst.For, frame: Frame) -> Any:
        """`for metric in self.metrics`: what happens to each, one after the other."""
        source = self.eval(node.iter, frame) if frame.mode == "plain" and isinstance(node.target, cst.Name) else None
        items = source.items if source is not None else None
        if not items or not all(isinstance(item.special, Tracker) for item in items):
            return super()._exec_For(node, frame)
        result = Staged()
        for item in items:
            frame.env[node.target.value] = item  # type: ignore[union-attr]
            for statement in self.settled(node.body.body, frame):
                result.extend(self.statement(statement, frame))
        del frame.env[node.target.value]  # type: ignore[union-attr]
        return result

    def settled(self, body: Sequence[Any], frame: Frame) -> list[Any]:
        """A block, with the branches that are taken in place of tests whose outcome is known."""
        found: list[Any] = []
        for statement in body:
            known = self.eval(statement.test, frame).known if isinstance(statement, cst.If) else UNKNOWN
            if known is True:
                found += self.settled(statement.body.body, frame)
            elif known is False:
                orelse = statement.orelse
                inner = [orelse] if isinstance(orelse, cst.If) else orelse.body.body if orelse is not None else ()
                found += self.settled(inner, frame)
            else:
                found.append(statement)
        return found

    def call_layer(self, callee: Value, arguments: Any, node: cst.Call, frame: Frame) -> Value:
        """`train_loss(loss)` updates, and gives the result, which a statement does not read."""
        if not isinstance(callee.special, Tracker) or frame.mode != "plain":
            return super().call_layer(callee, arguments, node, frame)
        small = self.line.body[0] if self.line is not None else None
        if not (isinstance(small, cst.Expr) and small.value is node):
            reason = (
                "the result of a metric that is updated in the same expression: update it in a statement of its own"
            )
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
        names = self.metric_names(source) if "." in frame.function else set()
        if names and value.mapping is not None and set(value.mapping) == names:
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
            )
        )
    ]
)
