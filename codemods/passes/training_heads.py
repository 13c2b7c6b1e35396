"""What `compile` is given for each output of a model that has several, by name or by position."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine.walk import findall
from codemods.passes.frame import Frame
from codemods.passes.modules import ModuleSpec
from codemods.passes.training_steps import Steps
from codemods.passes.training_values import Compiled
from codemods.passes.values import Value, text

_NESTED = frozenset({"loss", "loss_weights", "metrics"})


@dataclasses.dataclass
class Head:
    """One output of a model.

    Attributes:
      name: what Keras reports it by; empty where that can't be told.
      key: its place in what the model returns, as code of a subscript; `label` the same in the labels.
      part: a `compile` of this output alone.
      weight: code of the loss's weight; empty for 1.
    """

    name: str
    key: str
    label: str
    part: Compiled
    weight: str = ""

    @property
    def prediction(self) -> str:
        """The variable that a step's functions keep this output in."""
        return f"{self.name}_pred" if self.name.isidentifier() else f"pred{self.key}"

    @property
    def labels(self) -> str:
        return f"y[{self.label}]"


class Heads(Steps):
    """Reads the outputs of models, and what is said of each."""

    def start(self) -> None:
        super().start()
        self.labels_by_name: dict[int, bool] = {}

    def compile_arguments(self, node: cst.Call, frame: Frame) -> dict[str, Value] | None:
        """As for one output; displays of losses, weights and metrics are read down to their items."""
        arguments = super().compile_arguments(node, frame)
        if arguments is None:
            return None
        order = ("optimizer", "loss", "loss_weights", "metrics")
        for i, arg in enumerate(node.args):
            key = arg.keyword.value if arg.keyword is not None else order[min(i, 3)]
            if key in _NESTED and isinstance(arg.value, cst.Dict | cst.List | cst.Tuple):
                arguments[key] = self.nested(arg.value, frame)
        return arguments

    def nested(self, node: cst.BaseExpression, frame: Frame) -> Value:
        if isinstance(node, cst.List | cst.Tuple):
            return Value(node, items=[self.nested(element.value, frame) for element in node.elements])
        if isinstance(node, cst.Dict):
            pairs = [e for e in node.elements if isinstance(e, cst.DictElement)]
            keys = [e.key.evaluated_value for e in pairs if isinstance(e.key, cst.SimpleString)]
            if len(keys) == len(node.elements):
                values = [self.nested(e.value, frame) for e in pairs]
                return Value(node, mapping=dict(zip(keys, values, strict=True)))
        return self.eval_raw(node, frame)

    # -- the outputs -----------------------------------------------------------------------------------

    def heads(self, compiled: Compiled) -> list[Head]:
        """The outputs of a model that has several; none for a model with one."""
        result = compiled.spec.result if compiled.spec is not None and compiled.output is None else None
        if result is None or result.tensor is not None or not (result.items or result.mapping):
            return []
        if result.mapping is not None:
            names = [str(name) for name in result.mapping]
            keys, values = [f'"{name}"' for name in names], list(result.mapping.values())
        else:
            values = list(result.items or ())
            names = self.output_names(compiled.spec, len(values))
            keys = [str(i) for i in range(len(values))]
        parts = [
            {kind: self.part_of(compiled.arguments.get(kind), name, i, len(values)) for kind in _NESTED}
            for i, name in enumerate(names)
        ]
        loss = compiled.arguments.get("loss")
        named = self.labels_by_name.get(id(compiled.node), loss is not None and loss.mapping is not None)
        found = []
        for name, key, value, part in zip(names, keys, values, parts, strict=True):
            arguments = {kind: given for kind, given in part.items() if given is not None and kind != "loss_weights"}
            weight = part["loss_weights"]
            code = text(weight.code) if weight is not None and weight.known is not None else ""
            alone = dataclasses.replace(compiled, arguments=arguments, output=value)
            found.append(Head(name, key, f'"{name}"' if named and name else key, alone, code))
        return found

    def part_of(self, given: Value | None, name: str, index: int, count: int) -> Value | None:
        """What one argument of `compile` says of one output."""
        if given is None or given.known is None:
            return None
        if given.mapping is not None:
            return given.mapping.get(name)
        if given.items is not None:
            return given.items[index] if len(given.items) == count else None
        return given

    def output_names(self, spec: ModuleSpec | None, count: int) -> list[str]:
        """Names of the layers that a functional model's outputs come from; empty ones where the code has none."""
        unnamed = [""] * count
        if spec is None or not isinstance(spec.node, cst.FunctionDef):
            return unnamed
        outputs: Sequence[cst.BaseExpression] = ()
        for call in findall(spec.node, m.Call()):
            if self.unit.symbol(call.func) == "tf.keras.Model":  # type: ignore[attr-defined]
                plain = [a.value for a in call.args if a.keyword is None]  # type: ignore[attr-defined]
                named = {a.keyword.value: a.value for a in call.args if a.keyword is not None}  # type: ignore[attr-defined]
                given = named.get("outputs", plain[1] if len(plain) > 1 else None)
                outputs = [e.value for e in given.elements] if isinstance(given, cst.List | cst.Tuple) else ()
        if len(outputs) != count:
            return unnamed
        return [self.layer_name(output, spec.node) for output in outputs]

    def layer_name(self, output: cst.BaseExpression, function: cst.FunctionDef) -> str:
        """The name given to the layer whose call an output is."""
        call: Any = output
        if isinstance(output, cst.Name):
            made = findall(function, m.Assign([m.AssignTarget(m.Name(output.value))]))
            call = made[-1].value if made else None  # type: ignore[attr-defined]
        layer = call.func if isinstance(call, cst.Call) else None
        if isinstance(layer, cst.Name):
            made = findall(function, m.Assign([m.AssignTarget(m.Name(layer.value))]))
            layer = made[-1].value if made else None  # type: ignore[attr-defined]
        for arg in layer.args if isinstance(layer, cst.Call) else ():
            if arg.keyword is not None and arg.keyword.value == "name" and isinstance(arg.value, cst.SimpleString):
                return str(arg.value.evaluated_value)
        return ""

    def check_outputs(self, compiled: Compiled, heads: list[Head], frame: Frame) -> bool:
        """Is everything that `compile` was given for the outputs understood?"""
        for kind in _NESTED:
            given = compiled.arguments.get(kind)
            if given is None or given.known is None:
                continue
            problem = ""
            if given.mapping is not None and not given.mapping.keys() <= {head.name for head in heads}:
                problem = "for outputs whose names the code does not show: give the layers names, or a list in order"
            elif given.items is not None and len(given.items) != len(heads):
                problem = f"of another number than the model's {len(heads)} outputs"
            elif given.mapping is None and given.items is None and kind != "loss":
                problem = "for a model with several outputs: give one for each, in a list or by name"
            if problem:
                frame.unit.residual(frame.function, compiled.node, "Model.compile", f"`{kind}` {problem}")
                return False
        return True
