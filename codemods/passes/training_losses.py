"""Losses and metrics of a compiled model, as code for a batch."""

from __future__ import annotations

import builtins
import dataclasses
import inspect
from typing import Any

import libcst as cst

from codemods.engine import rule as rules
from codemods.engine.outcome import Residual
from codemods.engine.template import Arg, inline
from codemods.mappings.keras_loss_functions import LOSS_NAMES
from codemods.mappings.keras_metrics import METRIC_NAMES
from codemods.passes.frame import Frame
from codemods.passes.modules import LayerInstance
from codemods.passes.names import assigned_names
from codemods.passes.naming import identifier
from codemods.passes.training_data import Data
from codemods.passes.training_values import Compiled
from codemods.passes.values import TensorType, Value, text

_SPARSE = frozenset(
    {"tf.keras.losses.SparseCategoricalCrossentropy", "tf.keras.losses.sparse_categorical_crossentropy"}
)


@dataclasses.dataclass
class Metric:
    """One metric of a compiled model: its name in the results, its rule and arguments.

    Attributes:
      made: code that makes a metric of the user's, which `update` gives `parameters`.
      function: the user's function whose mean it is.
    """

    name: str
    layer: LayerInstance
    made: str | None = None
    parameters: list[str] = dataclasses.field(default_factory=list)
    function: str | None = None


@dataclasses.dataclass
class Batch:
    """What a step knows of its tensors.

    Attributes:
      predictions: the name of the model's output, with its type.
      labels: `y`; `prepare` is a line that brings it into the shape that Keras would.
      weights: of the samples, where there are any.
    """

    predictions: Value
    labels: Value
    prepare: str = ""
    weights: Value | None = None


class Losses(Data):
    """What a batch comes to."""

    def not_global(self, names: set[str]) -> set[str]:
        """Those of the names that mean nothing at module level."""
        known = {*self.unit.functions, *self.unit.classes, *rules.IMPORTS, *dir(builtins), *self.unit.helpers}
        known |= {spec.name for spec in self.unit.specs.values()} | {"SEED", "NAME"}
        known |= set().union(*[assigned_names(s) for s in self.unit.module.body], set())
        for statement in self.unit.module.body:
            for small in statement.body if isinstance(statement, cst.SimpleStatementLine) else ():
                if isinstance(small, cst.Import | cst.ImportFrom) and not isinstance(small.names, cst.ImportStar):
                    known |= {
                        text(a.asname.name if a.asname is not None else a.name).split(".")[0] for a in small.names
                    }
        return names - known

    def result_of(self, compiled: Compiled) -> Value | None:
        """What the model returns, or the one output that this is about."""
        if compiled.output is not None:
            return compiled.output
        return compiled.spec.result if compiled.spec is not None else None

    def batch(self, compiled: Compiled) -> Batch:
        loss = compiled.arguments.get("loss")
        symbol = self.loss_symbol(loss)
        sparse = symbol in _SPARSE
        result = self.result_of(compiled)
        tensor = result.tensor if result is not None else None
        rank = len(tensor.shape) if tensor is not None and tensor.shape is not None else None
        last = tensor.shape[-1] if tensor is not None and tensor.shape else None
        layer = loss.layer if loss is not None else None
        logits = layer is not None and "from_logits" in layer.arguments and layer.arguments["from_logits"].known is True
        predictions = Value(cst.Name("logits" if logits else "predictions"), tensor=self.of_rank(rank))
        labels = Value(cst.Name("y"), staged=True)
        integers = ".astype(int)" if self.wants_integers(compiled) else ""
        if sparse and rank is not None:
            labels = Value(cst.Name("y"), tensor=self.of_rank(rank - 1, "int32"))
            line = f"y = y.reshape(-1){integers}" if rank == 2 else f"y = y{integers}" if integers else ""
            return Batch(predictions, labels, line)
        if rank == 2 and isinstance(last, int) and last == 1:
            return Batch(predictions, Value(cst.Name("y"), tensor=self.of_rank(2)), "y = y.reshape(-1, 1)")
        if rank is not None and symbol == "tf.keras.losses.CategoricalCrossentropy":
            labels = Value(cst.Name("y"), tensor=self.of_rank(rank))
        return Batch(predictions, labels)

    def of_rank(self, rank: int | None, dtype: str | None = None) -> TensorType:
        """A tensor of which the rank alone is known."""
        return TensorType(None if rank is None else tuple(self.plain_symbols.unknown("d") for _ in range(rank)), dtype)

    def wants_integers(self, compiled: Compiled) -> bool:
        found = self.metrics_of(compiled, report=False) or []
        return any(metric.layer.symbol == "tf.keras.metrics.SparseCategoricalAccuracy" for metric in found)

    def loss_symbol(self, loss: Value | None) -> str | None:
        if loss is None:
            return None
        if isinstance(loss.known, str):
            return f"tf.keras.losses.{LOSS_NAMES.get(loss.known.lower(), loss.known)}"
        if loss.layer is not None:
            return loss.layer.symbol
        return loss.symbol

    def loss_of(self, compiled: Compiled, batch: Batch, frame: Frame) -> tuple[list[str], str] | None:
        """The scalar loss of a batch: lines that go before, and the expression."""
        inner = Frame(
            self.unit, frame.function, "plain", env={"y": batch.labels, text(batch.predictions.code): batch.predictions}
        )
        code = self.loss_code(compiled, batch, inner)
        weight = self.only_weight(compiled, frame)
        if code is None or weight is None:
            return None
        code = f"{weight} * {code}" if weight else code
        return [line for s in inner.prelude for line in text(s).strip().splitlines()], code

    def only_weight(self, compiled: Compiled, frame: Frame) -> str | None:
        """The weight of the loss of a model with one output; an empty one where `compile` was given none."""
        given = compiled.arguments.get("loss_weights")
        if given is None or given.known is None or compiled.output is not None:
            return ""
        parts = [given]
        if given.items is not None or given.mapping is not None:
            parts = list(given.items if given.items is not None else given.mapping.values())  # type: ignore[union-attr]
        if len(parts) == 1 and parts[0].items is None and parts[0].mapping is None:
            code = parts[0].code
            return text(code) if isinstance(code, cst.Float | cst.Integer) else _atom(code)
        self.unit.residual(
            compiled.function, compiled.node, "Model.compile", "`loss_weights` that do not fit one output"
        )
        return None

    def loss_code(self, compiled: Compiled, batch: Batch, frame: Frame) -> str | None:
        loss = compiled.arguments.get("loss")
        if loss is None:
            return None
        arguments = [(None, batch.labels), (None, batch.predictions)]
        symbol = self.loss_symbol(loss)
        if batch.weights is not None:
            arguments.append((None, batch.weights))
            if symbol is None or symbol not in rules.OBJECTS:
                reason = "weights of samples with a loss that is a function: weigh the samples in the function"
                frame.unit.residual(frame.function, compiled.node, text(loss.code), reason)
                return None
        if isinstance(loss.known, str):
            if symbol not in rules.OBJECTS:
                frame.unit.residual(frame.function, compiled.node, loss.known, f"no rule for the loss {loss.known!r}")
                return None
            layer = self.object_of(symbol, {}, compiled.node)
            return text(
                self.call_layer(Value(cst.Name(layer.marker), layer=layer), arguments, compiled.node, frame).code
            )
        if loss.layer is not None:
            return text(self.call_layer(loss, arguments, compiled.node, frame).code)
        if symbol is not None and symbol in rules.RULES:
            value = self.apply_rule(rules.RULES[symbol], symbol, arguments, compiled.node, frame)
            return f"{_atom(value.code)}.mean()"
        if isinstance(loss.special, tuple) and loss.special[0] == "function":
            return self.user_loss(loss.special[1], batch, frame)
        if loss.special is None and isinstance(loss.code, cst.Name) and loss.items is None and symbol is None:
            self.unit.imports.add("jnp")
            return f"jnp.mean({text(loss.code)}({text(batch.labels.code)}, {text(batch.predictions.code)}))"
        frame.unit.residual(frame.function, compiled.node, text(loss.code), "this form of a loss is not ported yet")
        return None

    def user_loss(self, name: str, batch: Batch, frame: Frame) -> str:
        """The user's function; Keras averages what it gives for each sample."""
        call = f"{name}({text(batch.labels.code)}, {text(batch.predictions.code)})"
        shape = batch.predictions.tensor.shape if batch.predictions.tensor is not None else None
        ranks = [len(shape), len(shape) - 1] if shape is not None else []
        for rank in ranks:
            # A scalar whatever the labels are like needs no mean.
            labels = Value(
                batch.labels.code, tensor=self.of_rank(rank, batch.labels.tensor.dtype if batch.labels.tensor else None)
            )
            result = self.plain_result(name, [(None, labels), (None, batch.predictions)], frame)
            if result.tensor is not None and result.tensor.shape == ():
                return call
        self.plain_result(name, [(None, batch.labels), (None, batch.predictions)], frame)
        return f"{call}.mean()"

    def object_of(self, symbol: str, arguments: dict[str, Value], node: cst.CSTNode) -> LayerInstance:
        span, marker = self.unit.span(node), self.unit.fresh("layer")
        return LayerInstance(rules.OBJECTS[symbol], arguments, frozenset(arguments), span, marker, symbol, makes=False)

    def metrics_of(self, compiled: Compiled, report: bool = True) -> list[Metric] | None:
        """The metrics by name; None where one can't be ported."""
        given = compiled.arguments.get("metrics")
        if given is None or given.known is None:
            return []
        found: list[Metric] = []
        for value in given.items if given.items is not None else [given]:
            metric = self.metric_of(value, compiled)
            if isinstance(metric, str):
                if report:
                    self.unit.residual(compiled.function, compiled.node, text(value.code), metric)
                return None
            found.append(metric)
        return found

    def metric_of(self, value: Value, compiled: Compiled) -> Metric | str:
        """A metric, or why there is none."""
        if isinstance(value.known, str):
            name = value.known
            symbol: str | None = None
            if name.lower() in ("accuracy", "acc"):
                symbol = self.accuracy(compiled)
                if symbol is None:
                    return "which accuracy this is depends on shapes that are not known: name the metric's class"
            else:
                symbol = METRIC_NAMES.get(name.lower(), name)  # Keras takes the name of a class, too
            symbol = f"tf.keras.metrics.{symbol}"
            if symbol not in rules.OBJECTS:
                return f"no rule for the metric {name!r}"
            return Metric(name, self.object_of(symbol, self.named(symbol, name, {}), compiled.node))
        if value.layer is not None and value.layer.rule.kind == "metric":
            layer = value.layer
            default = _defaults(layer).get("name") or layer.symbol.rsplit(".", 1)[-1].lower()
            name = identifier(layer.name or default)
            return Metric(
                name, dataclasses.replace(layer, arguments=self.named(layer.symbol, name, dict(layer.arguments)))
            )
        return "this form of a metric is not ported yet"

    def named(self, symbol: str, name: str, arguments: dict[str, Value]) -> dict[str, Value]:
        make = rules.OBJECTS[symbol].make
        if make is not None and "name" in make.__code__.co_varnames[: make.__code__.co_argcount]:
            arguments["name"] = Value(cst.parse_expression(f'"{name}"'), known=name)
        return arguments

    def accuracy(self, compiled: Compiled) -> str | None:
        """Which accuracy Keras takes: by the last dimension of the output, then by the rank of the labels."""
        result = self.result_of(compiled)
        last = result.tensor.last if result is not None and result.tensor is not None else None
        symbol = self.loss_symbol(compiled.arguments.get("loss"))
        if isinstance(last, int) and last == 1:
            return "BinaryAccuracy"
        if symbol in _SPARSE:
            return "SparseCategoricalAccuracy"
        if symbol == "tf.keras.losses.CategoricalCrossentropy" or isinstance(last, int) and symbol is not None:
            return "CategoricalAccuracy"
        return None

    def metric_make(self, metric: Metric, frame: Frame) -> str | None:
        """Code that makes an NNX metric."""
        layer = metric.layer
        assert layer.rule.make is not None
        args = {name: self.argument(value) for name, value in layer.arguments.items()}
        found = inline(layer.rule.make, args, given=frozenset(args), symbol=layer.symbol, helpers=layer.rule.helpers)
        if isinstance(found, Residual):
            self.unit.residual(frame.function, cst.Name("_"), layer.symbol, found.reason)
            return None
        self.accept_helpers(found, layer.rule)
        self.unit.imports |= found.imports
        return text(found.code)

    def metric_update(
        self, metric: Metric, values: list[Value], frame: Frame, before: list[cst.BaseStatement]
    ) -> dict[str, str] | None:
        """Keywords of the metric's update, from the arguments of `update_state`; `before` gets what must precede it."""
        layer = metric.layer
        assert layer.rule.call is not None
        names = [p.name for p in inspect.signature(layer.rule.call).parameters.values() if p.kind is not p.KEYWORD_ONLY]
        args: dict[str, Arg] = {name: self.argument(value) for name, value in zip(names, values, strict=False)}
        given = set(args)
        for name, value in layer.arguments.items():
            args[name] = self.argument(value)
            given.add(name)
        self.fill_defaults(layer.rule, args)
        taken = frozenset(frame.env) | {name for statement in before for name in assigned_names(statement)}
        found = inline(
            layer.rule.call, args, given=frozenset(given), symbol=layer.symbol, helpers=layer.rule.helpers, taken=taken
        )
        if isinstance(found, Residual) or not isinstance(found.code, cst.Dict):
            reason = found.reason if isinstance(found, Residual) else "its update has no keywords"
            self.unit.residual(frame.function, cst.Name("_"), layer.symbol, reason)
            return None
        self.unit.imports |= found.imports
        self.note_object(layer, dict(zip(names, values, strict=False)), layer.span, frame)
        before.extend(found.prelude)
        pairs = [e for e in found.code.elements if isinstance(e, cst.DictElement)]
        return {e.key.evaluated_value: text(e.value) for e in pairs if isinstance(e.key, cst.SimpleString)}  # type: ignore


def _defaults(layer: LayerInstance) -> dict[str, Any]:
    assert layer.rule.make is not None
    return {p.name: p.default for p in inspect.signature(layer.rule.make).parameters.values()}


def _atom(code: cst.BaseExpression) -> str:
    return text(code) if isinstance(code, cst.Call | cst.Name | cst.Attribute | cst.Subscript) else f"({text(code)})"
