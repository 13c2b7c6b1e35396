"""Objects at module level and classes that are no models: losses become functions, schedules plain classes."""

from __future__ import annotations

from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine.handled import handled
from codemods.engine.walk import findall
from codemods.passes.frame import Frame
from codemods.passes.training_tape import Tapes
from codemods.passes.values import Value, text
from codemods.policy.lookup import reason

_SCHEDULES = handled(
    "tf.keras.optimizers.schedules.LearningRateSchedule",
    becomes="subclasses become plain classes, which optax calls with the step",
    only="as a base class",
    shows="class Warmup:",
    sample="""
    class Warmup(SYMBOL):
        def __init__(self, rate):
            self.rate = rate

        def __call__(self, step):
            return self.rate * tf.minimum(1.0, tf.cast(step, tf.float32) / 100.0)
    """,
)
_SAVING = frozenset({"get_config", "from_config"})


class Objects(Tapes):
    """Losses that are made once and called by name, and the user's own schedules."""

    def _small_Assign(self, node: cst.Assign, frame: Frame) -> tuple[list[Any], bool]:
        items, config = super()._small_Assign(node, frame)
        target = node.targets[0].target
        value = frame.env.get(target.value) if isinstance(target, cst.Name) else None
        made = value is not None and value.layer is not None and value.layer.rule.kind == "loss"
        if not made or frame.mode != "plain" or not isinstance(node.value, cst.Call):
            return items, config
        if frame.function != "<module>":
            return [], config  # its calls are written out; there is no object
        assert isinstance(target, cst.Name) and value is not None
        return [self.loss_function(target.value, value, node, frame)], config

    def loss_function(self, name: str, loss: Value, node: cst.Assign, frame: Frame) -> cst.BaseStatement:
        """`def NAME(y_true, y_pred)`: what calling the loss object gave."""
        names = ["y_true", "y_pred"]
        calls = findall(self.unit.module, m.Call(func=m.Name(name)))
        if any(len(c.args) > 2 or any(text(a.keyword) == "sample_weight" for a in c.args if a.keyword) for c in calls):  # type: ignore
            names.append("sample_weight")
        inner = Frame(self.unit, frame.function, "plain")
        arguments = [(None, Value(cst.Name(n), staged=True)) for n in names]
        assert isinstance(node.value, cst.Call)
        value = self.call_layer(loss, arguments, node.value, inner)
        signature = ", ".join(f"{n}=None" if n == "sample_weight" else n for n in names)
        lines = [line for s in inner.prelude for line in text(s).strip().splitlines()]
        body = "\n".join(f"    {line}" for line in [*lines, f"return {text(value.code)}"])
        lead = self.line.leading_lines if self.line is not None else []
        blank = [cst.EmptyLine(indent=False)] * 2
        comments = [line for line in lead if line.comment is not None]
        return cst.parse_statement(f"def {name}({signature}):\n{body}\n").with_changes(
            leading_lines=[*blank, *comments]
        )  # type: ignore

    # -- classes -----------------------------------------------------------------------------------

    def port_class(self, node: cst.ClassDef) -> list[cst.BaseStatement]:
        self.survey()
        name = node.name.value
        bases = []
        for base in node.bases:
            symbol = self.unit.symbol(base.value)
            if symbol is None:
                bases.append(base)
            elif symbol not in _SCHEDULES and not self.is_plain_base(symbol):
                self.unit.residual(name, base, symbol, reason(symbol))
        body: list[Any] = []
        for statement in node.body.body:
            if not isinstance(statement, cst.FunctionDef):
                body.append(statement)
            elif statement.name.value in _SAVING:
                self.unit.note(statement, f"{name}.{statement.name.value} left out: only Keras calls it")
            else:
                if not self.is_own_object(name):
                    self.check_held(statement, name)
                body.extend(self.port_function(statement, name))
        body = body or [cst.SimpleStatementLine([cst.Pass()])]
        changes: dict[str, Any] = (
            {"lpar": cst.MaybeSentinel.DEFAULT, "rpar": cst.MaybeSentinel.DEFAULT} if not bases else {}
        )
        return [node.with_changes(bases=bases, body=node.body.with_changes(body=body), **changes)]

    def check_held(self, method: cst.FunctionDef, name: str) -> None:
        """Refuses what JAX can't do in a method of a class that is no module: transforms take no such object."""
        why = (
            f"in a method of {name}, which is no module: `nnx.jit` and gradients take models, optimizers and arrays, not "
            "objects that hold them; make it a function of the model and the optimizer"
        )
        if self.is_jitted(method):
            self.unit.residual(name, method.decorators[0].decorator, "tf.function", why)
        if not method.params.params:
            return
        own = method.params.params[0].name
        held = m.Attribute(m.Attribute(m.Name(own.value)), m.Name("apply_gradients") | m.Name("minimize"))
        for call in findall(method.body, m.Call(held)):
            self.unit.residual(name, call, f"Optimizer.{call.func.attr.value}", why)  # type: ignore[attr-defined]

    def survey_class(self, name: str) -> None:
        node = self.unit.classes[name]
        if not self.unit.is_module_class(name):
            for statement in node.body.body:
                if isinstance(statement, cst.FunctionDef):
                    self.port_body(statement, f"{name}.{statement.name.value}")
