"""Overridden `train_step` and `test_step`: functions of the model, its optimizer and its metrics."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine.walk import findall
from codemods.passes.frame import Frame
from codemods.passes.modules import ModuleInstance, ModuleSpec
from codemods.passes.names import read_names
from codemods.passes.training_host import _without_leaves
from codemods.passes.training_in_steps import OF_COMPILED, OfCompiled
from codemods.passes.training_seeds import _has_tape
from codemods.passes.training_step_data import STEPS as _STEPS
from codemods.passes.training_step_data import StepData
from codemods.passes.training_values import Compiled, OwnOptimizer, Tracker
from codemods.passes.values import Lasting, Value

_OF_KERAS = frozenset({"optimizer", "metrics"}) | OF_COMPILED
_TRAINABLE = frozenset({"trainable_variables", "trainable_weights", "losses"})
_NEVER = frozenset({"__init__", "call", "__call__", "build", "compile"})


@dataclasses.dataclass(frozen=True)
class Self(Lasting):
    """The model, in a function that was one of its methods."""

    source: str


class Overrides(StepData):
    """Methods that become functions."""

    def start(self) -> None:
        super().start()
        self.trackers: dict[str, dict[str, Tracker]] = {}
        self.tracker_layers: dict[tuple[str, str], Any] = {}
        self.needs: dict[tuple[str, str], list[str]] = {}
        self.random_steps: set[tuple[str, str]] = set()

    # -- which methods -----------------------------------------------------------------------------

    def analyse_class(self, spec: ModuleSpec, inputs: Any) -> None:
        if spec.source not in self.moved_methods:
            self.moved_methods[spec.source] = self.moving(spec)
        super().analyse_class(spec, inputs)

    def moving(self, spec: ModuleSpec) -> dict[str, cst.FunctionDef]:
        """Methods that use metrics or the optimizer, and those that call them."""
        node = self.step_class(spec)
        assert node is not None
        methods = {s.name.value: s for s in node.body.body if isinstance(s, cst.FunctionDef)}
        trackers: dict[str, Tracker] = {}
        setters = [methods[n] for n in ("__init__", "compile", "build") if n in methods]
        pattern = m.Assign([m.AssignTarget(m.Attribute())], m.Call())
        for assign in [a for node in setters for a in findall(node, pattern)]:
            symbol = self.unit.symbol(assign.value.func)  # type: ignore[attr-defined]
            if symbol is not None and symbol.startswith("tf.keras.metrics."):
                attribute = assign.targets[0].target.attr.value  # type: ignore[attr-defined]
                trackers[attribute] = Tracker(_metric_name(assign.value, attribute))  # type: ignore[attr-defined]
        self.trackers[spec.source] = trackers
        if not any(name in methods for name in _STEPS):
            return {}
        own = self.own_optimizers(spec)
        marks = {*trackers, *_OF_KERAS, *own}
        found = {
            name for name, node in methods.items()
            if name in _STEPS or name not in _NEVER and (_uses(node) & marks or _has_tape(node))
        }  # fmt: skip
        while True:
            more = {n for n, node in methods.items() if n not in found | _NEVER and _uses(node) & (found - {"metrics"})}
            if not more:
                break
            found |= more
        self.needs |= {(spec.source, n): self.needed(methods, n, found, trackers, own) for n in found}
        return {name: node for name, node in methods.items() if name in found}

    def needed(
        self, methods: Mapping[str, cst.FunctionDef], name: str, moved: set[str], trackers: Mapping[str, Any],
        optimizers: Sequence[str],
    ) -> list[str]:  # fmt: skip
        """Which of the model, the optimizer and the metrics a method is given, for itself or to hand on."""
        todo, seen, used = [name], set(), set()
        while todo:
            current = todo.pop()
            seen.add(current)
            uses = _uses(methods[current])
            used |= uses
            todo += [n for n in uses & moved - seen if n != "metrics"]
        inner = seen - {"metrics"}
        bare = any(_reads_self(methods[n]) for n in inner)
        aside = {*moved, *_OF_KERAS, *trackers, *optimizers}
        found = ["model"] if name in _STEPS or bare or used - aside or used & {"compute_loss", "compiled_loss"} else []
        found += [n for n in ("optimizer", *optimizers) if n in used]
        return found + (["metrics"] if used & {"metrics", "compiled_metrics", *trackers} else [])

    def run_method(self, spec: ModuleSpec, node: cst.FunctionDef, *args: Any, **kwargs: Any) -> Frame:
        if node.name.value in self.moved_methods.get(spec.source, {}):
            return Frame(self.unit, f"{spec.source}.{node.name.value}", "call", spec)
        return super().run_method(spec, node, *args, **kwargs)

    # -- the functions -----------------------------------------------------------------------------

    def survey_class(self, name: str) -> None:
        super().survey_class(name)
        for method in self.moved_methods.get(name, {}).values():
            if method.name.value != "metrics":
                self.moved_function(name, method)

    def moved_functions(self, name: str) -> list[cst.BaseStatement]:
        self.survey()
        new: list[Any] = []
        for method in self.moved_methods.get(name, {}).values():
            if method.name.value == "metrics":
                continue
            function = self.settle_plain(self.moved_function(name, method), name)
            new.append(function.with_changes(leading_lines=[cst.EmptyLine(indent=False)] * 2))
        return new

    def moved_name(self, source: str, method: str) -> str:
        taken = {*self.unit.functions, *self.unit.classes}
        several = [s for s, found in self.moved_methods.items() if method in found]
        if method not in taken and len(several) == 1:
            return method
        return f"{source.lower()}_{method}"

    def moved_function(self, source: str, node: cst.FunctionDef) -> cst.FunctionDef:
        node = self.settled_step(source, node)
        name, label = node.name.value, f"{self.step_label(source)}.{node.name.value}"
        spec = self.unit.specs[source]
        frame = Frame(self.unit, label, "plain")
        self.bodies[label] = node
        parameters = [*node.params.params, *node.params.kwonly_params]
        own = parameters[0].name.value if parameters else "self"
        instance = ModuleInstance(spec, [], self.unit.span(node), self.unit.fresh("module"))
        frame.env[own] = Value(cst.Name("model"), module=instance, special=Self(source))
        for param in parameters[1:]:
            frame.env[param.name.value] = Value(param.name, staged=True)
        body = list(node.body.body)
        kept = node.params.params[1:]
        unpacked = self.unpacked(node)
        if unpacked is not None:
            body.remove(unpacked)
            names = unpacked.body[0].targets[0].target.elements  # type: ignore[union-attr]
            kept = [cst.Param(e.value) for e in names]
            for e in names:
                frame.env[e.value.value] = Value(e.value, staged=True)
        new = [item.node for item in self.run(body, frame).call]  # type: ignore[arg-type]
        new = _without_leaves(_without_unread_none(self.merged(new, source)))
        first = [cst.Param(cst.Name(n)) for n in self.needs[(source, name)]]
        extra = [cst.Param(cst.Name("rngs"))] if "rngs" in frame.flags else []
        if "rngs" in frame.flags:
            self.random_steps.add((source, name))
        params = node.params.with_changes(params=[*first, *[p.with_changes(comma=cst.MaybeSentinel.DEFAULT) for p in kept]],
                                          kwonly_params=[*node.params.kwonly_params, *extra],
                                          star_arg=cst.ParamStar() if extra else node.params.star_arg)  # fmt: skip
        decorators = [cst.Decorator(cst.parse_expression("nnx.jit"))] if name in _STEPS else []
        self.unit.imports.add("nnx")
        block = cst.IndentedBlock(new or [cst.SimpleStatementLine([cst.Pass()])])
        return node.with_changes(
            name=cst.Name(self.moved_name(source, name)), params=params, body=block, decorators=decorators
        )

    # -- in their bodies ---------------------------------------------------------------------------

    def attribute(self, base: Value, node: cst.Attribute, frame: Frame) -> Value:
        name = node.attr.value
        if isinstance(base.special, Self):
            tracker = self.trackers.get(base.special.source, {}).get(name)
            if tracker is not None:
                found = self.unit.specs[base.special.source].attributes.get(name)
                return Value(
                    cst.parse_expression(f"metrics.{tracker.name}"),
                    layer=found.layer if found else None,
                    special=tracker,
                )
            if name == "optimizer":
                return Value(cst.Name("optimizer"), special=OwnOptimizer(base.special.source, name))
            spec = self.unit.specs[base.special.source]
            if name == "metrics":
                items = [
                    Value(cst.parse_expression(f"metrics.{t.name}"), layer=layer, special=t)
                    for t, layer in self.reported(spec)
                ]
                return Value(cst.Name("metrics"), items=items)
            if name in self.own_optimizers(spec):
                return Value(cst.Name(name), special=OwnOptimizer(spec.source, name))
            if name in OF_COMPILED and self.method_node(spec, name) is None and name not in spec.attributes:
                return Value(node, special=OfCompiled(spec.source, name))
            chosen = self.of_compile(spec, name)
            if chosen is not None:
                return chosen
            if name not in spec.attributes and self.method_node(spec, name) is None and name not in _TRAINABLE:
                frame.unit.residual(
                    frame.function, node, f"self.{name}", f"`self.{name}`, which the constructor does not set"
                )
                return Value(node)
        if isinstance(base.special, Tracker):
            if name == "name":
                return Value(cst.parse_expression(f'"{base.special.name}"'), known=base.special.name)
            return Value(
                node.with_changes(value=base.code),
                special=("method", dataclasses.replace(base, layer=base.layer), name),
            )
        return super().attribute(base, node, frame)

    def call_method(self, callee: Value, node: cst.Call, frame: Frame) -> Value:
        _, base, name = callee.special
        if isinstance(base.special, Tracker):
            return self.tracker_method(base, name, node, frame)
        if isinstance(base.special, Self) and name in self.moved_methods.get(base.special.source, {}):
            return self.call_moved(base.special.source, name, node, frame)
        return super().call_method(callee, node, frame)

    def call_moved(self, source: str, name: str, node: cst.Call, frame: Frame) -> Value:
        """`self.update_trackers(...)`, which is a function now."""
        given = [cst.Arg(cst.Name(n)) for n in self.needs[(source, name)]]
        args = [arg.with_changes(value=self.eval(arg.value, frame).code) for arg in node.args]
        if (source, name) in self.random_steps:
            frame.flags.add("rngs")
            args.append(cst.Arg(cst.Name("rngs"), keyword=cst.Name("rngs"), equal=_EQUAL))
        return Value(node.with_changes(func=cst.Name(self.moved_name(source, name)), args=[*given, *args]), staged=True)

    # -- metrics of ordinary functions ---------------------------------------------------------------

    # -- fit ---------------------------------------------------------------------------------------

    def has_own_step(self, compiled: Compiled) -> bool:
        return compiled.spec is not None and "train_step" in self.moved_methods.get(compiled.spec.source, {})

    def has_own_test(self, compiled: Compiled) -> bool:
        return compiled.spec is not None and "test_step" in self.moved_methods.get(compiled.spec.source, {})

    def step_needs(self, compiled: Compiled) -> list[str]:
        if compiled.spec is not None and self.has_own_step(compiled):
            return self.needs[(compiled.spec.source, "train_step")][1:]
        return super().step_needs(compiled)

    def step_rngs(self, compiled: Compiled, frame: Frame) -> list[str]:
        if compiled.spec is None or (compiled.spec.source, "train_step") not in self.random_steps:
            return []
        frame.flags.add("rngs")
        return ["rngs=rngs"]

    def train_step(self, compiled: Compiled, frame: Frame, weighted: bool = False) -> str | None:
        if compiled.spec is not None and self.has_own_step(compiled):
            return self.moved_name(compiled.spec.source, "train_step")
        return super().train_step(compiled, frame, weighted)

    def make_metrics(self, compiled: Compiled, frame: Frame) -> str | None:
        if compiled.spec is not None and self.has_own_step(compiled):
            return self.metrics_call(compiled, self.own_metrics(compiled.spec, frame), frame)
        return super().make_metrics(compiled, frame)

    def evaluate(self, compiled: Compiled, frame: Frame, batches: bool = False) -> str | None:
        spec = compiled.spec
        if spec is None or not self.has_own_test(compiled):
            if self.has_own_step(compiled) and compiled.arguments.get("loss") is None:
                frame.unit.residual(
                    frame.function, compiled.node, "Model.evaluate", "a model with its own train_step and no test_step"
                )
                return None
            if spec is not None and self.has_own_step(compiled) and self.differs(compiled, spec):
                reason = "its own train_step keeps other metrics than `compile` gives: write a test_step for them, too"
                frame.unit.residual(frame.function, compiled.node, "Model.evaluate", reason)
                return None
            return super().evaluate_batches(compiled, frame) if batches else super().evaluate(compiled, frame)
        self.evaluated.add(id(compiled.node))
        metrics = self.metrics_call(compiled, self.own_metrics(spec, frame), frame)
        source = spec.source
        step = self.moved_name(source, "test_step")
        given = ", ".join(self.needs[(source, "test_step")])
        if (source, "test_step") in self.random_steps:
            reason = "random numbers that are drawn in test_step: draw them in a layer"
            frame.unit.residual(frame.function, compiled.node, "tf.random", reason)
            return None
        names = self.step_names(spec, "test_step")
        parts = max(self.parts_of_data(source), len(names)) or 1
        if parts > 2:
            frame.unit.residual(
                frame.function, compiled.node, "Model.evaluate", "a test_step for more than `x` and `y`"
            )
            return None
        if batches:
            data = names or ["batch"]
            return self.evaluation(
                compiled, metrics, step, given, "batches", f"{', '.join(data)} in batches", data, frame
            )
        x = self.sliced("x", "start", "batch_size", spec)
        rows = "len(x)" if x.startswith("x[") else "len(jax.tree.leaves(x)[0])"
        data = [x, *(["y[start : start + batch_size]"] if parts == 2 else [])]
        data = data if len(names) == len(data) or len(data) == 1 else [f"({', '.join(data)})"]
        signature = "x, y, batch_size=32" if parts == 2 else "x, batch_size=32"
        loop = f"start in range(0, {rows}, batch_size)"
        return self.evaluation(compiled, metrics, step, given, signature, loop, data, frame)

    def differs(self, compiled: Compiled, spec: ModuleSpec) -> bool:
        """Are the metrics of a class's own steps others than Keras's evaluation has?"""
        names = {metric.name for metric in self.metrics_of(compiled, report=False) or ()}
        return self.metric_names(spec.source) != {"loss", *names}

    def evaluation(
        self, compiled: Compiled, metrics: str | None, step: str, given: str, signature: str, loop: str, data: list[str],
        frame: Frame,
    ) -> str:  # fmt: skip
        made = f"    metrics = {metrics}\n" if "metrics" in given else ""
        code = (
            f"def NAME(model, {signature}):\n{made}"
            f"    for {loop}:\n"
            f"        results = {step}({', '.join([given, *data])})\n"
            "    return {name: float(value) for name, value in results.items()}\n"
        )
        kind = "evaluate_batches" if signature == "batches" else "evaluate"
        return self.step(kind, "evaluate", compiled, frame, code)

    def evaluate_batches(self, compiled: Compiled, frame: Frame) -> str | None:
        if compiled.spec is None or not (self.has_own_test(compiled) or self.has_own_step(compiled)):
            return super().evaluate_batches(compiled, frame)
        return self.evaluate(compiled, frame, batches=True)


_EQUAL = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))


def _uses(node: cst.FunctionDef) -> set[str]:
    """Attributes of `self` that a method names."""
    if not node.params.params:
        return set()
    own = node.params.params[0].name.value
    return {a.attr.value for a in findall(node.body, m.Attribute(value=m.Name(own)))}  # type: ignore[attr-defined]


def _reads_self(node: cst.FunctionDef) -> bool:
    """Is `self` itself called or handed on?"""
    own = node.params.params[0].name.value if node.params.params else "self"
    dotted = len(findall(node.body, m.Attribute(value=m.Name(own))))
    return len(findall(node.body, m.Name(own))) > dotted


def _metric_name(call: cst.Call, attribute: str) -> str:
    for i, arg in enumerate(call.args):
        if (arg.keyword is not None and arg.keyword.value == "name") or (i == 0 and arg.keyword is None):
            if isinstance(arg.value, cst.SimpleString) and str(arg.value.evaluated_value).isidentifier():
                return str(arg.value.evaluated_value)
    return attribute


def _without_unread_none(body: list[Any]) -> list[Any]:
    """Drops `sample_weight = None`, where what would read it is gone."""
    pattern = m.SimpleStatementLine([m.Assign([m.AssignTarget(m.Name())], m.Name("None"))])
    kept: list[Any] = []
    for statement in body:
        if m.matches(statement, pattern):
            name = statement.body[0].targets[0].target.value
            if not any(name in read_names(s) for s in body):
                continue
        kept.append(statement)
    return kept
