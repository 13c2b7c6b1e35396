"""`model.compile(...)`: the optimizer where it stood, the loss and the metrics as code for a batch."""

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
from codemods.passes.modules import Chain, Finished, LayerInstance
from codemods.passes.names import ReplaceNames, assigned_names, read_names
from codemods.passes.training_data import Data
from codemods.passes.training_values import Compiled, Optimizer
from codemods.passes.values import TensorType, Value, text

_ORDER = ("optimizer", "loss", "loss_weights", "metrics", "weighted_metrics", "run_eagerly", "steps_per_execution", "jit_compile")
#: Arguments that say how Keras should run a step, not what is computed.
_RUNNING = frozenset({"run_eagerly", "steps_per_execution", "jit_compile", "experimental_run_tf_function"})
_SPARSE = frozenset({"tf.keras.losses.SparseCategoricalCrossentropy", "tf.keras.losses.sparse_categorical_crossentropy"})


@dataclasses.dataclass
class Metric:
    """One metric of a compiled model: its name in the results, its rule and arguments."""

    name: str
    layer: LayerInstance


@dataclasses.dataclass
class Batch:
    """What a step knows of its tensors.

    Attributes:
      predictions: the name of the model's output, with its type.
      labels: `y`; `prepare` is a line that brings it into the shape that Keras would.
    """

    predictions: Value
    labels: Value
    prepare: str = ""


class Compiling(Data):
    """Compiled models."""

    def start(self) -> None:
        super().start()
        self.compiled: dict[int, Compiled] = {}
        self.comments: dict[int, Any] = {}
        self.fitted: set[int] = set()

    # -- compile -----------------------------------------------------------------------------------

    def call_method(self, callee: Value, node: cst.Call, frame: Frame) -> Value:
        _, base, name = callee.special
        if name == "compile" and frame.mode == "staged" and frame.spec is not None and isinstance(base.special, Chain | Finished):
            inner = Frame(self.unit, frame.function, "plain")
            arguments = self.compile_arguments(node, inner)
            if arguments is None:
                return Value(node)
            found = self.compiled.setdefault(id(node), Compiled(node, frame.function, "", frame.spec, arguments))
            found.arguments = arguments
            return Value(node, special="dropped")
        return super().call_method(callee, node, frame)

    def optimizer_for(self, compiled: Compiled, base: Value, node: cst.Call, frame: Frame) -> str | None:
        """The optimizer of a model that was compiled in another function, made where it is trained."""
        transformation = self.transformation(compiled.arguments.get("optimizer"), compiled.node, frame)
        if transformation is None:
            return None
        given: dict[str, cst.BaseExpression] = {}
        if base.module is not None and compiled.spec is not None and compiled.function == compiled.spec.source:
            here = any(i is base.module and f == frame.function for f, i in self.loose)
            for name, value in self.named_arguments(base.module).items():
                if here or not read_names(value.code):
                    given[name] = value.code
        code = cst.parse_expression(transformation).visit(ReplaceNames(given))
        unknown = self.not_global(read_names(code) - {n for v in given.values() for n in read_names(v)})
        if unknown:
            reason = f"`compile` and `fit` are in different functions, and the optimizer needs `{sorted(unknown)[0]}`"
            frame.unit.residual(frame.function, node, "Model.fit", reason)
            return None
        self.unit.imports |= {"nnx", "optax"}
        return f"{self.optimizer_name(frame)} = nnx.Optimizer({text(base.code)}, {text(code)}, wrt=nnx.Param)"

    def not_global(self, names: set[str]) -> set[str]:
        """Those of the names that mean nothing at module level."""
        known = {*self.unit.functions, *self.unit.classes, *rules.IMPORTS, *dir(builtins), *self.unit.helpers}
        known |= {spec.name for spec in self.unit.specs.values()} | {"SEED", "NAME"}
        known |= set().union(*[assigned_names(s) for s in self.unit.module.body], set())
        for statement in self.unit.module.body:
            for small in statement.body if isinstance(statement, cst.SimpleStatementLine) else ():
                if isinstance(small, cst.Import | cst.ImportFrom) and not isinstance(small.names, cst.ImportStar):
                    known |= {text(a.asname.name if a.asname is not None else a.name).split(".")[0] for a in small.names}
        return names - known

    def model_method(self, base: Value, name: str, node: cst.Call, frame: Frame) -> Value | None:
        if name == "compile":
            return self.compile_model(base, node, frame)
        return super().model_method(base, name, node, frame)

    def compile_model(self, base: Value, node: cst.Call, frame: Frame) -> Value:
        arguments = self.compile_arguments(node, frame)
        if arguments is None:
            return Value(node)
        spec = base.module.spec if base.module is not None else None
        found = self.compiled.setdefault(id(node), Compiled(node, frame.function, text(base.code), spec, arguments))
        found.arguments, found.spec = arguments, spec
        if id(node) not in self.fitted and not self.surveying:
            return Value(node, special="dropped")
        transformation = self.transformation(arguments.get("optimizer"), node, frame)
        if transformation is None:
            return Value(node)
        self.unit.imports |= {"nnx", "optax"}
        name = self.optimizer_name(frame)
        code = f"{name} = nnx.Optimizer({text(base.code)}, {transformation}, wrt=nnx.Param)"
        statement = cst.parse_statement(code)
        given = arguments.get("optimizer")
        if given is not None and isinstance(given.special, Optimizer) and given.special.site in self.comments:
            statement = statement.with_changes(leading_lines=self.comments[given.special.site])  # type: ignore[call-arg]
        return Value(node, special=("statements", [statement]))

    def compile_arguments(self, node: cst.Call, frame: Frame) -> dict[str, Value] | None:
        arguments: dict[str, Value] = {}
        for i, arg in enumerate(node.args):
            key = arg.keyword.value if arg.keyword is not None else _ORDER[min(i, len(_ORDER) - 1)]
            if arg.star:
                frame.unit.residual(frame.function, arg, "Model.compile", "which arguments these are is not known")
                return None
            arguments[key] = self.eval_raw(arg.value, frame)
            if key in ("loss", "metrics") and isinstance(arg.value, cst.List | cst.Tuple):
                arguments[key] = Value(arg.value, items=[self.eval_raw(e.value, frame) for e in arg.value.elements])
        for key in arguments.keys() - {"optimizer", "loss", "metrics", *_RUNNING}:
            if arguments[key].known is not None:
                frame.unit.residual(frame.function, node, "Model.compile", f"`{key}` of compile is not ported yet")
        return arguments

    def optimizer_name(self, frame: Frame) -> str:
        """`optimizer`, which the user's own name for it may be, too."""
        others = [name for name, value in frame.env.items() if name == "optimizer" and not isinstance(value.special, Optimizer)]
        return "optimizer" if not others else self.local("model_optimizer", frame)

    def transformation(self, optimizer: Value | None, node: cst.Call, frame: Frame) -> str | None:
        """Code of the optax transformation that `compile` is given."""
        known = "rmsprop" if optimizer is None else optimizer.known
        if isinstance(known, str):
            try:
                return rules.MACROS["optimizer"].function(known)
            except rules.Refused as refused:
                frame.unit.residual(frame.function, node, "Model.compile", str(refused))
                return None
        assert optimizer is not None
        optimizer = self.materialise(optimizer, node, frame)
        return text(optimizer.code)

    def _small_Assign(self, node: cst.Assign, frame: Frame) -> tuple[list[Any], bool]:
        items, config = super()._small_Assign(node, frame)
        target = node.targets[0].target
        if frame.mode != "plain" or not isinstance(target, cst.Name) or len(node.targets) > 1:
            return items, config
        value = frame.env.get(target.value)
        if value is not None and isinstance(value.special, Optimizer) and isinstance(node.value, cst.Call):
            if items and value.special.site in self.compiled_optimizers():
                frame.env[target.value] = value.with_code(items[0].value)
                self.comments[value.special.site] = self.line.leading_lines if self.line is not None else []
                return [], False
        return items, config

    line: cst.SimpleStatementLine | None = None

    def small(self, line: cst.SimpleStatementLine, node: cst.BaseSmallStatement, frame: Frame) -> Any:
        outer, self.line = self.line, line
        try:
            return super().small(line, node, frame)
        finally:
            self.line = outer

    def compiled_optimizers(self) -> set[int]:
        """Optimizers that are made for one `compile` alone."""
        sites = [c.arguments["optimizer"].special.site for c in self.compiled.values() if "optimizer" in c.arguments
                 and isinstance(c.arguments["optimizer"].special, Optimizer)]  # fmt: skip
        return {site for site in sites if sites.count(site) == 1}

    def find_compiled(self, base: Value, node: cst.Call, frame: Frame) -> Compiled | None:
        """The `compile` that a `fit` or `evaluate` goes by."""
        every = list(self.compiled.values())
        spec = base.module.spec if base.module is not None else None
        for found in (
            [c for c in every if c.function == frame.function and c.model == text(base.code)],
            [c for c in every if spec is not None and c.spec is spec],
            [c for c in every if c.spec is None or spec is None],
        ):
            before = [c for c in found if self.unit.span(c.node).line < self.unit.span(node).line] or found
            if before and (len(found) == 1 or found[0].function == frame.function):
                return before[-1]
            if len(found) > 1:
                break
        reason = "this model's `compile` is not in this file, or there are several"
        frame.unit.residual(frame.function, node, f"Model.{text(node.func).rsplit('.', 1)[-1]}", reason)
        return None

    # -- the batch ---------------------------------------------------------------------------------

    def batch(self, compiled: Compiled) -> Batch:
        loss = compiled.arguments.get("loss")
        symbol = self.loss_symbol(loss)
        sparse = symbol in _SPARSE
        result = compiled.spec.result if compiled.spec is not None else None
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
            return f"tf.keras.losses.{LOSS_NAMES.get(loss.known.lower(), '')}"
        if loss.layer is not None:
            return loss.layer.symbol
        return loss.symbol

    def loss_of(self, compiled: Compiled, batch: Batch, frame: Frame) -> tuple[list[str], str] | None:
        """The scalar loss of a batch: lines that go before, and the expression."""
        inner = Frame(self.unit, frame.function, "plain", env={"y": batch.labels, text(batch.predictions.code): batch.predictions})
        code = self.loss_code(compiled, batch, inner)
        if code is None:
            return None
        return [line for s in inner.prelude for line in text(s).strip().splitlines()], code

    def loss_code(self, compiled: Compiled, batch: Batch, frame: Frame) -> str | None:
        loss = compiled.arguments.get("loss")
        if loss is None:
            return None
        arguments = [(None, batch.labels), (None, batch.predictions)]
        symbol = self.loss_symbol(loss)
        if isinstance(loss.known, str):
            if symbol not in rules.OBJECTS:
                frame.unit.residual(frame.function, compiled.node, loss.known, f"no rule for the loss {loss.known!r}")
                return None
            layer = self.object_of(symbol, {}, compiled.node)
            return text(self.call_layer(Value(cst.Name(layer.marker), layer=layer), arguments, compiled.node, frame).code)
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
            labels = Value(batch.labels.code, tensor=self.of_rank(rank, batch.labels.tensor.dtype if batch.labels.tensor else None))
            result = self.plain_result(name, [(None, labels), (None, batch.predictions)], frame)
            if result.tensor is not None and result.tensor.shape == ():
                return call
        self.plain_result(name, [(None, batch.labels), (None, batch.predictions)], frame)
        return f"{call}.mean()"

    def object_of(self, symbol: str, arguments: dict[str, Value], node: cst.CSTNode) -> LayerInstance:
        span, marker = self.unit.span(node), self.unit.fresh("layer")
        return LayerInstance(rules.OBJECTS[symbol], arguments, frozenset(arguments), span, marker, symbol, makes=False)

    # -- metrics -----------------------------------------------------------------------------------

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
            elif name.lower() in METRIC_NAMES:
                symbol = METRIC_NAMES[name.lower()]
            symbol = f"tf.keras.metrics.{symbol}"
            if symbol not in rules.OBJECTS:
                return f"no rule for the metric {name!r}"
            return Metric(name, self.object_of(symbol, self.named(symbol, name, {}), compiled.node))
        if value.layer is not None and value.layer.rule.kind == "metric":
            layer = value.layer
            default = _defaults(layer).get("name") or layer.symbol.rsplit(".", 1)[-1].lower()
            name = layer.name or default
            return Metric(name, dataclasses.replace(layer, arguments=self.named(layer.symbol, name, dict(layer.arguments))))
        return "this form of a metric is not ported yet"

    def named(self, symbol: str, name: str, arguments: dict[str, Value]) -> dict[str, Value]:
        make = rules.OBJECTS[symbol].make
        if make is not None and "name" in make.__code__.co_varnames[: make.__code__.co_argcount]:
            arguments["name"] = Value(cst.parse_expression(f'"{name}"'), known=name)
        return arguments

    def accuracy(self, compiled: Compiled) -> str | None:
        """Which accuracy Keras takes: by the last dimension of the output, then by the rank of the labels."""
        result = compiled.spec.result if compiled.spec is not None else None
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

    def metric_update(self, metric: Metric, values: list[Value], frame: Frame) -> dict[str, str] | None:
        """Keywords of the metric's update, from the arguments of `update_state`."""
        layer = metric.layer
        assert layer.rule.call is not None
        names = [p.name for p in inspect.signature(layer.rule.call).parameters.values() if p.kind is not p.KEYWORD_ONLY]
        args: dict[str, Arg] = {name: self.argument(value) for name, value in zip(names, values, strict=False)}
        given = set(args)
        for name, value in layer.arguments.items():
            args[name] = self.argument(value)
            given.add(name)
        self.fill_defaults(layer.rule, args)
        found = inline(layer.rule.call, args, given=frozenset(given), symbol=layer.symbol, helpers=layer.rule.helpers)
        if isinstance(found, Residual) or not isinstance(found.code, cst.Dict):
            reason = found.reason if isinstance(found, Residual) else "its update has no keywords"
            self.unit.residual(frame.function, cst.Name("_"), layer.symbol, reason)
            return None
        self.unit.imports |= found.imports
        pairs = [e for e in found.code.elements if isinstance(e, cst.DictElement)]
        return {e.key.evaluated_value: text(e.value) for e in pairs if isinstance(e.key, cst.SimpleString)}  # type: ignore

    # -- names -------------------------------------------------------------------------------------

    def local(self, base: str, frame: Frame) -> str:
        """A name that the function does not have yet."""
        node: Any = self.unit.functions.get(frame.function)
        scope = node.body if node is not None else self.unit.module
        taken = read_names(scope) | assigned_names(scope)
        if node is not None:
            taken |= {p.name.value for p in [*node.params.params, *node.params.kwonly_params]}
        while base in taken:
            base += "_"
        return base


def _defaults(layer: LayerInstance) -> dict[str, Any]:
    assert layer.rule.make is not None
    return {p.name: p.default for p in inspect.signature(layer.rule.make).parameters.values()}


def _atom(code: cst.BaseExpression) -> str:
    return text(code) if isinstance(code, cst.Call | cst.Name | cst.Attribute | cst.Subscript) else f"({text(code)})"
