"""Callbacks that change the learning rate: the optimizer keeps it where the loop can set it."""

from __future__ import annotations

from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine.handled import handled
from codemods.passes.frame import Frame
from codemods.passes.naming import identifier
from codemods.passes.training_callbacks import FITTED, CallbackCode, Callbacks, direction
from codemods.passes.training_values import Callback
from codemods.passes.values import UNKNOWN, Value, text

_PLATEAU = handled(
    "tf.keras.callbacks.ReduceLROnPlateau",
    becomes="lines at the end of each epoch that lower the rate which optax.inject_hyperparams keeps",
    only="among the callbacks of `fit`",
    shows="optax.inject_hyperparams(optax.adam)",
    sample=FITTED,
)
_SCHEDULER = handled(
    "tf.keras.callbacks.LearningRateScheduler",
    becomes="a line at the beginning of each epoch that sets the rate which optax.inject_hyperparams keeps",
    only="among the callbacks of `fit`",
    shows="optax.inject_hyperparams(optax.adam)",
    sample=FITTED.replace("SYMBOL()", "SYMBOL(lambda epoch, rate: rate * 0.5)"),
)
_ORDER = ("monitor", "factor", "patience", "verbose", "mode", "min_delta", "cooldown", "min_lr")


class Rates(Callbacks):
    """Learning rates that change between epochs."""

    def start(self) -> None:
        super().start()
        self.rated: set[int] = set()

    def transformation(self, optimizer: Value | None, node: cst.Call, frame: Frame) -> str | None:
        """As `optax.inject_hyperparams(optax.sgd)(0.1)`, where a callback changes the rate."""
        code = super().transformation(optimizer, node, frame)
        if code is None or id(node) not in self.rated:
            return code
        call = cst.parse_expression(code)
        plain = m.matches(call, m.Call(func=m.Attribute(m.Name("optax")))) and isinstance(call, cst.Call) and call.args
        first: Any = call.args[0] if plain else None  # type: ignore[attr-defined]
        if first is None or (first.keyword is not None and first.keyword.value != "learning_rate"):
            reason = "a callback changes its learning rate: use an optimizer with one learning rate, a number"
            frame.unit.residual(frame.function, node, code, reason)
            return None
        given = {a.keyword.value: a.value for a in call.args if a.keyword is not None}  # type: ignore[attr-defined]
        if "momentum" in given:
            return self.with_momentum(text(first.value), text(call.func), given, node, frame)  # type: ignore[attr-defined]
        flags = [a.keyword.value for a in call.args if a.keyword is not None and text(a.value) in ("True", "False")]  # type: ignore
        static = f", static_args={tuple(flags)!r}".replace("'", '"') if flags else ""
        name = text(call.func)  # type: ignore[attr-defined]
        return f"optax.inject_hyperparams({name}{static}){code.removeprefix(name)}"

    def with_momentum(
        self, rate: str, name: str, given: dict[str, cst.BaseExpression], node: cst.Call, frame: Frame
    ) -> str | None:
        """Keras's momentum remembers steps, rate included; optax.sgd's remembers gradients."""
        if name != "optax.sgd":
            reason = (
                "a callback changes its learning rate, and its momentum remembers the old one: leave the momentum out"
            )
            frame.unit.residual(frame.function, node, name, reason)
            return None
        nesterov = f", nesterov={text(given['nesterov'])}" if "nesterov" in given else ""
        scaled = "optax.scale_by_learning_rate(learning_rate)"
        chain = f"optax.chain({scaled}, optax.trace({text(given['momentum'])}{nesterov}))"
        return f"optax.inject_hyperparams(lambda learning_rate: {chain})(learning_rate={rate})"

    def rate(self, plan: Any, frame: Frame) -> str:
        """Where the learning rate is kept."""
        self.rated.add(id(plan.compiled.node))
        return f'{self.optimizer_name(frame)}.opt_state.hyperparams["learning_rate"]'

    def report(self, rate: str, code: CallbackCode, frame: Frame) -> None:
        """Keras adds the rate of the epoch to its results."""
        name = "lr" if "tf_keras" in str(self.unit.trace.data.get("keras", "")) else "learning_rate"
        line = f'{self.local("results", frame)}["{name}"] = float({rate}[...])'
        if line not in code.results:
            code.results.append(line)

    def callback(self, callback: Callback, plan: Any, code: CallbackCode, frame: Frame) -> bool:
        if callback.symbol in _PLATEAU:
            return self.plateau(callback, plan, code, frame)
        if callback.symbol in _SCHEDULER:
            return self.scheduler(callback, plan, code, frame)
        return super().callback(callback, plan, code, frame)

    def scheduler(self, callback: Callback, plan: Any, code: CallbackCode, frame: Frame) -> bool:
        """The user's function of the epoch, or of the epoch and the rate."""
        schedule = callback.arguments.get("schedule", callback.arguments.get("0"))
        count = self.parameters_taken(schedule) if schedule is not None else None
        if schedule is None or count not in (1, 2):
            return self.not_ported(callback, plan, frame, "a schedule that is no function of this file")
        rate, epoch = self.rate(plan, frame), self.local("epoch", frame)
        called = text(schedule.code) if isinstance(schedule.code, cst.Name) else f"({text(schedule.code)})"
        given = epoch if count == 1 else f"{epoch}, float({rate}[...])"
        self.report(rate, code, frame)
        code.before_epoch.append(f"{rate}[...] = {called}({given})")
        return True

    def parameters_taken(self, function: Value) -> int | None:
        """How many parameters a function has that a caller gives."""
        node: Any = function.code if isinstance(function.code, cst.Lambda) else None
        if node is None and isinstance(function.code, cst.Name):
            node = self.unit.functions.get(function.code.value)
        if node is None and isinstance(function.special, tuple) and function.special[0] == "local_function":
            node = function.special[1]
        if node is None or node.params.star_arg is not cst.MaybeSentinel.DEFAULT:
            return None
        return len(node.params.params)

    def plateau(self, callback: Callback, plan: Any, code: CallbackCode, frame: Frame) -> bool:
        """Lowers the rate when the monitored value has not improved for `patience` epochs, as Keras counts them."""
        given = {
            _ORDER[int(k)] if k.isdigit() and int(k) < len(_ORDER) else k: v for k, v in callback.arguments.items()
        }
        known = {name: value.known for name, value in given.items()}
        monitor = known.get("monitor", "val_loss")
        mode = known.get("mode", "auto")
        mode = direction(monitor) if mode == "auto" and isinstance(monitor, str) else mode
        if not isinstance(monitor, str) or mode not in ("min", "max") or known.get("cooldown", 0) != 0:
            return self.not_ported(callback, plan, frame, "ReduceLROnPlateau with these arguments is not ported yet")
        if monitor.startswith("val_") and plan.validation is None:
            self.unit.note(plan.compiled.node, f"ReduceLROnPlateau does nothing here: there is no {monitor}")
            return True
        best, wait = self.local("best_value", frame), self.local("epochs_waited", frame)
        values = {name: _code(given.get(name), default) for name, default in
                  (("factor", "0.1"), ("patience", "10"), ("min_delta", "1e-4"), ("min_lr", "0.0"))}  # fmt: skip
        current = f'{self.local("results", frame)}["{identifier(monitor)}"]'
        better = (
            f"{current} < {best} - {values['min_delta']}"
            if mode == "min"
            else f"{current} > {best} + {values['min_delta']}"
        )
        rate = self.rate(plan, frame)
        self.report(rate, code, frame)
        self.unit.imports |= {"jnp", "np"}
        code.before.append(f"{best}, {wait} = {'np.inf' if mode == 'min' else '-np.inf'}, 0")
        code.after_epoch += [
            f"if {better}:",
            f"    {best}, {wait} = {current}, 0",
            "else:",
            f"    {wait} += 1",
            f"    if {wait} >= {values['patience']}:",
            f"        {rate}[...] = jnp.maximum({rate}[...] * {values['factor']}, {values['min_lr']})",
            f"        {wait} = 0",
        ]
        return True


def _code(value: Value | None, default: str) -> str:
    if value is None:
        return default
    simple = value.known is not UNKNOWN or isinstance(value.code, cst.Name | cst.Attribute | cst.Call)
    return text(value.code) if simple else f"({text(value.code)})"
