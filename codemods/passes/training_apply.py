"""`evaluate` and `predict`, and how arguments of these methods are read."""

from __future__ import annotations

import libcst as cst

from codemods.passes.frame import Frame
from codemods.passes.training_own_callbacks import OwnCallbacks
from codemods.passes.values import Value, text

_EVALUATE = ("x", "y", "batch_size", "verbose", "sample_weight", "steps", "callbacks", "return_dict")

_PREDICT = ("x", "batch_size", "verbose", "steps", "callbacks")

#: How data is fetched, not what is computed.
_FETCHING = frozenset({"workers", "use_multiprocessing", "max_queue_size"})

_DONE = frozenset({"x", "y", "batch_size", "epochs", "verbose", "callbacks", "validation_split", "validation_data", "shuffle",
                   "initial_epoch", "validation_batch_size", "return_dict", "class_weight", "sample_weight"})  # fmt: skip


class Applying(OwnCallbacks):
    """Calls of a trained model."""

    def named_values(self, node: cst.Call, order: tuple[str, ...], frame: Frame) -> dict[str, Value] | None:
        found: dict[str, Value] = {}
        what = f"Model.{text(node.func).rsplit('.', 1)[-1]}"
        for i, arg in enumerate(node.args):
            key = arg.keyword.value if arg.keyword is not None else order[i] if i < len(order) else None
            if arg.star or key is None:
                frame.unit.residual(frame.function, arg, what, "which arguments these are is not known")
                return None
            if key in _FETCHING:
                continue
            found[key] = self.eval(arg.value, frame)
        for key in sorted(found.keys() - _DONE):
            if found[key].known is not None:
                frame.unit.residual(frame.function, node, what, f"`{key}` of {what.split('.')[1]} is not ported yet")
                return None
        return found

    def evaluate_model(self, base: Value, node: cst.Call, frame: Frame) -> Value:
        arguments = self.named_values(node, _EVALUATE, frame)
        compiled = self.find_compiled(base, node, frame)
        if arguments is None or compiled is None:
            return Value(node)
        if "sample_weight" in arguments and arguments["sample_weight"].known is not None:
            frame.unit.residual(frame.function, node, "Model.evaluate", "`sample_weight` of evaluate is not ported yet")
            return Value(node)
        if "x" in arguments:
            arguments["x"] = self.ordered_inputs(base, arguments["x"])
        alone = "y" not in arguments and not self.has_own_step(compiled)
        batches = self.batches_of(arguments["x"], alone, frame) if "x" in arguments else None
        function = self.evaluate(compiled, frame) if batches is None else self.evaluate_batches(compiled, frame)
        if function is None:
            return Value(node)
        data = (
            [text(base.code), batches]
            if batches is not None
            else [text(base.code), *[text(arguments[key].code) for key in ("x", "y") if key in arguments]]
        )
        if batches is None and "batch_size" in arguments and arguments["batch_size"].known is not None:
            data.append(text(arguments["batch_size"].code))
        call = f"{function}({', '.join(data)})"
        verbose = arguments.get("verbose")
        small = self.line.body[0] if self.line is not None else None
        if isinstance(small, cst.Expr) and small.value is node:
            quiet = verbose is not None and verbose.known == 0
            return Value(cst.parse_expression(call if quiet else f"print({call})"))
        if "return_dict" in arguments and arguments["return_dict"].known is True:
            return Value(cst.parse_expression(call))
        single = not self.has_own_step(compiled) and not self.metrics_of(compiled)
        if single:
            return Value(cst.parse_expression(f'{call}["loss"]'))
        unpacked = (
            isinstance(small, cst.Assign)
            and small.value is node
            and isinstance(small.targets[0].target, cst.Tuple | cst.List)
        )
        return Value(cst.parse_expression(f"{call}.values()" if unpacked else f"list({call}.values())"))

    def predict_model(self, base: Value, node: cst.Call, frame: Frame) -> Value:
        arguments = self.named_values(node, _PREDICT, frame)
        if arguments is None or "x" not in arguments:
            return Value(node)
        arguments["x"] = self.ordered_inputs(base, arguments["x"])
        function = self.predict(base, frame)
        data = [text(base.code), text(arguments["x"].code)]
        if "batch_size" in arguments and arguments["batch_size"].known is not None:
            data.append(text(arguments["batch_size"].code))
        return Value(cst.parse_expression(f"{function}({', '.join(data)})"))
