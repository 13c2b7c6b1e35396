"""Callbacks of the user's own classes: plain objects, which the loop calls where Keras did."""

from __future__ import annotations

from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine.handled import handled
from codemods.engine.walk import findall
from codemods.passes.frame import Frame
from codemods.passes.training_callbacks import FITTED, CallbackCode
from codemods.passes.training_files import Files
from codemods.passes.values import Value, text

CALLBACK_BASES = handled(
    "tf.keras.callbacks.Callback",
    becomes="subclasses become plain classes, whose hooks the loop calls",
    only="as a base class",
    shows=("class Log:", "Log().on_epoch_end(epoch, results)"),
    sample="""
    class Log(SYMBOL):
        def on_epoch_end(self, epoch, logs=None):
            print(epoch, logs["loss"])
    """
    + FITTED.replace("SYMBOL()", "Log()").replace("\n", "\n    "),
)
_HOOKS = ("on_train_begin", "on_epoch_begin", "on_epoch_end", "on_train_end", "on_batch_end", "on_train_batch_end")
#: What a callback may do with its model in the port.
_OF_KERAS = frozenset({"optimizer", "stop_training", "predict", "evaluate", "save", "save_weights", "get_weights",
                       "set_weights", "layers", "get_layer", "fit", "history", "metrics", "metrics_names"})  # fmt: skip


class OwnCallbacks(Files):
    """Subclasses of Callback."""

    def is_callback(self, name: str) -> bool:
        return any(base in CALLBACK_BASES for base in self.unit.bases(name))

    def watches(self, plan: Any) -> bool:
        given = plan.arguments.get("callbacks")
        items = (given.items if given.items is not None else [given]) if given is not None else []
        return super().watches(plan) or any(self.callback_class(value) is not None for value in items)

    def callback_class(self, value: Value) -> str | None:
        """The class of this file that a value is an instance of."""
        code = value.special[1] if isinstance(value.special, tuple) and value.special[0] == "callback" else value.code
        name = code.func.value if isinstance(code, cst.Call) and isinstance(code.func, cst.Name) else None
        return name if name in self.unit.classes and self.is_callback(name) else None

    def call_class(self, name: str, node: cst.Call, frame: Frame) -> Value:
        value = super().call_class(name, node, frame)
        if self.is_callback(name):
            return Value(value.code, special=("callback", value.code))
        return value

    def own_callback(self, value: Value, plan: Any, code: CallbackCode, frame: Frame) -> bool:
        name = self.callback_class(value)
        if name is None:
            return super().own_callback(value, plan, code, frame)
        methods = self.hooks(name)
        unknown = sorted(n for n in methods if n.startswith("on_") and n not in _HOOKS)
        if unknown:
            reason = f"`{unknown[0]}`: of the hooks, those of the training loop are ported"
            frame.unit.residual(frame.function, self.unit.classes[name].name, f"{name}.{unknown[0]}", reason)
            return False
        keeps = "self.model" in methods.values() or any("self.model" in body for body in methods.values())
        called = text(value.code)
        stops = any("stop_training" in body for body in methods.values())
        if not isinstance(value.code, cst.Name) and (
            keeps or stops or len([h for h in _HOOKS if h in methods]) > 1 or "__init__" in methods
        ):
            variable = self.local("callback", frame)
            while any(line.startswith(f"{variable} = ") for line in code.before):
                variable += "_"
            code.before.append(f"{variable} = {called}")
            called = variable
        if keeps:
            code.before.append(f"{called}.model = {plan.model}")
        epoch, results = self.local("epoch", frame), self.local("results", frame)
        if stops:
            code.before.append(f"{called}.stop_training = False")
        lines = {
            "on_train_begin": (code.before, f"{called}.on_train_begin({self.logs(name, 'on_train_begin', 1)})"),
            "on_epoch_begin": (
                code.before_epoch,
                f"{called}.on_epoch_begin({epoch}{self.logs(name, 'on_epoch_begin', 2)})",
            ),
            "on_epoch_end": (code.after_epoch, f"{called}.on_epoch_end({epoch}, {results})"),
            "on_train_end": (code.after, f"{called}.on_train_end({self.logs(name, 'on_train_end', 1)})"),
        }
        for hook in ("on_batch_end", "on_train_batch_end"):
            if hook in methods:
                reason = "a hook for each batch: the ported step gives no logs, put what it does into the loop over the batches"
                frame.unit.residual(frame.function, self.unit.classes[name].name, f"{name}.{hook}", reason)
                return False
        for hook, (where, line) in lines.items():
            if hook in methods:
                if "rngs" in self.function_flags.get(f"{name}.{hook}", ()):
                    frame.flags.add("rngs")
                    line = f"{line[:-1]}{'' if line.endswith('()') else ', '}rngs=rngs)"
                where.append(line)
        if stops:
            code.last += [f"if {called}.stop_training:", "    break"]
        return True

    def logs(self, name: str, hook: str, index: int) -> str:
        """An empty `logs`, where a hook has no default for it."""
        methods = [
            s for s in self.unit.classes[name].body.body if isinstance(s, cst.FunctionDef) and s.name.value == hook
        ]
        params = methods[0].params.params if methods else ()
        if len(params) <= index or params[index].default is not None:
            return ""
        return "{}" if index == 1 else ", {}"

    def hooks(self, name: str) -> dict[str, str]:
        """Source of the methods of a class, those of its user bases included."""
        node = self.unit.classes[name]
        found: dict[str, str] = {}
        for base in node.bases:
            if isinstance(base.value, cst.Name) and base.value.value in self.unit.classes:
                found |= self.hooks(base.value.value)
        for statement in node.body.body:
            if isinstance(statement, cst.FunctionDef):
                found[statement.name.value] = cst.Module([]).code_for_node(statement.body)
        return found

    # -- the class -----------------------------------------------------------------------------------

    def is_plain_base(self, symbol: str) -> bool:
        """Does a class of the framework leave nothing behind, as a base?"""
        return symbol in CALLBACK_BASES

    def port_body(self, node: cst.FunctionDef, name: str) -> tuple[list[Any], cst.FunctionDef]:
        owner = name.split(".")[0]
        if "." not in name or owner not in self.unit.classes or not self.is_callback(owner):
            return super().port_body(node, name)
        own = node.params.params[0].name.value if node.params.params else "self"
        model = m.Attribute(m.Name(own), m.Name("model"))
        for found in findall(node.body, m.Attribute(value=model, attr=m.MatchIfTrue(lambda a: a.value in _OF_KERAS))):
            attribute = found.attr.value  # type: ignore[attr-defined]
            if attribute == "stop_training":
                continue
            reason = f"`{text(found)}` is Keras's: put what the callback does into the loop, where the optimizer and the steps are"  # type: ignore
            self.unit.residual(owner, found, f"Model.{attribute}", reason)
        before, new = super().port_body(node, name)
        return before, new.visit(_Stop(own))  # type: ignore[return-value]


class _Stop(cst.CSTTransformer):
    """`self.model.stop_training` to `self.stop_training`, which the loop reads."""

    def __init__(self, own: str):
        self.own = own

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.BaseExpression:
        if m.matches(
            original_node, m.Attribute(m.Attribute(m.Name(self.own), m.Name("model")), m.Name("stop_training"))
        ):
            return updated_node.with_changes(value=cst.Name(self.own))
        return updated_node
