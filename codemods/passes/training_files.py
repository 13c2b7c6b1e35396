"""Callbacks that write: checkpoints with Orbax, logs as CSV and for TensorBoard."""

from __future__ import annotations

from typing import Any

import libcst as cst

from codemods.engine.handled import handled
from codemods.passes.frame import Frame
from codemods.passes.naming import identifier
from codemods.passes.training_callbacks import FITTED, CallbackCode, direction
from codemods.passes.training_rates import Rates
from codemods.passes.training_values import Callback
from codemods.passes.values import Value, text

_CHECKPOINT = handled(
    "tf.keras.callbacks.ModelCheckpoint",
    becomes="lines at the end of each epoch that save the model's state with Orbax",
    only="among the callbacks of `fit`",
    shows="ocp.StandardCheckpointer()",
    sample=FITTED.replace("SYMBOL()", 'SYMBOL("folder/{epoch}")'),
)
_CSV = handled(
    "tf.keras.callbacks.CSVLogger",
    becomes="lines in the loop that write a row for each epoch",
    only="among the callbacks of `fit`",
    shows="sorted(results)",
    sample=FITTED.replace("SYMBOL()", 'SYMBOL("log.csv")'),
)
_BOARD = handled(
    "tf.keras.callbacks.TensorBoard",
    becomes="tf.summary in the loop, imported where it runs",
    only="among the callbacks of `fit`",
    shows="tf.summary.create_file_writer(",
    sample=FITTED.replace("SYMBOL()", 'SYMBOL("logs")'),
)
_NAN = handled(
    "tf.keras.callbacks.TerminateOnNaN",
    becomes="a test at the end of each epoch",
    only="among the callbacks of `fit`",
    shows="np.isfinite(",
    sample=FITTED,
)
_ORDERS = {
    "ModelCheckpoint": ("filepath", "monitor", "verbose", "save_best_only", "save_weights_only", "mode", "save_freq"),
    "CSVLogger": ("filename", "separator", "append"),
    "TensorBoard": ("log_dir", "histogram_freq", "write_graph", "write_images"),
}


class Files(Rates):
    """What a loop writes to disk."""

    def callback(self, callback: Callback, plan: Any, code: CallbackCode, frame: Frame) -> bool:
        for symbols, port in (
            (_CHECKPOINT, self.model_checkpoint),
            (_CSV, self.csv_logger),
            (_BOARD, self.tensor_board),
        ):
            if callback.symbol in symbols:
                order = _ORDERS[callback.symbol.rsplit(".", 1)[-1]]
                given = {
                    order[int(k)] if k.isdigit() and int(k) < len(order) else k: v
                    for k, v in callback.arguments.items()
                }
                return port(callback, given, plan, code, frame)
        if callback.symbol in _NAN:
            self.unit.imports.add("np")
            note = "TerminateOnNaN looks after each batch; the loop looks at the mean after each epoch"
            self.unit.note(plan.compiled.node, note)
            code.last += [f'if not np.isfinite({self.local("results", frame)}["loss"]):', "    break"]
            return True
        return super().callback(callback, plan, code, frame)

    def model_checkpoint(
        self, callback: Callback, given: dict[str, Value], plan: Any, code: CallbackCode, frame: Frame
    ) -> bool:
        """Saves the state, each time or when the monitored value has improved."""
        known = {name: value.known for name, value in given.items()}
        monitor = known.get("monitor", "val_loss")
        mode = known.get("mode", "auto")
        mode = direction(monitor) if mode == "auto" and isinstance(monitor, str) else mode
        best_only = known.get("save_best_only", False)
        unusual = known.get("save_freq", "epoch") != "epoch" or any(
            known.get(n) is not None for n in ("period", "options", "initial_value_threshold")
        )
        if "filepath" not in given or best_only not in (True, False) or mode not in ("min", "max") or unusual:
            return self.not_ported(callback, plan, frame, "ModelCheckpoint with these arguments is not ported yet")
        results, epoch = self.local("results", frame), self.local("epoch", frame)
        path = text(given["filepath"].code)
        atoms = cst.SimpleString | cst.Name | cst.Attribute | cst.Call
        formatted = path if isinstance(given["filepath"].code, atoms) else f"({path})"
        if not (isinstance(known.get("filepath"), str) and "{" not in known["filepath"]):
            path = f"{formatted}.format(epoch={epoch} + 1, **{results})"
        self.unit.imports |= {"nnx", "ocp", "os"}
        self.unit.note(plan.compiled.node, "checkpoints are folders that Orbax writes, not files in Keras's format")
        saved = [
            "with ocp.StandardCheckpointer() as checkpointer:",
            f"    state = nnx.state({plan.model}, nnx.Not(nnx.RngState))",
            f"    checkpointer.save(os.path.abspath({path}), state, force=True)",
        ]
        if not best_only:
            code.after_epoch += saved
            return True
        if monitor.startswith("val_") and plan.validation is None:
            self.unit.note(plan.compiled.node, f"ModelCheckpoint saves nothing here: there is no {monitor}")
            return True
        best = self.local("best_saved", frame)
        current = f'{results}["{identifier(monitor)}"]'
        code.before.append(f"{best} = {'np.inf' if mode == 'min' else '-np.inf'}")
        code.after_epoch += [
            f"if {current} {'<' if mode == 'min' else '>'} {best}:",
            f"    {best} = {current}",
            *[f"    {line}" for line in saved],
        ]
        return True

    def csv_logger(
        self, callback: Callback, given: dict[str, Value], plan: Any, code: CallbackCode, frame: Frame
    ) -> bool:
        """One row for each epoch, its metrics in the order of their names."""
        known = {name: value.known for name, value in given.items()}
        append = known.get("append", False)
        if "filename" not in given or append not in (True, False):
            return self.not_ported(callback, plan, frame, "CSVLogger with these arguments is not ported yet")
        log, results, epoch = self.local("log", frame), self.local("results", frame), self.local("epoch", frame)
        separator = text(given["separator"].code) if "separator" in given else '","'
        name = text(given["filename"].code)
        mode = '"a"' if append else f'"a" if {epoch} else "w"'
        code.after_epoch += [
            f"with open({name}, {mode}) as {log}:",
            f"    if {log}.tell() == 0:",
            f'        print("epoch", *sorted({results}), sep={separator}, file={log})',
            f"    print({epoch}, *[{results}[name] for name in sorted({results})], sep={separator}, file={log})",
        ]
        return True

    def tensor_board(
        self, callback: Callback, given: dict[str, Value], plan: Any, code: CallbackCode, frame: Frame
    ) -> bool:
        """Scalars of each epoch under Keras's names; TensorFlow writes them."""
        graphs = (
            "write_graph",
            "write_images",
            "write_steps_per_second",
            "embeddings_freq",
            "profile_batch",
            "update_freq",
        )
        heavy = given["histogram_freq"].known if "histogram_freq" in given else 0
        if heavy != 0 or any(k not in ("log_dir", "histogram_freq", *graphs) for k in given):
            self.unit.note(
                plan.compiled.node, "TensorBoard: scalars of each epoch are written, histograms and graphs are not"
            )
        folder = text(given["log_dir"].code) if "log_dir" in given else '"logs"'
        writers, results, epoch = self.local("writers", frame), self.local("results", frame), self.local("epoch", frame)
        self.host_imports.setdefault(frame.function, set()).add("import tensorflow as tf")
        self.unit.imports.add("os")
        parts = '("train", "validation")' if plan.validation is not None else '("train",)'
        code.before.append(
            f"{writers} = {{part: tf.summary.create_file_writer(os.path.join({folder}, part)) for part in {parts}}}"
        )
        code.after_epoch += [
            f"for name, value in {results}.items():",
            f'    with {writers}["validation" if name.startswith("val_") else "train"].as_default():',
            f'        tf.summary.scalar("epoch_" + name.removeprefix("val_"), value, step={epoch})',
        ]
        return True
