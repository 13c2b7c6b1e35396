"""Callbacks of `fit`, as statements of its loop."""

from __future__ import annotations

import dataclasses
from typing import Any

import libcst as cst

from codemods.engine.handled import handled
from codemods.passes.frame import Frame
from codemods.passes.naming import identifier
from codemods.passes.training_outputs import Outputs
from codemods.passes.training_values import Callback
from codemods.passes.values import Value, text
from codemods.policy.lookup import reason

_PREFIX = "tf.keras.callbacks."
FITTED = """
def main(x, y):
    model = tf.keras.Sequential([tf.keras.Input((4,)), tf.keras.layers.Dense(1)])
    model.compile("adam", "mse")
    model.fit(x, y, validation_split=0.5, epochs=2, callbacks=[SYMBOL()])
"""
_STOPPING = handled(
    "tf.keras.callbacks.EarlyStopping",
    becomes="lines at the end of each epoch of the loop",
    only="among the callbacks of `fit`",
    shows="break",
    sample=FITTED,
)
_SILENT = handled(
    "tf.keras.callbacks.History",
    "tf.keras.callbacks.ProgbarLogger",
    becomes="left out: the loop keeps the history and shows its progress itself",
    only="among the callbacks of `fit`",
    sample=FITTED,
)
_EARLY_STOPPING = (
    "monitor",
    "min_delta",
    "patience",
    "verbose",
    "mode",
    "baseline",
    "restore_best_weights",
    "start_from_epoch",
)
#: Callbacks that only write, with the note that goes into the report.
_LEFT_OUT = {"History": "the loop keeps the history itself", "ProgbarLogger": "the loop shows its own progress"}


@dataclasses.dataclass
class CallbackCode:
    """Lines around the loop and in it.

    Attributes:
      before, after: the loop.
      before_epoch: at the beginning of each epoch.
      results: what is added to the results of an epoch, before they are kept.
      after_epoch: at the end of each epoch.
      last: after that, what ends the loop: Keras lets all callbacks see the epoch first.
    """

    before: list[str] = dataclasses.field(default_factory=list)
    before_epoch: list[str] = dataclasses.field(default_factory=list)
    results: list[str] = dataclasses.field(default_factory=list)
    last: list[str] = dataclasses.field(default_factory=list)
    after_epoch: list[str] = dataclasses.field(default_factory=list)
    after: list[str] = dataclasses.field(default_factory=list)


class Callbacks(Outputs):
    """Ports what callbacks do; a callback that is not known is a residual."""

    def call_symbol(self, symbol: str, node: cst.Call, frame: Frame) -> Value:
        if symbol.startswith(_PREFIX) and frame.mode == "plain":
            found: dict[str, Value] = {}
            for i, arg in enumerate(node.args):
                order = _EARLY_STOPPING if symbol.endswith("EarlyStopping") else ()
                key = arg.keyword.value if arg.keyword is not None else order[i] if i < len(order) else str(i)
                found[key] = self.eval(arg.value, frame)
            return Value(node, special=Callback(symbol, found))
        return super().call_symbol(symbol, node, frame)

    def _small_Assign(self, node: cst.Assign, frame: Frame) -> tuple[list[Any], bool]:
        items, config = super()._small_Assign(node, frame)
        target = node.targets[0].target
        value = frame.env.get(target.value) if isinstance(target, cst.Name) else None
        if value is not None and frame.mode == "plain" and _is_callbacks(value):
            return [], config
        return items, config

    def watches(self, plan: Any) -> bool:
        """Do callbacks need the results of the epochs?"""
        return any(callback.symbol not in _SILENT for callback in self.callbacks_of(plan))

    def callback_code(self, plan: Any, frame: Frame) -> CallbackCode | None:
        given = plan.arguments.get("callbacks")
        code = CallbackCode()
        if given is None or given.known is None:
            return code
        items = given.items if given.items is not None else [given]
        for value in items:
            special = value.special
            if isinstance(special, Callback):
                if not self.callback(special, plan, code, frame):
                    return None
            elif not self.own_callback(value, plan, code, frame):
                frame.unit.residual(frame.function, value.code, text(value.code), reason(f"{_PREFIX}Callback"))
                return None
        return code

    def callback(self, callback: Callback, plan: Any, code: CallbackCode, frame: Frame) -> bool:
        """Lines of one callback; False where it is not ported, with a residual."""
        if callback.symbol in _STOPPING:
            return self.early_stopping(callback, plan, code, frame)
        if callback.symbol in _SILENT:
            self.unit.note(plan.compiled.node, f"{callback.symbol}: {_LEFT_OUT[callback.symbol.removeprefix(_PREFIX)]}")
            return True
        return self.not_ported(callback, plan, frame, reason(callback.symbol))

    def not_ported(self, callback: Callback, plan: Any, frame: Frame, why: str) -> bool:
        frame.unit.residual(frame.function, plan.compiled.node, callback.symbol, why)
        return False

    def own_callback(self, value: Value, plan: Any, code: CallbackCode, frame: Frame) -> bool:
        """Lines that call an object of a class of this file."""
        return False

    def callbacks_of(self, plan: Any) -> list[Callback]:
        """The callbacks of a `fit` that are Keras's own."""
        given = plan.arguments.get("callbacks")
        items = (given.items if given.items is not None else [given]) if given is not None else []
        return [value.special for value in items if isinstance(value.special, Callback)]

    def early_stopping(self, callback: Callback, plan: Any, code: CallbackCode, frame: Frame) -> bool:
        """Stops when the monitored value has not improved for `patience` epochs, as Keras counts them."""
        arguments = {name: value.known for name, value in callback.arguments.items()}
        monitor = arguments.get("monitor", "val_loss")
        mode = arguments.get("mode", "auto")
        mode = direction(monitor) if mode == "auto" and isinstance(monitor, str) else mode
        restore = arguments.get("restore_best_weights", False)
        legacy = "tf_keras" in str(self.unit.trace.data.get("keras", ""))
        wrong = (
            not isinstance(monitor, str) or mode not in ("min", "max") or not isinstance(restore, bool) or legacy and restore
            or arguments.get("baseline") is not None or arguments.get("start_from_epoch", 0) != 0
        )  # fmt: skip
        if wrong:
            frame.unit.residual(
                frame.function,
                plan.compiled.node,
                callback.symbol,
                "EarlyStopping with these arguments is not ported yet",
            )
            return False
        if monitor.startswith("val_") and plan.validation is None:
            self.unit.note(plan.compiled.node, f"EarlyStopping does nothing here: there is no {monitor}")
            return True
        best, wait, weights = (self.local(base, frame) for base in ("best", "wait", "best_weights"))
        delta = callback.arguments.get("min_delta")
        offset = ""
        if delta is not None and delta.known not in (0, 0.0):
            size = abs(delta.known) if isinstance(delta.known, int | float) else f"abs({text(delta.code)})"
            offset = f" {'+' if mode == 'min' else '-'} {size}"
        patience = text(callback.arguments["patience"].code) if "patience" in callback.arguments else "0"
        current = f'{self.local("results", frame)}["{identifier(monitor)}"]'
        test = f"{best} is None or {current}{offset} {'<' if mode == 'min' else '>'} {best}"
        code.before.append(f"{best}, {wait} = None, 0")
        code.last += [f"if {test}:", f"    {best}, {wait} = {current}, 0"]
        if restore:
            self.unit.imports |= {"jax", "jnp", "nnx"}
            state = f"nnx.state({plan.model}, nnx.Not(nnx.RngState))"
            code.last.append(f"    {weights} = jax.tree.map(jnp.copy, {state})")
        code.last += ["else:", f"    {wait} += 1", f"    if {wait} >= {patience}:", "        break"]
        if restore:
            code.after.append(f"nnx.update({plan.model}, {weights})")
        return True


def direction(monitor: str) -> str | None:
    """Whether Keras takes less or more of a quantity as better."""
    name = monitor.removeprefix("val_")
    if name == "loss" or any(part in name for part in ("error", "mse", "mae", "crossentropy")):
        return "min"
    if any(part in name for part in ("acc", "auc", "precision", "recall", "f1")):
        return "max"
    return None


def _is_callbacks(value: Value) -> bool:
    """A callback of Keras's, or a list of callbacks: nothing is made for it."""
    if isinstance(value.special, Callback):
        return True
    items = value.items or ()
    own = [item for item in items if isinstance(item.special, tuple) and item.special[0] == "callback"]
    return bool(items) and all(item in own or _is_callbacks(item) for item in items)
