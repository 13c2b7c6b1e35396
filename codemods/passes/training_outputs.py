"""Steps of models with several outputs: a loss, a weight and metrics for each."""

from __future__ import annotations

from typing import Any

import libcst as cst

from codemods.passes.frame import Frame
from codemods.passes.training_heads import Head, Heads
from codemods.passes.training_losses import Metric
from codemods.passes.training_values import Compiled
from codemods.passes.values import Value, text


class Outputs(Heads):
    """Steps of models with several outputs."""

    # -- losses and metrics ----------------------------------------------------------------------------

    def head_metrics(self, heads: list[Head]) -> list[tuple[Head, Metric, str]] | None:
        """Every metric of every output, and the name that it is reported by."""
        found: list[tuple[Head, Metric, str]] = []
        for head in heads:
            metrics = self.metrics_of(head.part)
            if metrics is None:
                return None
            for metric in metrics:
                name = f"{head.name}_{metric.name}" if head.name else metric.name
                same = sum(other == name or other.startswith(f"{name}_") for _, _, other in found)
                found.append((head, metric, f"{name}_{same}" if same else name))
        return found

    def losses_function(self, compiled: Compiled, heads: list[Head], frame: Frame) -> str | None:
        """`compute_losses(predictions, y)`: the weighted sum, and each output's loss by name."""
        lines: list[list[str]] = []
        entries: list[str] = []
        trained: list[Head] = []
        names: list[str] = []
        terms: list[str] = []
        by_name = all(head.name for head in heads)
        for head in heads:
            if head.part.arguments.get("loss") is None or head.part.arguments["loss"].known is None:
                continue
            batch = self.head_batch(head)
            inner = Frame(self.unit, frame.function, "plain", env={"y": batch.labels})
            code = self.loss_code(head.part, batch, inner)
            if code is None:
                return None
            lines.append([line for s in inner.prelude for line in text(s).strip().splitlines()])
            trained.append(head)
            name = f'"{head.name}"' if by_name else str(len(entries))
            entries.append(code)
            names.append(name)
            terms.append(f"{_factor(head.weight)} * losses[{name}]" if head.weight else f"losses[{name}]")
        body = [self.taken_apart(trained)] if trained else []
        if any(lines):  # what one loss needs first may have the names of another's
            body.append("losses = {}")
            for before, name, code in zip(lines, names, entries, strict=True):
                body += [*before, f"losses[{name}] = {code}"]
        elif by_name:
            body.append(f"losses = {{{', '.join(f'{n}: {c}' for n, c in zip(names, entries, strict=True))}}}")
        else:
            body.append(f"losses = [{', '.join(entries)}]")
        body.append(f"return {' + '.join(terms)}, losses")
        code = "def NAME(predictions, y):\n" + "".join(f"    {line}\n" for line in body)
        return self.step("losses", "compute_losses", compiled, frame, code) if entries else None

    def taken_apart(self, heads: list[Head]) -> str:
        """`value_pred, kind_pred = predictions["value"], predictions["kind"]`"""
        places = [f"predictions[{head.key}]" for head in heads]
        return f"{', '.join(head.prediction for head in heads)} = {', '.join(places)}"

    def head_batch(self, head: Head) -> Any:
        """What is known of one output and its labels."""
        batch = self.batch(head.part)
        batch.predictions = batch.predictions.with_code(cst.parse_expression(head.prediction))
        labels = batch.prepare.split(" = ", 1)[1] if batch.prepare else "y"
        batch.labels = batch.labels.with_code(cst.parse_expression(f"{head.labels}{labels[1:]}"))
        return batch

    def metrics_function(self, compiled: Compiled, heads: list[Head], frame: Frame) -> str | None:
        """`update_metrics(metrics, loss, losses, predictions, y)`."""
        metrics = self.head_metrics(heads)
        if metrics is None:
            return None
        rows = f"len({heads[0].labels})"
        lines = [f"rows = {rows}", "metrics.loss.update(loss=jnp.full(rows, loss))"]
        for head in self.reported_heads(heads):
            # Keras takes the mean of these over batches, whatever their size; that of the sum is over samples.
            lines.append(f'metrics.{head.name}_loss.update(values=losses["{head.name}"])')
        measured = [head for head in heads if any(head is other for other, _, _ in metrics)]
        lines += [self.taken_apart(measured)] if measured else []
        for head, metric, name in metrics:
            batch, before = self.head_batch(head), []
            update = self.metric_update(metric, [batch.labels, batch.predictions], frame, before)
            if update is None:
                return None
            lines += [line for s in before for line in text(s).strip().splitlines()]
            lines.append(f"metrics.{name}.update({', '.join(f'{key}={code}' for key, code in update.items())})")
        code = "def NAME(metrics, loss, losses, predictions, y):\n" + "".join(f"    {line}\n" for line in lines)
        self.unit.imports.add("jnp")
        return self.step("update", "update_metrics", compiled, frame, code)

    def reported_heads(self, heads: list[Head]) -> list[Head]:
        """Outputs whose own losses Keras reports under a name that can be told."""
        trained = [head for head in heads if head.part.arguments.get("loss") is not None]
        named = all(head.name.isidentifier() for head in heads)
        return trained if named and len(trained) > 1 else []

    def make_metrics(self, compiled: Compiled, frame: Frame) -> str | None:
        heads = self.heads(compiled)
        if not heads:
            return super().make_metrics(compiled, frame)
        metrics = self.head_metrics(heads)
        if metrics is None:
            return None
        parts = ['loss=nnx.metrics.Average("loss")']
        for _, metric, name in metrics:
            code = self.metric_make(metric, frame)
            if code is None:
                return None
            parts.append(f"{name}={code}")
        parts += [f"{head.name}_loss=nnx.metrics.Average()" for head in self.reported_heads(heads)]
        self.unit.imports.add("nnx")
        return self.metrics_call(compiled, f"nnx.MultiMetric({', '.join(parts)})", frame)

    # -- steps -----------------------------------------------------------------------------------------

    def train_step(self, compiled: Compiled, frame: Frame, weighted: bool = False) -> str | None:
        heads = self.heads(compiled)
        if not heads:
            return super().train_step(compiled, frame, weighted) if self.has_one_output(compiled, frame) else None
        if weighted:
            reason = "weights of samples for a model with several outputs: weigh each loss in a step of your own"
            frame.unit.residual(frame.function, compiled.node, "Model.fit", reason)
            return None
        functions = self.head_functions(compiled, heads, frame)
        if functions is None:
            return None
        losses, update = functions
        penalised = self.with_loss_terms("loss", compiled.spec)
        code = (
            "@nnx.jit\ndef NAME(model, optimizer, metrics, x, y):\n    def loss_fn(model):\n"
            f"        predictions = {self.forward(compiled, True)}\n"
            f"        loss, losses = {losses}(predictions, y)\n"
            f"        return {penalised}, (losses, predictions)\n\n"
            "    (loss, (losses, predictions)), grads = nnx.value_and_grad(loss_fn, has_aux=True)(model)\n"
            f"    optimizer.update(model, grads)\n    {update}(metrics, loss, losses, predictions, y)\n"
        )
        self.unit.imports.add("nnx")
        return self.step("train", "train_step", compiled, frame, code)

    def has_one_output(self, compiled: Compiled, frame: Frame) -> bool:
        """Does nothing that `compile` and `fit` are given speak of several outputs?"""
        several = [kind for kind in ("loss", "loss_weights") if _is_nested(compiled.arguments.get(kind))]
        if not several and id(compiled.node) not in self.labels_by_name:
            return True
        what = f"`{several[0]}` for each output" if several else "labels for each output"
        reason = f"{what} of a model whose outputs are not known here: build it in this file, one model to a file"
        frame.unit.residual(frame.function, compiled.node, "Model.compile", reason)
        return False

    def eval_step(self, compiled: Compiled, frame: Frame) -> str | None:
        heads = self.heads(compiled)
        if not heads:
            return super().eval_step(compiled, frame)
        functions = self.head_functions(compiled, heads, frame)
        if functions is None:
            return None
        losses, update = functions
        penalised = self.with_loss_terms("loss", compiled.spec)
        penalty = "" if penalised == "loss" else f"    loss = {penalised}\n"
        code = (
            "@nnx.jit\ndef NAME(model, metrics, x, y):\n"
            f"    predictions = {self.forward(compiled, False)}\n    loss, losses = {losses}(predictions, y)\n{penalty}"
            f"    {update}(metrics, loss, losses, predictions, y)\n"
        )
        self.unit.imports.add("nnx")
        return self.step("eval", "eval_step", compiled, frame, code)

    def head_functions(self, compiled: Compiled, heads: list[Head], frame: Frame) -> tuple[str, str] | None:
        if not self.check_outputs(compiled, heads, frame):
            return None
        losses = self.losses_function(compiled, heads, frame)
        if losses is None:
            frame.unit.residual(frame.function, compiled.node, "Model.compile", "no loss for any of several outputs")
            return None
        update = self.metrics_function(compiled, heads, frame)
        return (losses, update) if update is not None else None

    # -- data ------------------------------------------------------------------------------------------

    def ordered_inputs(self, base: Value, x: Value) -> Value:
        """Inputs given by name, in the order in which a functional model lists them."""
        listed = self.finished.get(id(base.module.spec)) if base.module is not None else None
        inputs = listed.items if isinstance(listed, Value) else None
        if x.mapping is None or not inputs:
            return x
        names = [i.special[2] if isinstance(i.special, tuple) and i.special[0] == "input" else None for i in inputs]
        if not set(names) <= x.mapping.keys():
            return x
        values = [x.mapping[name] for name in names]
        return Value(cst.parse_expression(f"[{', '.join(text(value.code) for value in values)}]"), items=values)

    def labels_at(self, compiled: Compiled, y: str, index: str) -> str:
        """Rows of the labels."""
        if not self.heads(compiled) or self.has_own_step(compiled):
            return f"{y}[{index}]"
        self.unit.imports.add("jax")
        return f"jax.tree.map(lambda a: a[{index}], {y})"

    def label_rows(self, compiled: Compiled) -> str:
        return self.rows_of(compiled, "x", "y") if self.heads(compiled) else super().label_rows(compiled)

    def rows_of(self, compiled: Compiled, x: str, y: str | None) -> str:
        """Code of the number of samples."""
        if not self.is_tree(compiled.spec):
            return f"len({x})"
        if y is not None and (not self.heads(compiled) or self.has_own_step(compiled)):
            return f"len({y})"
        self.unit.imports.add("jax")
        return f"len(jax.tree.leaves({x})[0])"


def _is_nested(value: Value | None) -> bool:
    return value is not None and (value.mapping is not None or len(value.items or ()) > 1)


def _factor(code: str) -> str:
    parsed = cst.parse_expression(code)
    return code if isinstance(parsed, cst.Name | cst.Float | cst.Integer | cst.Attribute | cst.Call) else f"({code})"
