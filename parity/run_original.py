"""The process that runs the original: `python -m parity.run_original REQUEST.json OUT`.

Started by `parity.capture`, which sets its environment and its limits. It writes `trace.json` and the
arrays of the oracle into OUT, and its outcome into `OUT/status.json`.
"""

from __future__ import annotations

import json
import os
import pathlib
import sys
from typing import Any

from parity import call as calls
from parity import frameworks as frameworks_lib
from parity import isolation, optimizer, source, trees, unit
from parity.errors import BadInputError
from parity.facts import Facts
from parity.frames import Frames
from parity.tracer import Tracer


def main(argv: list[str]) -> None:
    """Runs one request and writes the outcome, whatever it is."""
    request_file, out = argv[1:3]
    fields = json.loads(pathlib.Path(request_file).read_text())
    fields["specs"] = tuple(fields["specs"])
    isolation.leave_network()
    sys.argv = [fields["source"]]
    try:
        run(unit.Request(**fields), out)
        status: dict[str, Any] = {"ok": True}
    except BadInputError as error:
        retry = getattr(error, "retry", False)
        status = {"ok": False, "reason": error.reason, "file": error.file, "line": error.line, "retry": retry}
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
        "example": os.path.basename(request.example) if request.example else None,
        "inputs": trees.describe(list(inputs)),
        "outputs": trees.describe(outputs),
        "root": facts.root_id(),
        "optimizer": None if found is None else {"expression": found.expression, "line": found.line},
        "train_step": _overrides_train_step(loaded.model, frameworks),
        "objects": facts.objects(),
    }
    write_json(os.path.join(out, "trace.json"), trace)


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
