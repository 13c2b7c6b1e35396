"""What `compile` gave, in a step that a class writes itself: `compute_loss`, `compiled_loss`, `compiled_metrics`."""

from __future__ import annotations

import dataclasses
from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine.walk import findall
from codemods.passes.frame import Frame
from codemods.passes.modules import ModuleSpec
from codemods.passes.training_losses import Batch, Metric
from codemods.passes.training_own_compile import OwnCompile
from codemods.passes.training_values import Compiled, Tracker
from codemods.passes.values import Lasting, TensorType, Value, text

#: Attributes and methods of a compiled model that its steps use.
OF_COMPILED = frozenset({"compute_loss", "compiled_loss", "compiled_metrics", "loss", "compute_metrics"})
_LOSSES = frozenset({"compute_loss", "compiled_loss", "loss"})
_ORDER = {
    "compute_loss": ("x", "y", "y_pred", "sample_weight", "training"),
    "compiled_loss": ("y", "y_pred", "sample_weight", "regularization_losses"),
    "loss": ("y", "y_pred", "sample_weight"),
}


@dataclasses.dataclass(frozen=True)
class OfCompiled(Lasting):
    """`self.compiled_loss` and its like."""

    source: str
    name: str


class InSteps(OwnCompile):
    """Losses and metrics of `compile` in a class's own steps."""

    def start(self) -> None:
        super().start()
        self.loss_variables: dict[str, str] = {}

    def own_compiled(self, spec: ModuleSpec) -> Compiled | None:
        """The `compile` of this file that a class's steps go by."""
        found = [c for c in self.compiled.values() if c.spec is spec]
        return found[-1] if found else None

    def compiled_metrics_of(self, spec: ModuleSpec) -> list[Metric]:
        """Metrics given to `compile`, the loss aside."""
        compiled = self.own_compiled(spec)
        return (self.metrics_of(compiled, report=False) or []) if compiled is not None else []

    def reports_loss(self, spec: ModuleSpec) -> bool:
        """Does Keras report a loss of its own, beside the class's metrics?"""
        compiled = self.own_compiled(spec)
        return (
            self.method_node(spec, "metrics") is None and compiled is not None and compiled.arguments.get("loss") is not None
        )  # fmt: skip

    def reported(self, spec: ModuleSpec) -> list[tuple[Tracker, Any]]:
        """All that `self.metrics` lists, in Keras's order: trackers, with the layer that each is."""
        found: list[tuple[Tracker, Any]] = []
        if self.reports_loss(spec) and "loss" not in {t.name for t in self.trackers.get(spec.source, {}).values()}:
            found.append((Tracker("loss"), self.object_of("tf.keras.metrics.Mean", {}, spec.node)))
        for attribute, tracker in self.trackers.get(spec.source, {}).items():
            value = spec.attributes.get(attribute)
            found.append((tracker, value.layer if value is not None else None))
        if self.method_node(spec, "metrics") is None:
            found += [(Tracker(metric.name), metric.layer) for metric in self.compiled_metrics_of(spec)]
        return found

    def metric_names(self, source: str) -> set[str]:
        spec = self.unit.specs.get(source)
        return {tracker.name for tracker, _ in self.reported(spec)} if spec is not None else set()

    def own_metrics(self, spec: ModuleSpec, frame: Frame) -> str | None:
        """The metrics that the steps keep."""
        parts = []
        for tracker, layer in self.reported(spec):
            if layer is None:
                return None
            arguments = self.named(layer.symbol, tracker.name, dict(layer.arguments))
            code = self.metric_make(Metric(tracker.name, dataclasses.replace(layer, arguments=arguments)), frame)
            if code is None:
                return None
            parts.append(f"{tracker.name}={code}")
        return f"nnx.MultiMetric({', '.join(parts)})"

    # -- in the bodies -------------------------------------------------------------------------------

    def call_special(self, callee: Value, node: cst.Call, frame: Frame) -> Value | None:
        if isinstance(callee.special, OfCompiled) and callee.special.name in _LOSSES:
            return self.compiled_loss(callee.special, node, frame)
        return super().call_special(callee, node, frame)

    def call_method(self, callee: Value, node: cst.Call, frame: Frame) -> Value:
        _, base, name = callee.special
        if isinstance(base.special, OfCompiled) and base.special.name == "compiled_metrics":
            return self.update_compiled(base.special, name, node, frame)
        return super().call_method(callee, node, frame)

    def compiled_loss(self, called: OfCompiled, node: cst.Call, frame: Frame) -> Value:
        """The loss that `compile` was given, of what the step computed."""
        spec = self.unit.specs[called.source]
        compiled = self.own_compiled(spec)
        arguments = self.arguments(node, frame)
        if arguments is None:
            return Value(node)
        order = _ORDER[called.name]
        given = {name or order[min(i, len(order) - 1)]: value for i, (name, value) in enumerate(arguments)}
        y, predictions = given.get("y", given.get("y_true")), given.get("y_pred")
        weights = given.get("sample_weight")
        what = f"self.{called.name}"
        if compiled is None or compiled.arguments.get("loss") is None:
            if not self.surveying:
                reason = "no `compile` with a loss for this class in this file: call the loss that you mean"
                frame.unit.residual(frame.function, node, what, reason)
            return Value(node, staged=True)
        if y is None or predictions is None or (weights is not None and weights.known is not None):
            frame.unit.residual(frame.function, node, what, "a loss of something else than `y` and `y_pred`")
            return Value(node)
        batch = self.step_batch(compiled, y, predictions)
        code = self.loss_code(compiled, batch, frame)
        if code is None:
            return Value(node)
        if called.name == "compute_loss" or "regularization_losses" in given:
            code = " + ".join([code, *self.loss_terms(spec, "model")])
        value = Value(cst.parse_expression(code), tensor=TensorType((), "float32"))
        small = self.line.body[0] if self.line is not None else None
        implicit = self.reports_loss(spec) and not self.updates_loss(frame)
        if implicit and isinstance(small, cst.Expr) and small.value is node:
            return Value(cst.parse_expression(f"metrics.loss.update(loss={code})"))
        target = small.targets[0].target if isinstance(small, cst.Assign) and small.value is node else None
        if implicit and isinstance(target, cst.Name):
            self.loss_variables[frame.function] = target.value
        return value

    def also_read(self, frame: Frame) -> set[str]:
        name = self.loss_variables.get(frame.function)
        return super().also_read(frame) | ({name} if name is not None else set())

    def updates_loss(self, frame: Frame) -> bool:
        """Does a step update the metric of the loss itself, in a loop over `self.metrics`?"""
        node = self.bodies.get(frame.function)
        loops = findall(node, m.For(iter=m.Attribute(attr=m.Name("metrics")))) if node is not None else ()
        return bool(loops)

    def step_batch(self, compiled: Compiled, y: Value, predictions: Value) -> Batch:
        """Labels in the shape that Keras would bring them to."""
        known = self.batch(compiled)
        labels, shape = text(y.code), known.labels.tensor
        if known.prepare and isinstance(y.code, cst.Name):
            labels = known.prepare.split(" = ", 1)[1].replace("y.", f"{labels}.", 1)
        outputs = dataclasses.replace(known.predictions, code=predictions.code)
        return Batch(outputs, Value(cst.parse_expression(labels), tensor=shape, staged=True))

    def update_compiled(self, called: OfCompiled, name: str, node: cst.Call, frame: Frame) -> Value:
        """`self.compiled_metrics.update_state(y, y_pred)`: all metrics of `compile` in one update."""
        spec = self.unit.specs[called.source]
        compiled = self.own_compiled(spec)
        arguments = self.arguments(node, frame)
        if arguments is None or name != "update_state" or len(arguments) != 2 or compiled is None:
            if not self.surveying or name != "update_state":
                reason = "no `compile` for this class in this file, or more than labels and predictions"
                frame.unit.residual(frame.function, node, f"compiled_metrics.{name}", reason)
            return Value(node)
        metrics = self.metrics_of(compiled)
        if metrics is None:
            return Value(node)
        batch = self.step_batch(compiled, arguments[0][1], arguments[1][1])
        lines: list[str] = []
        loss = self.loss_variables.get(frame.function)
        if loss is not None:
            lines.append(f"metrics.loss.update(loss={loss})")
        before: list[Any] = []
        for metric in metrics:
            update = self.metric_update(metric, [batch.labels, batch.predictions], frame, before)
            if update is None:
                return Value(node)
            given = ", ".join(f"{key}={value}" for key, value in update.items())
            lines.append(f"metrics.{metric.name}.update({given})")
        frame.prelude.extend(before)
        if not lines:
            return Value(node, special="dropped")
        return Value(node, special=("statements", [cst.parse_statement(line) for line in lines]))
