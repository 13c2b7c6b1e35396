"""`fit`, `evaluate` and `predict`: explicit loops over arrays."""

from __future__ import annotations

import dataclasses
from typing import Any

import libcst as cst

from codemods.passes.frame import Frame
from codemods.passes.modules import ModuleInstance
from codemods.passes.training_apply import Applying
from codemods.passes.training_data import Dataset
from codemods.passes.training_values import SEED, Compiled, History
from codemods.passes.values import UNKNOWN, Value, text

_FIT = (
    "x", "y", "batch_size", "epochs", "verbose", "callbacks", "validation_split", "validation_data", "shuffle",
    "class_weight", "sample_weight", "initial_epoch", "steps_per_epoch", "validation_steps", "validation_batch_size",
    "validation_freq",
)  # fmt: skip


@dataclasses.dataclass
class Plan:
    """One `fit`, as pieces of code."""

    compiled: Compiled
    model: str
    step: str
    arguments: dict[str, Value]
    x: str
    y: str | None
    weights: str | None
    batches: str | None
    rows: str
    size: str
    epochs: str
    first: str = "0"
    before: list[str] = dataclasses.field(default_factory=list)
    validation: str | None = None
    verbose: Any = "auto"
    history: str | None = None
    watched: bool = False
    module: ModuleInstance | None = None


class Fitting(Applying):
    """Training loops."""

    def model_method(self, base: Value, name: str, node: cst.Call, frame: Frame) -> Value | None:
        methods = {"fit": self.fit, "evaluate": self.evaluate_model, "predict": self.predict_model}
        if name in methods:
            before = len(frame.unit.residuals)
            value = methods[name](base, node, frame)
            if value.code is node and value.special is None and len(frame.unit.residuals) == before:
                known = any(r.span == self.unit.span(node) or f == frame.function for f, r in frame.unit.residuals)
                if not known:
                    frame.unit.residual(frame.function, node, f"Model.{name}", f"this form of {name} is not ported yet")
            return value
        return super().model_method(base, name, node, frame)

    # -- fit ---------------------------------------------------------------------------------------

    def fit(self, base: Value, node: cst.Call, frame: Frame) -> Value:
        arguments = self.named_values(node, _FIT, frame)
        compiled = self.find_compiled(base, node, frame)
        if arguments is None or compiled is None:
            return Value(node)
        optimizer: str | None = ""
        if compiled.function != frame.function:
            done = f"optimizer of {text(base.code)}"
            optimizer = self.optimizer_for(compiled, base, node, frame) if done not in frame.flags else ""
            frame.flags.add(done)
        else:
            self.fitted.add(id(compiled.node))
        plan = self.plan(base, compiled, arguments, node, frame) if optimizer is not None else None
        if plan is not None and optimizer:
            plan.before.insert(0, optimizer)
        lines = self.loop(plan, node, frame) if plan is not None else None
        if plan is None or lines is None:
            return Value(node)
        frame.prelude.extend(cst.parse_module("\n".join(lines) + "\n").body)  # type: ignore[arg-type]
        self.unit.imports |= {"np", "nnx"}
        if plan.history is None:
            return Value(node, special="dropped")
        return Value(cst.Name(plan.history), special=History())

    def plan(
        self, base: Value, compiled: Compiled, arguments: dict[str, Value], node: cst.Call, frame: Frame
    ) -> Plan | None:
        if "x" not in arguments:
            frame.unit.residual(frame.function, node, "Model.fit", "a fit without data")
            return None
        before: list[str] = []
        arguments["x"] = self.ordered_inputs(base, arguments["x"])
        y_given = arguments.get("y")
        if y_given is not None and (y_given.mapping is not None or len(y_given.items or ()) > 1):
            self.labels_by_name[id(compiled.node)] = y_given.mapping is not None
        x, y = self.bound_data(arguments, before, frame)
        own = self.has_own_step(compiled)
        batches = self.batches_of(arguments["x"], y is None and not own, frame)
        if batches is not None and self.is_host_value(arguments["x"]):
            reason = (
                "a generator of Keras's, which may have no end: iterate over it, for as many batches as an epoch has"
            )
            frame.unit.residual(frame.function, node, "Model.fit", reason)
            return None
        weights = self.weights_of(compiled, y, arguments, before, frame)
        if batches is not None and weights is not None:
            frame.unit.residual(frame.function, node, "Model.fit", "weights for data that comes in batches")
            return None
        self.takes(compiled, 1 + (y is not None) + (weights is not None) if batches is None else 0)
        step = self.train_step(compiled, frame, weights is not None and not own)
        if step is None:
            return None
        rows = self.rows_of(compiled, x, y)
        size = _code(arguments.get("batch_size"), "32")
        first = _code(arguments.get("initial_epoch"), "0")
        plan = Plan(
            compiled,
            text(base.code),
            step,
            arguments,
            x,
            y,
            weights,
            batches,
            rows,
            size,
            _code(arguments.get("epochs"), "1"),
            first,
            before,
            module=base.module,
        )
        verbose = arguments.get("verbose")
        plan.verbose = verbose.known if verbose is not None and verbose.known is not UNKNOWN else "auto"
        if not self.validate(plan, frame):
            return None
        plan.watched = self.watches(plan)
        plan.history = self.history_name(node, frame) if self.is_read(node) else None
        return plan

    def takes(self, compiled: Compiled, parts: int) -> None:
        """Notes how many parts a batch has that `fit` gives the class's own step: 0 where a pipeline says."""

    def batches_of(self, x: Value, labelled: bool, frame: Frame) -> str | None:
        """Code of what gives whole batches, where the data is no array.

        labelled: the data brings its own labels, which arrays can't.
        """
        if isinstance(x.special, Dataset):
            return text(x.code)
        if self.is_host_dataset(x):
            return f"{text(x.code)}.as_numpy_iterator()"
        return text(x.code) if labelled else None

    def is_host_dataset(self, value: Value) -> bool:
        """Is this a tf.data pipeline, which stays one?"""
        return False

    def is_host_value(self, value: Value) -> bool:
        """Did host code give this, and is it no pipeline?"""
        return False

    def weights_of(
        self, compiled: Compiled, y: str | None, arguments: dict[str, Value], before: list[str], frame: Frame
    ) -> str | None:
        """The name of the weights of all samples, from `sample_weight` and `class_weight`."""
        of_samples, of_classes = arguments.get("sample_weight"), arguments.get("class_weight")
        given = of_samples if of_samples is not None and of_samples.known is not None else None
        classes = of_classes if of_classes is not None and of_classes.known is not None else None
        if given is None and classes is None:
            return None
        if classes is None and given is not None and isinstance(given.code, cst.Name):
            return given.code.value
        name = self.local("sample_weight", frame)
        code = text(given.code) if given is not None else ""
        if classes is not None:
            self.unit.imports.add("np")
            one_hot = self.loss_symbol(compiled.arguments.get("loss")) == "tf.keras.losses.CategoricalCrossentropy"
            labels = f"np.argmax({y}, axis=-1)" if one_hot else f"np.ravel({y})"
            table = text(classes.code)
            table = table if isinstance(classes.code, cst.Name) else f"({table})"
            looked_up = f"np.array([{table}.get(int(label), 1.0) for label in {labels}], np.float32)"
            code = f"{looked_up} * {code}" if code else looked_up
        before.append(f"{name} = {code}")
        return name

    def has_own_step(self, compiled: Compiled) -> bool:
        """Does the model's class override `train_step`?"""
        return False

    def bound_data(self, arguments: dict[str, Value], before: list[str], frame: Frame) -> tuple[str, str | None]:
        """Names of inputs and labels; anything longer gets a name first."""
        names: list[str] = []
        new: list[tuple[str, str]] = []
        for key in ("x", "y"):
            value = arguments.get(key)
            if value is None or value.known is None:
                names.append("")
            elif isinstance(value.code, cst.Name):
                names.append(value.code.value)
            else:
                names.append(self.local(key, frame))
                new.append((names[-1], text(value.code)))
        if new:
            before.append(f"{', '.join(n for n, _ in new)} = {', '.join(c for _, c in new)}")
        return names[0], names[1] or None

    def validate(self, plan: Plan, frame: Frame) -> bool:
        """Evaluation after every epoch."""
        data, split = plan.arguments.get("validation_data"), plan.arguments.get("validation_split")
        size = _code(plan.arguments.get("validation_batch_size"), plan.size)
        batches = (
            self.batches_of(data, data.items is None, frame) if data is not None and data.known is not None else None
        )
        if data is not None and batches is not None:
            evaluate = self.evaluate_batches(plan.compiled, frame)
            if evaluate is None:
                return False
            plan.validation = f"{evaluate}({plan.model}, {batches})"
            return True
        if data is not None and data.known is not None:
            if data.items:
                first = self.ordered_inputs(Value(cst.Name("_"), module=plan.module), data.items[0])
                data = dataclasses.replace(data, items=[first, *data.items[1:]])
            if data.items is None or len(data.items) != 2 - (plan.y is None):
                frame.unit.residual(
                    frame.function, plan.compiled.node, "Model.fit", "validation data other than a tuple of arrays"
                )
                return False
            values = ", ".join(text(item.code) for item in data.items)
        elif split is not None and not (split.known is not UNKNOWN and not split.known):
            name = self.local("split", frame)
            plan.before.append(f"{name} = int({plan.rows} * (1 - {text(split.code)}))  # the rest is for validation")
            plan.rows = name
            parts = [self.indexed(plan.x, f"{name}:", plan.compiled.spec)]
            parts += [self.labels_at(plan.compiled, plan.y, f"{name}:")] if plan.y else []
            values = ", ".join(parts)
        else:
            return True
        evaluate = self.evaluate(plan.compiled, frame)
        if evaluate is None:
            return False
        plan.validation = f"{evaluate}({plan.model}, {values}, {size})"
        return True

    def is_read(self, node: cst.Call) -> bool:
        """Is the result of a call used?"""
        small = self.line.body[0] if self.line is not None else None
        return not (isinstance(small, cst.Expr) and small.value is node)

    def history_name(self, node: cst.Call, frame: Frame) -> str:
        small = self.line.body[0] if self.line is not None else None
        if isinstance(small, cst.Assign) and small.value is node and isinstance(small.targets[0].target, cst.Name):
            return small.targets[0].target.value
        return self.local("history", frame)

    def loop(self, plan: Plan, node: cst.Call, frame: Frame) -> list[str] | None:
        """The epochs."""
        metrics = self.make_metrics(plan.compiled, frame)
        callbacks = self.callback_code(plan, frame)
        if metrics is None or callbacks is None:
            return None
        name = {
            base: self.local(base, frame)
            for base in ("metrics", "order", "epoch", "shuffled", "start", "batch", "results")
        }
        shuffle = plan.arguments.get("shuffle")
        mixed = (shuffle is None or shuffle.known is not False) and plan.batches is None
        lines = [*plan.before, f"{name['metrics']} = {metrics}"]
        if plan.history:
            lines.append(f"{plan.history} = {{}}")
        if mixed:
            lines.append(f"{name['order']} = np.random.default_rng({SEED})")
        lines += callbacks.before
        metrics_of_own = not self.has_own_step(plan.compiled) or "metrics" in self.step_needs(plan.compiled)
        if not metrics_of_own:
            lines = [line for line in lines if not line.startswith(f"{name['metrics']} = ")]
        span = f"{plan.epochs}" if plan.first == "0" else f"{plan.first}, {plan.epochs}"
        lines.append(f"for {name['epoch']} in range({span}):")
        body = [*callbacks.before_epoch, *([f"{name['metrics']}.reset()"] if metrics_of_own else [])]
        data: list[str] = []
        if plan.batches is not None:
            mixed, bound, rows = False, [], ""
        elif mixed:
            body.append(f"{name['shuffled']} = {name['order']}.permutation({plan.rows})")
            index = f"{name['shuffled']}[{name['start']} : {name['start']} + {plan.size}]"
            bound = [f"{name['batch']} = {index}"]
            rows = name["batch"]
        else:
            end = (
                f"{name['start']} + {plan.size}"
                if plan.rows.startswith("len(")
                else f"min({name['start']} + {plan.size}, {plan.rows})"
            )
            bound, rows = [], f"{name['start']} : {end}"
        batches = f"range(0, {plan.rows}, {plan.size})" if plan.batches is None else plan.batches
        if plan.verbose not in (0, 2):
            self.unit.imports.add("tqdm")
            batches = f'tqdm({batches}, desc=f"{_epoch(name["epoch"], plan.epochs)}")'
        if plan.batches is None:
            body.append(f"for {name['start']} in {batches}:")
            data = [self.indexed(plan.x, rows, plan.compiled.spec)]
            data += [self.labels_at(plan.compiled, plan.y, rows)] if plan.y else []
            data += [f"{plan.weights}[{rows}]"] if plan.weights else []
            data = self.as_step_takes(plan.compiled, data)
        else:
            data = self.step_parts(plan.compiled) or [name["batch"]]
            data = [self.local(part, frame) for part in data]
            body.append(f"for {', '.join(data)} in {batches}:")
        body += [f"    {line}" for line in bound]
        given = {"optimizer": self.optimizer_name(frame), "metrics": name["metrics"]}
        objects = [given.get(n) or self.own_variable(n, frame) for n in self.step_needs(plan.compiled)]
        results = name["results"]
        step = f"{plan.step}({', '.join([plan.model, *objects, *data, *self.step_rngs(plan.compiled, frame)])})"
        computed = f"{{name: float(value) for name, value in {name['metrics']}.compute().items()}}"
        if self.has_own_step(plan.compiled):
            step, computed = f"{results} = {step}", f"{{name: float(value) for name, value in {results}.items()}}"
        body.append(f"    {step}")
        if plan.validation or plan.history or plan.watched:
            body.append(f"{results} = {computed}")
            computed = results
        if plan.validation:
            body.append(f"validation = {plan.validation}")
            body.append(f'{results} |= {{f"val_{{name}}": value for name, value in validation.items()}}')
        body += callbacks.results
        if plan.verbose != 0:
            body.append(
                f"print({computed})"
                if plan.verbose not in (2,)
                else f'print(f"{_epoch(name["epoch"], plan.epochs)}:", {computed})'
            )
        if plan.history:
            body += [f"for name, value in {results}.items():", f"    {plan.history}.setdefault(name, []).append(value)"]
        body += [*callbacks.after_epoch, *callbacks.last]
        return [*lines, *[f"    {line}" for line in body], *callbacks.after]

    def step_needs(self, compiled: Compiled) -> list[str]:
        """What a step is given besides the model and the data."""
        return ["optimizer", "metrics"]

    def step_parts(self, compiled: Compiled) -> list[str]:
        """The parts of a batch that a step takes apart; none where it takes the batch whole."""
        return ["x", "y"]

    def as_step_takes(self, compiled: Compiled, data: list[str]) -> list[str]:
        return data

    def own_variable(self, name: str, frame: Frame) -> str:
        return name

    def step_rngs(self, compiled: Compiled, frame: Frame) -> list[str]:
        """Randomness that a step draws itself."""
        return []

    # -- evaluate and predict ----------------------------------------------------------------------

    # -- the history -------------------------------------------------------------------------------

    def attribute(self, base: Value, node: cst.Attribute, frame: Frame) -> Value:
        if isinstance(base.special, History):
            if node.attr.value == "history":
                return Value(base.code)
            frame.unit.residual(
                frame.function, node, f"History.{node.attr.value}", "of what `fit` returns, `history` alone is ported"
            )
        return super().attribute(base, node, frame)

    def _small_Assign(self, node: cst.Assign, frame: Frame) -> tuple[list[Any], bool]:
        items, config = super()._small_Assign(node, frame)
        target = node.targets[0].target
        if isinstance(target, cst.Name) and len(items) == 1 and isinstance(items[0], cst.Assign):
            value = items[0].value
            if isinstance(value, cst.Name) and value.value == target.value and not isinstance(node.value, cst.Name):
                return [], config
        return items, config

    def small(self, line: cst.SimpleStatementLine, node: cst.BaseSmallStatement, frame: Frame) -> Any:
        result = super().small(line, node, frame)
        first = result.call[0] if result.call else None
        if (
            first is not None
            and frame.mode == "plain"
            and line.leading_lines
            and not getattr(first.node, "leading_lines", ())
        ):
            first.node = first.node.with_changes(leading_lines=line.leading_lines)  # type: ignore[union-attr]
        return result


def _code(value: Value | None, default: str) -> str:
    """A number's code; None means Keras's default."""
    if value is None or value.known is None:
        return default
    code = text(value.code)
    return code if isinstance(value.code, cst.Name | cst.Integer | cst.Attribute | cst.Call) else f"({code})"


def _epoch(name: str, epochs: str) -> str:
    """`epoch {epoch + 1}/{epochs}`, for an f-string."""
    if epochs.isdigit():
        return f"epoch {{{name} + 1}}/{epochs}"
    plain = not set(epochs) & set("\"'{}\\")
    return f"epoch {{{name} + 1}}/{{{epochs}}}" if plain else f"epoch {{{name} + 1}}"
