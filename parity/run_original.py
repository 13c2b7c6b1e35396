"""The process that runs the original: `python -m parity.run_original REQUEST.json OUT`.

Started by `parity.capture`, which sets its environment and its limits. It writes `trace.json` and the
arrays of the oracle into OUT, and its outcome into `OUT/status.json`.
"""

from __future__ import annotations

import contextlib
import inspect
import json
import os
import pathlib
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from parity import call as calls
from parity import double, isolation, optimizer, oracle, randomness, source, trees, unit
from parity import frameworks as frameworks_lib
from parity.errors import BadInputError
from parity.facts import Facts
from parity.frames import Frames
from parity.original import Original
from parity.tracer import Tracer


def main(argv: list[str]) -> None:
    """Runs one request and writes the outcome, whatever it is."""
    request_file, out = argv[1:3]
    fields = json.loads(pathlib.Path(request_file).read_text())
    fields["specs"] = tuple(fields["specs"])
    isolation.leave_network()
    sys.argv = [fields["source"]]
    request = unit.Request(**fields)
    try:
        run(request, out)
        status: dict[str, Any] = {"ok": True}
    except BadInputError as error:
        status = {
            "ok": False,
            "reason": error.reason,
            "file": error.file or request.source,
            "line": error.line or 1,
            "retry": getattr(error, "retry", False),
        }
    write_json(os.path.join(out, "status.json"), status)


def run(request: unit.Request, out: str) -> None:
    """Traces the original and records the oracle.

    Raises:
      BadInputError: the original can't be run, or can't serve as an oracle.
    """
    frameworks = frameworks_lib.load()
    frameworks.tf.config.run_functions_eagerly(True)
    root = request.package_root or os.path.dirname(os.path.abspath(request.source))
    tracer = Tracer(frameworks, Frames(root, [request.example] if request.example else []))
    tracer.install()
    randomness.install(frameworks)

    def watch(module: Any) -> None:
        for value in vars(module).values():
            if isinstance(value, type) and value.__module__ == module.__name__ and is_plain(value):
                tracer.watch_class(value)

    def is_plain(cls: type) -> bool:
        return type(cls) is type and cls.__mro__[-2] is cls and not issubclass(cls, frameworks.keras.layers.Layer)

    loaded = unit.load(request, frameworks, watch)
    inputs = loaded.inputs(0)
    outputs = unit.first_call(loaded, inputs, request, frameworks)
    training = calls.in_training(loaded.call)
    if training is not None:
        tracer.only = tracer.without_calls()
        unit.first_call(unit.Unit(loaded.module, loaded.model, loaded.inputs, training), inputs, request, frameworks)
    tracer.recording = False

    is_object = not hasattr(loaded.model, "__name__") and not hasattr(loaded.model, "python_function")
    modules = {name for name, module in list(sys.modules.items()) if _is_user_module(module, tracer.frames)}
    facts = Facts(tracer, frameworks, loaded.model if is_object else None, modules)
    found = optimizer.find(source.parse(request.source), vars(loaded.module), frameworks)
    trace = {
        "version": 1,
        "source": os.path.relpath(os.path.abspath(request.source), os.path.abspath(root)).replace(os.sep, "/"),
        "keras": frameworks.version,
        "entry": request.entry or "model()",
        "call": loaded.call,
        "example_source": pathlib.Path(request.example).read_text(encoding="utf-8") if request.example else None,
        "example": os.path.basename(request.example) if request.example else None,
        "inputs": trees.describe(list(inputs)),
        "outputs": trees.describe(outputs),
        "root": facts.root_id(),
        "optimizer": None if found is None else {"expression": found.expression, "line": found.line},
        "train_step": _overrides_train_step(loaded.model, frameworks),
        "objects": facts.objects(),
    }
    write_json(os.path.join(out, "trace.json"), trace)
    if request.level in ("none", "shapes"):
        return
    try:
        recorded = _record(loaded, facts, trace, tracer, frameworks, request, found, watch)
    except BadInputError as error:
        raise BadInputError(error.reason, error.file or request.source, error.line or _line_of(loaded.model)) from error
    recorded.write(os.path.join(out, "oracle.safetensors"))


def _record(loaded: unit.Unit, facts: Facts, trace: dict[str, Any], tracer: Tracer, frameworks: Any,
            request: unit.Request, found: Any, watch: Any) -> Any:  # fmt: skip
    inputs = loaded.inputs(0)
    tested = facts.variables[: facts.under_test]
    described = {v["index"]: v for entry in trace["objects"] for v in entry["variables"]}
    variables = [described[index] for index in range(len(tested))]
    randomness.without_dropout([seen.value for seen in tracer.seen.values()], frameworks.keras)
    modes = _modes(loaded, inputs, request, frameworks, tested)
    expression = None if found is None else found.expression
    original = Original(frameworks, loaded.model, vars(loaded.module), modes, tested)
    names = [variable["name"] for variable in variables]
    plan = oracle.make_plan(original, list(modes), names, loaded.inputs, request.level, expression)

    @contextlib.contextmanager
    def in_double() -> Iterator[Original]:
        with double.doubled(frameworks):
            tracer.seen = {}
            again = unit.load(request, frameworks, watch)
            unit.first_call(again, _cast(inputs), request, frameworks)
            randomness.without_dropout([seen.value for seen in tracer.seen.values()], frameworks.keras)
            known = Facts(tracer, frameworks, None if trace["root"] is None else again.model, facts.modules)
            tested_again = known.variables[: known.under_test]
            yield Original(frameworks, again.model, vars(again.module), modes, tested_again, "float64")

    recorded = oracle.record(original, plan, request.level, variables, in_double)
    if found is not None and found.assumed:
        shown = ", ".join(f"{name} = {value}" for name, value in found.assumed.items())
        recorded.notes.append(f"the optimizer's arguments depend on the data: assumed {shown}")
    recorded.notes += _batch_note(inputs)
    return recorded


def _line_of(model: Any) -> int | None:
    """Where the class or function under test is defined."""
    try:
        return inspect.getsourcelines(model if hasattr(model, "__code__") else type(model))[1]
    except (OSError, TypeError):
        return None


def _modes(loaded: unit.Unit, inputs: Any, request: unit.Request, frameworks: Any, variables: Any) -> dict[str, str]:
    """The call in each mode that the original has."""
    modes = {"inference": loaded.call}
    training = calls.in_training(loaded.call)
    if training is not None:
        modes["training"] = training
    elif isinstance(loaded.model, frameworks.keras.layers.Layer):
        added = calls.add_training(loaded.call)
        if added is not None:
            before = [variable.numpy() for variable in variables]
            with contextlib.suppress(BadInputError):
                again = unit.Unit(loaded.module, loaded.model, loaded.inputs, added)
                unit.first_call(again, inputs, request, frameworks)
                modes["training"] = added
            for variable, value in zip(variables, before, strict=True):
                variable.assign(value)
    return modes


def _cast(inputs: Any) -> Any:
    def cast(_: str, array: Any) -> Any:
        array = np.asarray(array)
        return array.astype(np.float64) if array.dtype.kind == "f" else array

    return trees.map_arrays(cast, inputs)


def _batch_note(inputs: Any) -> list[str]:
    sizes = {array.shape[0] for _, array in trees.flatten(inputs) if array.shape}
    small = min(sizes, default=4)
    return [f"the batch is {small}; 4 or more show more bugs"] if small < 4 else []


def _overrides_train_step(model: Any, frameworks: frameworks_lib.Frameworks) -> bool:
    makers = [cls for cls in type(model).__mro__ if "train_step" in vars(cls)]
    return isinstance(model, frameworks.keras.Model) and not frameworks.is_framework(makers[0])


def _is_user_module(module: Any, frames: Frames) -> bool:
    file = getattr(module, "__file__", None)
    return isinstance(file, str) and frames.relative(file) is not None


def write_json(path: str, value: Any) -> None:
    """Writes JSON that is the same on every machine."""
    pathlib.Path(path).write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv)
