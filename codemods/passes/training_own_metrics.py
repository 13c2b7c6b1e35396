"""The user's own metrics: subclasses of Metric become subclasses of nnx.Metric."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine.handled import handled
from codemods.engine.walk import findall
from codemods.passes.frame import Frame
from codemods.passes.training_losses import Batch, Metric
from codemods.passes.training_own_losses import FOR_KERAS, OwnLosses
from codemods.passes.training_values import Compiled
from codemods.passes.values import Lasting, TensorType, Value, text

METRIC_BASES = handled(
    "tf.keras.metrics.Metric",
    becomes="subclasses become nnx.Metric: `update`, `compute` and `reset` of nnx.metrics.MetricState",
    only="as a base class",
    shows=(
        "class Error(nnx.Metric):",
        "def update(self, *, y_true, y_pred, sample_weight=None, **_):",
        "self.total[...] +=",
    ),
    sample="""
    class Error(SYMBOL):
        def __init__(self, name="error", **kwargs):
            super().__init__(name=name, **kwargs)
            self.total = self.add_weight(name="total", initializer="zeros")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.total.assign_add(tf.reduce_sum(tf.abs(y_true - y_pred)))

        def result(self):
            return self.total
    """,
)
_METHODS = {"update_state": "update", "result": "compute", "reset_state": "reset", "reset_states": "reset"}
_FILLS = {"zeros": "zeros", "zero": "zeros", "ones": "ones", "one": "ones"}


@dataclasses.dataclass(frozen=True)
class MetricSelf(Lasting):
    """`self` in a metric."""

    source: str


class OwnMetrics(OwnLosses):
    """Subclasses of Metric."""

    def start(self) -> None:
        super().start()
        self.metric_states: dict[str, dict[str, str]] = {}

    def is_own_metric(self, name: str) -> bool:
        """A direct subclass of Keras's Metric."""
        node = self.unit.classes.get(name)
        return node is not None and any(self.unit.symbol(base.value) in METRIC_BASES for base in node.bases)

    def is_own_object(self, name: str) -> bool:
        return self.is_own_metric(name) or super().is_own_object(name)

    def is_plain_base(self, symbol: str) -> bool:
        return symbol in METRIC_BASES or super().is_plain_base(symbol)

    # -- the class -----------------------------------------------------------------------------------

    def port_class(self, node: cst.ClassDef) -> list[cst.BaseStatement]:
        new = super().port_class(node)
        name = node.name.value
        if not self.is_own_metric(name):
            return new
        self.unit.imports.add("nnx")
        found: list[Any] = []
        for statement in new:
            if isinstance(statement, cst.ClassDef):
                methods = {s.name.value for s in statement.body.body if isinstance(s, cst.FunctionDef)}
                body = [*statement.body.body, *([self.reset_method(name)] if "reset" not in methods else [])]
                bases = [cst.Arg(cst.parse_expression("nnx.Metric"))]
                changes: dict[str, Any] = {"lpar": cst.LeftParen(), "rpar": cst.RightParen()}
                statement = statement.with_changes(bases=bases, body=statement.body.with_changes(body=body), **changes)
            found.append(statement)
        return found

    def reset_method(self, name: str) -> cst.BaseStatement:
        lines = [f"    self.{state}[...] = {initial}" for state, initial in self.states(name).items()] or ["    pass"]
        method = cst.parse_statement("def reset(self):\n" + "\n".join(lines) + "\n")
        return method.with_changes(leading_lines=[cst.EmptyLine(indent=False)])  # type: ignore[call-arg]

    def states(self, name: str) -> dict[str, str]:
        """Code of the initial value of each state."""
        if name not in self.metric_states:
            found: dict[str, str] = {}
            pattern = m.Assign(
                [m.AssignTarget(m.Attribute())], m.Call(func=m.Attribute(attr=m.OneOf(*map(m.Name, _MAKERS))))
            )
            for assign in findall(self.unit.classes[name], pattern):
                call: Any = assign.value  # type: ignore[attr-defined]
                initial = self.initial_state(name, call)
                if initial is not None:
                    found[assign.targets[0].target.attr.value] = initial  # type: ignore[attr-defined]
            self.metric_states[name] = found
        return self.metric_states[name]

    def initial_state(self, name: str, call: cst.Call) -> str | None:
        positional = [a.value for a in call.args if a.keyword is None]
        given = {a.keyword.value: a.value for a in call.args if a.keyword is not None}
        if self.unit.symbol(call.func) == "tf.Variable":
            first = positional[0] if positional else given.get("initial_value")
            if first is None:
                return None
            return f"jnp.asarray({text(self.eval(first, Frame(self.unit, name, 'plain')).code)})"
        if not m.matches(call.func, m.Attribute(attr=m.Name("add_weight") | m.Name("add_variable"))):
            return None
        named = positional and isinstance(positional[0], cst.SimpleString)
        for key, value in zip(("name", "shape") if named else ("shape", "initializer"), positional, strict=False):
            given[key] = value
        fill = (
            text(given["initializer"]).strip("'\"").rsplit(".", 1)[-1].rstrip("()").lower()
            if "initializer" in given
            else "zeros"
        )
        if fill not in _FILLS:
            self.unit.residual(
                name, call, f"{name}.add_weight", "a metric's state that starts with something else than zeros or ones"
            )
            return None
        shape = text(given["shape"]) if "shape" in given else "()"
        dtype = f", {text(self.eval(given['dtype'], Frame(self.unit, name, 'plain')).code)}" if "dtype" in given else ""
        self.unit.imports.add("jnp")
        return f"jnp.{_FILLS[fill]}({shape}{dtype})"

    def port_body(self, node: cst.FunctionDef, name: str) -> tuple[list[Any], cst.FunctionDef]:
        owner, _, method = name.partition(".")
        if not method or not self.is_own_metric(owner):
            return super().port_body(node, name)
        if method == "__init__":
            made = _States(node.params.params[0].name.value, self.states(owner))
            return super().port_body(node.visit(made), name)  # type: ignore[arg-type]
        before, new = super().port_body(node, name)
        if method not in _METHODS:
            return before, new
        params = new.params
        if method == "update_state":
            rest = [
                p.with_changes(comma=cst.MaybeSentinel.DEFAULT) for p in [*params.params[1:], *params.kwonly_params]
            ]
            first = params.params[0].with_changes(comma=cst.MaybeSentinel.DEFAULT)
            params = cst.Parameters(
                params=[first], star_arg=cst.ParamStar(), kwonly_params=rest, star_kwarg=cst.Param(cst.Name("_"))
            )
        return before, new.with_changes(name=cst.Name(_METHODS[method]), params=params)

    def parameters_of(self, node: cst.FunctionDef, name: str) -> dict[str, Value]:
        env = super().parameters_of(node, name)
        owner, _, method = name.partition(".")
        if method and self.is_own_metric(owner) and node.params.params:
            own = node.params.params[0].name
            env[own.value] = Value(own, special=MetricSelf(owner))
            for param in node.params.params[1:]:
                if method == "update_state" and param.default is None:
                    env[param.name.value] = Value(param.name, tensor=TensorType(), staged=True)
        return env

    def attribute(self, base: Value, node: cst.Attribute, frame: Frame) -> Value:
        if isinstance(base.special, MetricSelf):
            name = node.attr.value
            if name in self.states(base.special.source):
                return Value(node, tensor=TensorType(), special="variable")
            if name in ("variables", "weights", "non_trainable_variables"):
                frame.unit.residual(frame.function, node, f"self.{name}", "reset each state by its name")
        return super().attribute(base, node, frame)

    # -- objects -------------------------------------------------------------------------------------

    def metric_of(self, value: Value, compiled: Compiled) -> Metric | str:
        special = value.special
        if isinstance(special, tuple) and special[0] == "own_object" and self.is_own_metric(special[1]):
            source = special[1]
            method = next((s for s in self.unit.classes[source].body.body
                           if isinstance(s, cst.FunctionDef) and s.name.value == "update_state"), None)  # fmt: skip
            if method is None:
                return "a metric without `update_state`"
            names = [p.name.value for p in method.params.params[1:3]]
            layer = self.object_of("tf.keras.metrics.Mean", {}, compiled.node)
            return Metric(self.own_metric_name(source), layer, text(special[2]), names)
        if isinstance(special, tuple) and special[0] == "function":
            return self.function_metric(special[1], compiled)
        return super().metric_of(value, compiled)

    def function_metric(self, name: str, compiled: Compiled) -> Metric | str:
        """A function of labels and predictions, whose mean Keras reports."""
        layer = self.object_of("tf.keras.metrics.Mean", {}, compiled.node)
        made = f'nnx.metrics.Average("{name}")'
        self.unit.imports |= {"nnx", "jnp"}
        return Metric(name, layer, made, [name], function=name)

    def batch(self, compiled: Compiled) -> Batch:
        """Keras 3 gives labels to losses and metrics of the user's as they are; Keras 2 makes a column of them."""
        found = super().batch(compiled)
        legacy = "tf_keras" in str(self.unit.trace.data.get("keras", ""))
        given = [compiled.arguments.get("loss"), *self.metric_values(compiled)]
        specials = [value.special for value in given if value is not None and isinstance(value.special, tuple)]
        own = any(special[0] == "own_object" for special in specials)
        own = own or any(
            v.special and v.special[0] == "function"
            for v in self.metric_values(compiled)
            if isinstance(v.special, tuple)
        )
        if legacy or not own or found.labels.tensor is None or found.labels.tensor.dtype is not None:
            return found
        return Batch(found.predictions, Value(cst.Name("y"), staged=True))

    def metric_values(self, compiled: Compiled) -> list[Value]:
        given = compiled.arguments.get("metrics")
        return (given.items if given.items is not None else [given]) if given is not None else []

    def own_metric_name(self, source: str) -> str:
        """The name by which Keras reports it: what its constructor gives, else the class's."""
        node = self.unit.classes[source]
        for call in findall(node, m.Call(func=m.Attribute(m.Call(func=m.Name("super")), m.Name("__init__")))):
            given = [a.value for a in call.args if a.keyword is not None and a.keyword.value == "name"]  # type: ignore
            if given and isinstance(given[0], cst.SimpleString):
                return str(given[0].evaluated_value)
        for param in findall(node, m.Param(m.Name("name"), default=m.SimpleString())):
            return str(param.default.evaluated_value)  # type: ignore[attr-defined]
        return re.sub(r"(?<!^)(?=[A-Z])", "_", source).lower()

    def metric_make(self, metric: Metric, frame: Frame) -> str | None:
        return metric.made or super().metric_make(metric, frame)

    def metric_update(
        self, metric: Metric, values: list[Value], frame: Frame, before: list[Any]
    ) -> dict[str, str] | None:
        if metric.made is None:
            return super().metric_update(metric, values, frame, before)
        codes = [text(value.code) for value in values]
        if metric.function is not None:
            return {metric.name: self.averaged(metric.function, values, frame)}
        return dict(zip(metric.parameters, codes, strict=False))

    def averaged(self, name: str, values: list[Value], frame: Frame) -> str:
        """A function's values for the samples of a batch; a scalar counts once for each."""
        call = f"{name}({', '.join(text(value.code) for value in values)})"
        result = self.plain_result(name, [(None, value) for value in values], frame)
        shape = result.tensor.shape if result.tensor is not None else None
        return f"jnp.full(len({text(values[0].code)}), {call})" if shape == () else call


_MAKERS = ("add_weight", "add_variable", "Variable")


class _States(cst.CSTTransformer):
    """`self.total = self.add_weight(...)` to `self.total = nnx.metrics.MetricState(...)`."""

    def __init__(self, own: str, states: dict[str, str]):
        self.own, self.states = own, states

    def leave_Assign(self, original_node: cst.Assign, updated_node: cst.Assign) -> cst.Assign:
        target = original_node.targets[0].target
        if (
            isinstance(target, cst.Attribute)
            and target.attr.value in self.states
            and isinstance(original_node.value, cst.Call)
        ):
            made = f"nnx.metrics.MetricState({self.states[target.attr.value]})"
            return updated_node.with_changes(value=cst.parse_expression(made))
        return updated_node


__all__ = ["FOR_KERAS", "OwnMetrics"]
