"""Functions for a batch: the jitted training step, the evaluation step, and what loops over them."""

from __future__ import annotations

import functools
import itertools
from typing import Any

import libcst as cst

from codemods.passes.frame import Frame
from codemods.passes.modules import ModuleSpec
from codemods.passes.names import Reads, read_names
from codemods.passes.training_compile import Compiling
from codemods.passes.training_losses import Batch
from codemods.passes.training_values import Compiled
from codemods.passes.values import Value, text

#: Names to fall back on where the user has the first one.
_OTHER_NAMES = {"compute_loss": "batch_loss", "train_step": "fit_step"}
#: A loss of fewer characters is written where it is used.
_SHORT = 60
#: Metrics of more characters take several lines.
_LINE = 95


class Steps(Compiling):
    """Writes functions at module level; each is placed before the first function that needs it."""

    def start(self) -> None:
        super().start()
        self.steps: dict[tuple[str, int], tuple[str, str]] = {}  # name and code
        self.reads: dict[str, set[str]] = {}
        self.evaluated: set[int] = set()

    def step(self, kind: str, base: str, compiled: Compiled | ModuleSpec | None, frame: Frame, code: str) -> str:
        """Registers a function; `code` has `NAME` for its name. Returns the name."""
        key = (kind, id(compiled.node) if isinstance(compiled, Compiled) else id(compiled))
        if key in self.steps:
            name = self.steps[key][0]
        else:
            taken = {*self.unit.functions, *self.unit.classes, *self.unit.globals, *[n for n, _ in self.steps.values()]}
            same = [n for n, other in self.steps.values() if other == code]
            if same:
                return same[0]
            others = itertools.chain(
                [base, _OTHER_NAMES.get(base, f"{base}_model")], (f"{base}{i}" for i in itertools.count(2))
            )
            name = next(n for n in others if n not in taken)
        self.steps[key] = (name, code)
        reads, writes = _names_of(code)
        for unknown in sorted(self.not_global(set(reads - writes)) - {n for n, _ in self.steps.values()}):
            reason = f"`{unknown}` belongs to a function, the step is made at module level: make it there, too"
            self.unit.residual(
                frame.function, cst.Name("_") if not isinstance(compiled, Compiled) else compiled.node, unknown, reason
            )
        return name

    def functions_before(self, name: str, node: cst.FunctionDef) -> list[Any]:
        if not self.surveying:
            return [cst.parse_statement(code) for code in self.placed().get(name, [])]
        self.reads[name] = read_names(node.body)
        return []

    def placed(self) -> dict[str, list[str]]:
        """Code of the steps, by the first function of the file that needs them."""
        codes = {name: code.replace("NAME", name) for name, code in self.steps.values()}
        inner = {name: set(_names_of(code)[0]) & codes.keys() - {name} for name, code in codes.items()}
        found: dict[str, list[str]] = {}
        done: list[str] = []

        def place(name: str, home: str) -> None:
            if name not in done:
                done.append(name)
                for other in codes:
                    if other in inner[name]:
                        place(other, home)
                found.setdefault(home, []).append(codes[name])

        for statement in self.unit.module.body:
            home = statement.name.value if isinstance(statement, cst.FunctionDef) else f"<module>{id(statement)}"
            for name in codes:
                if name in self.reads.get(home, set()):
                    place(name, home)
        return found

    def port_statement(self, statement: cst.BaseStatement) -> list[cst.BaseStatement]:
        new = super().port_statement(statement)
        home = f"<module>{id(statement)}"
        self.reads[home] = set().union(*[read_names(s) for s in new], set())
        blank = [cst.EmptyLine(indent=False)] * 2
        steps = [cst.parse_statement(code).with_changes(leading_lines=blank) for code in self.placed().get(home, [])]  # type: ignore
        return [*steps, *new]

    def survey_statement(self, statement: cst.BaseStatement, new: list[Any]) -> None:
        self.reads[f"<module>{id(statement)}"] = set().union(*[read_names(s) for s in new], set())

    # -- steps -------------------------------------------------------------------------------------

    def forward(self, compiled: Compiled, training: bool) -> str:
        """A call of the model on `x`."""
        spec = compiled.spec
        if training:
            return "model(x, training=True)" if spec is None or spec.mode else "model(x)"
        return "model(x, training=False)" if spec is not None and spec.mode_required else "model(x)"

    def updates(self, compiled: Compiled, batch: Batch, frame: Frame) -> tuple[str, str] | None:
        """Arguments of `metrics.update` after a step, and the lines of the step's body that must come before."""
        metrics = self.metrics_of(compiled)
        if metrics is None:
            return None
        self.unit.imports.add("jnp")
        found = {"loss": "jnp.full(len(y), loss)"}
        before: list[cst.BaseStatement] = []
        for metric in metrics:
            update = self.metric_update(metric, [batch.labels, batch.predictions], frame, before)
            if update is None:
                return None
            if any(found.get(key, code) != code for key, code in update.items()):
                self.unit.residual(frame.function, compiled.node, metric.name, "two metrics of one name")
                return None
            found |= update
        lines = "".join(f"    {line}\n" for statement in before for line in text(statement).strip().splitlines())
        return ", ".join(f"{key}={code}" for key, code in found.items()), lines

    def make_metrics(self, compiled: Compiled, frame: Frame) -> str | None:
        """`nnx.MultiMetric(...)` with the loss first, as Keras reports them."""
        metrics = self.metrics_of(compiled)
        if metrics is None:
            return None
        parts = ['loss=nnx.metrics.Average("loss")']
        for metric in metrics:
            code = self.metric_make(metric, frame)
            if code is None:
                return None
            parts.append(f"{metric.name}={code}")
        self.unit.imports.add("nnx")
        return self.metrics_call(compiled, f"nnx.MultiMetric({', '.join(parts)})", frame)

    def metrics_call(self, compiled: Compiled, code: str | None, frame: Frame) -> str | None:
        """Several metrics that are made in two places are made by a function."""
        if code is None or len(code) < _LINE or id(compiled.node) not in self.evaluated:
            return code
        return self.step("metrics", "make_metrics", compiled, frame, f"def NAME():\n    return {code}\n") + "()"

    def loss_call(self, compiled: Compiled, batch: Batch, frame: Frame) -> str | None:
        """The loss of a batch; a longer one gets a function of its own."""
        found = self.loss_of(compiled, batch, frame)
        if found is None:
            return None
        lines, code = found
        if not lines and len(code) < _SHORT:
            return code
        name = text(batch.predictions.code)
        body = "\n".join(f"    {line}" for line in [*lines, f"return {code}"])
        given = f"{name}, y, sample_weight" if batch.weights is not None else f"{name}, y"
        kind = "loss" if batch.weights is None else "weighted_loss"
        function = self.step(kind, "compute_loss", compiled, frame, f"def NAME({given}):\n{body}\n")
        return f"{function}({given})"

    def train_step(self, compiled: Compiled, frame: Frame, weighted: bool = False) -> str | None:
        """The jitted step that `fit` takes for a batch; its name. `weighted`: samples come with weights."""
        batch = self.batch(compiled)
        if weighted:
            batch.weights = Value(cst.Name("sample_weight"), tensor=self.of_rank(1, "float32"))
        loss = self.loss_call(compiled, batch, frame)
        updates = self.updates(compiled, batch, frame)
        if loss is None or updates is None:
            return None
        given, before = updates
        loss = self.with_loss_terms(loss, compiled.spec)
        name, model = text(batch.predictions.code), self.forward(compiled, True)
        prepare = f"    {batch.prepare}\n\n" if batch.prepare else ""
        inner = "loss_fn" if "loss_fn" not in read_names(cst.parse_expression(loss)) else "batch_loss"
        given_data = "x, y, sample_weight" if weighted else "x, y"
        code = f"@nnx.jit\ndef NAME(model, optimizer, metrics, {given_data}):\n{prepare}    def {inner}(model):\n"
        if name in given + before:
            code += f"        {name} = {model}\n        return {loss}, {name}\n\n"
            code += f"    (loss, {name}), grads = nnx.value_and_grad({inner}, has_aux=True)(model)\n"
        else:
            code += f"        {name} = {model}\n        return {loss}\n\n"
            code += f"    loss, grads = nnx.value_and_grad({inner})(model)\n"
        code += f"    optimizer.update(model, grads)\n{before}    metrics.update({given})\n"
        self.unit.imports.add("nnx")
        return self.step("weighted" if weighted else "train", "train_step", compiled, frame, code)

    def eval_step(self, compiled: Compiled, frame: Frame) -> str | None:
        batch = self.batch(compiled)
        loss = self.loss_call(compiled, batch, frame)
        updates = self.updates(compiled, batch, frame)
        if loss is None or updates is None:
            return None
        given, before = updates
        loss = self.with_loss_terms(loss, compiled.spec)
        name = text(batch.predictions.code)
        prepare = f"    {batch.prepare}\n" if batch.prepare else ""
        code = (
            f"@nnx.jit\ndef NAME(model, metrics, x, y):\n{prepare}"
            f"    {name} = {self.forward(compiled, False)}\n    loss = {loss}\n{before}    metrics.update({given})\n"
        )
        self.unit.imports.add("nnx")
        return self.step("eval", "eval_step", compiled, frame, code)

    def evaluate(self, compiled: Compiled, frame: Frame) -> str | None:
        """`evaluate(model, x, y, batch_size)`: the loss and the metrics over a data set, by name."""
        self.evaluated.add(id(compiled.node))
        metrics, step = self.make_metrics(compiled, frame), self.eval_step(compiled, frame)
        if metrics is None or step is None:
            return None
        x = self.sliced("x", "start", "batch_size", compiled.spec)
        code = (
            "def NAME(model, x, y, batch_size=32):\n"
            '    """Loss and metrics over a data set."""\n'
            f"    metrics = {metrics}\n"
            f"    for start in range(0, {self.label_rows(compiled)}, batch_size):\n"
            f"        {step}(model, metrics, {x}, {self.labels_at(compiled, 'y', 'start : start + batch_size')})\n"
            "    return {name: float(value) for name, value in metrics.compute().items()}\n"
        )
        return self.step("evaluate", "evaluate", compiled, frame, code)

    def evaluate_batches(self, compiled: Compiled, frame: Frame) -> str | None:
        """`evaluate(model, batches)`: as `evaluate`, over data that comes in batches."""
        self.evaluated.add(id(compiled.node))
        metrics, step = self.make_metrics(compiled, frame), self.eval_step(compiled, frame)
        if metrics is None or step is None:
            return None
        code = (
            "def NAME(model, batches):\n"
            '    """Loss and metrics over a data set."""\n'
            f"    metrics = {metrics}\n"
            "    for x, y in batches:\n"
            f"        {step}(model, metrics, x, y)\n"
            "    return {name: float(value) for name, value in metrics.compute().items()}\n"
        )
        return self.step("evaluate_batches", "evaluate", compiled, frame, code)

    def predict(self, base: Value, frame: Frame) -> str:
        """`predict(model, x, batch_size)`: the outputs for a data set, as NumPy arrays."""
        spec = base.module.spec if base.module is not None else None
        call = "model(x, training=False)" if spec is not None and spec.mode_required else "model(x)"
        step = self.step(
            "predict_step", "predict_step", spec, frame, f"@nnx.jit\ndef NAME(model, x):\n    return {call}\n"
        )
        self.unit.imports |= {"nnx", "np", "jax"}
        x = self.sliced("x", "start", "batch_size", spec)
        rows = "len(x)" if x.startswith("x[") else "len(jax.tree.leaves(x)[0])"
        single = spec is None or spec.result is None or spec.result.tensor is not None
        joined = "np.concatenate(outputs)" if single else "jax.tree.map(lambda *parts: np.concatenate(parts), *outputs)"
        code = (
            "def NAME(model, x, batch_size=32):\n"
            f"    outputs = [{step}(model, {x}) for start in range(0, {rows}, batch_size)]\n"
            f"    return {joined}\n"
        )
        return self.step("predict", "predict", spec, frame, code)

    # -- data --------------------------------------------------------------------------------------

    def is_tree(self, spec: ModuleSpec | None) -> bool:
        """Does the model take several inputs, in a dict or a list?"""
        if spec is None:
            return False
        finished = self.finished.get(id(spec))
        if isinstance(finished, Value):
            return finished.mapping is not None or len(finished.items or ()) > 1
        for entry in self.unit.trace.instances(spec.source):
            call = self.unit.trace.input_tree(entry)
            first = (call or {}).get("inputs") or [None]
            return isinstance(first[0], list) or isinstance(first[0], dict) and "shape" not in first[0]
        return False

    def indexed(self, x: str, index: str, spec: ModuleSpec | None) -> str:
        """Rows of the inputs."""
        if not self.is_tree(spec):
            return f"{x}[{index}]"
        self.unit.imports.add("jax")
        return f"jax.tree.map(lambda a: a[{index}], {x})"

    def has_own_step(self, compiled: Compiled) -> bool:
        """Does the model's class override `train_step`?"""
        return False

    def labels_at(self, compiled: Compiled, y: str, index: str) -> str:
        """Rows of the labels."""
        return f"{y}[{index}]"

    def label_rows(self, compiled: Compiled) -> str:
        """Code of the number of samples in an evaluation."""
        return "len(y)"

    def rows_of(self, compiled: Compiled, x: str, y: str | None) -> str:
        """Code of the number of samples."""
        return f"len({x})"

    def sliced(self, x: str, start: str, size: str, spec: ModuleSpec | None) -> str:
        return self.indexed(x, f"{start} : {start} + {size}", spec)


@functools.lru_cache(maxsize=64)
def _names_of(code: str) -> tuple[frozenset[str], frozenset[str]]:
    """Names that a piece of source reads, and names that it binds."""
    found = Reads()
    found.visit(cst.parse_module(code))
    return frozenset(found.reads), frozenset(found.writes)
