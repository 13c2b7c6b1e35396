"""The port's own training steps, as code that verification runs: the `train_steps` of weights_map.json."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any

import libcst as cst

from codemods.passes.frame import Frame
from codemods.passes.modules import ModuleSpec
from codemods.passes.porter import Porter
from codemods.passes.training_values import Compiled
from codemods.passes.values import Value, text

Step = Mapping[str, Any]


def function_name(number: int) -> str:
    """What a step is called while the file is ported."""
    return f"__jaxport_step_{number}__"


def functions(trace: Mapping[str, Any], entry: str | None) -> str:
    """Source of functions that call the functions that train, so that the calls are ported like the rest of the file.

    Args:
      trace: of the original.
      entry: the body of a function that returns the object under test.
    """
    source = ""
    for number, step in enumerate(trace.get("train_steps") or ()):
        if step["kind"] != "function":
            continue
        lines = ["import tensorflow as tf"]
        if "model" in {n.id for n in ast.walk(ast.parse(step["call"])) if isinstance(n, ast.Name)}:
            if entry is None:
                continue
            *before, last = ast.parse(entry).body
            lines += [ast.unparse(statement) for statement in before]
            lines.append(f"model = {ast.unparse(last.value)}" if isinstance(last, ast.Return) and last.value else "")
        lines += [step["setup"], f"return {step['call']}"]
        body = "\n".join("    " + line for part in lines for line in part.splitlines())
        source += f"\n\ndef {function_name(number)}(batch):\n{body}\n"
    return source


class TrainSteps:
    """Finds what became of each training step that the original was run with.

    Args:
      porter: the port, done.
      optimizer: optax expression of the unit's optimizer.
      source: text of the port.
      calls: what `functions` gave, parsed, by name.
    """

    def __init__(self, porter: Porter, optimizer: str | None, source: str, calls: Mapping[str, cst.FunctionDef]):
        self.calls = calls
        self.porter = porter
        self.optimizer = optimizer
        self.source = source

    def entry(self, number: int, step: Step, spec: ModuleSpec | None) -> dict[str, str]:
        """One step: `setup` statements and the `call`, over `model`, `batch` and the port's names; or a `reason`.

        Args:
          number: of the step.
          step: as in trace.json.
          spec: the ported model under test.
        """
        before = len(self.porter.unit.residuals)
        try:
            found = self._function(number, step) if step["kind"] == "function" else self._compiled(step, spec)
        finally:
            del self.porter.unit.residuals[before:]
        return {"name": step["name"], **found}

    def _compiled(self, step: Step, spec: ModuleSpec | None) -> dict[str, str]:
        unit = self.porter.unit
        places = [c for c in self.porter.compiled.values() if unit.span(c.node).line == step["line"]]
        if not places or spec is None:
            return {"reason": "the port has no model compiled there"}
        compiled = places[0]
        frame = Frame(unit, compiled.function, "plain")
        if self.optimizer is None:
            return {"reason": "the optimizer has no port that stands alone"}
        if step["kind"] == "override":
            return self._override(compiled, spec, frame)
        found = self.porter.steps.get(("train", id(compiled.node)))
        if found is None or not self._is_there(found[0]):
            return {"reason": "nothing in the port trains that model"}
        metrics = self.porter.make_metrics(compiled, frame)
        if metrics is None:
            return {"reason": "its metrics have no port"}
        return self._code(found[0], ["model", "optimizer", "metrics", "*batch"], metrics, "model")

    def _function(self, number: int, step: Step) -> dict[str, str]:
        """A call of a function of the file, with the arguments that its port takes."""
        node = self.calls.get(function_name(number))
        if node is None or not self._is_there(step["name"]):
            return {"reason": "the port has no function for it"}
        unit = self.porter.unit
        frame = Frame(unit, function_name(number), "plain")
        frame.env["batch"] = Value(cst.Name("batch"), staged=True)
        before = len(unit.residuals)
        items = [item.node for item in self.porter.run(list(node.body.body), frame).call]  # type: ignore[arg-type]
        if len(unit.residuals) > before:
            return {"reason": unit.residuals[before][1].reason}
        lines = [text(self.porter.settle_plain(item, function_name(number))).strip() for item in items]
        *setup, last = [line for line in lines if not line.startswith(("import ", "model = "))]
        return {"setup": "\n".join(setup), "call": last.removeprefix("return ")}

    def _override(self, compiled: Compiled, spec: ModuleSpec, frame: Frame) -> dict[str, str]:
        method = self.porter.moved_methods.get(spec.source, {}).get("train_step")
        name = self.porter.moved_name(spec.source, "train_step")
        if method is None or not self._is_there(name):
            return {"reason": "the port has no function for it"}
        needs = self.porter.needs[(spec.source, "train_step")]
        metrics = self.porter.own_metrics(spec, frame) if "metrics" in needs else ""
        if metrics is None:
            return {"reason": "its metrics have no port"}
        settled = self.porter.settled_step(spec.source, method)
        data = "*batch" if self.porter.unpacked(settled) is not None else "batch"
        rngs = ["rngs=rngs"] if (spec.source, "train_step") in self.porter.random_steps else []
        return self._code(name, [*needs, data, *rngs], metrics, self.porter.updated_part(spec, "model"))

    def _code(self, name: str, arguments: list[str], metrics: str, updated: str) -> dict[str, str]:
        setup = []
        if "optimizer" in arguments:
            setup.append(f"optimizer = nnx.Optimizer({updated}, {self.optimizer}, wrt=nnx.Param)")
        if "metrics" in arguments:
            setup.append(f"metrics = {metrics}")
        return {"setup": "\n".join(setup), "call": f"{name}({', '.join(arguments)})"}

    def _is_there(self, name: str) -> bool:
        """Did the function make it into the port?"""
        return re.search(rf"^def {re.escape(name)}\(", self.source, re.MULTILINE) is not None
