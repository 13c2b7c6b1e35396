"""The process that runs the original: `python -m parity.run_original REQUEST.json OUT`.

Started by `parity.capture`, which sets its environment and its limits. It writes `trace.json` and the
arrays of the oracle into OUT, and its outcome into `OUT/status.json`.
"""

from __future__ import annotations

import inspect
import json
import os
import pathlib
import sys
from typing import Any

from parity import call as calls
from parity import frameworks as frameworks_lib
from parity import isolation, optimizer, randomness, recording, source, trees, unit
from parity.errors import BadInputError
from parity.facts import Facts
from parity.frames import Frames
from parity.padding import with_padding
from parity.tracer import Tracer

#: In the message of TensorFlow where a dilated convolution has no gradient.
_NO_DILATION = "dilation rates larger than 1"


class NeedsOneDnnError(BadInputError):
    """TensorFlow's plain CPU kernels have no gradient of something that oneDNN's have."""


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
            "onednn": isinstance(error, NeedsOneDnnError),
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

    is_object = not any(hasattr(m, "__name__") or hasattr(m, "python_function") for m in calls.models(loaded.model))
    modules = {name for name, module in list(sys.modules.items()) if _is_user_module(module, tracer.frames)}
    facts = Facts(tracer, frameworks, loaded.model if is_object else None, modules)
    if not frameworks.legacy and (left_out := facts.left_out()) is not None:
        name, cls = left_out
        reason = f"Keras 3 does not train `self.{name}` of {cls.__qualname__}, a tf.Variable: make it with add_weight"
        raise unit.RunError(reason, inspect.getsourcefile(cls), inspect.getsourcelines(cls)[1])
    tree = source.parse(request.source)
    found = optimizer.find(tree, vars(loaded.module), frameworks)
    objects = facts.objects()
    loaded.inputs = with_padding(loaded.inputs, objects)
    trace = {
        "version": 1,
        "source": os.path.relpath(os.path.abspath(request.source), os.path.abspath(root)).replace(os.sep, "/"),
        "keras": frameworks.version,
        "onednn": _onednn(),
        "entry": request.entry or "model()",
        "call": loaded.call,
        "example_source": pathlib.Path(request.example).read_text(encoding="utf-8") if request.example else None,
        "example": os.path.basename(request.example) if request.example else None,
        "inputs": trees.describe(list(inputs)),
        "outputs": trees.describe(outputs),
        "root": facts.root_id(),
        "optimizer": None if found is None else {"expression": found.expression, "line": found.line},
        "train_steps": [],
        "objects": objects,
    }
    if request.level not in ("none", "shapes"):
        traced = recording.Traced(request, loaded, tree, outputs, tracer, facts, objects, found, watch)
        try:
            recorded, trace["train_steps"] = recording.record(traced, frameworks)
        except BadInputError as error:
            line = error.line or _line_of(loaded.model)
            raise BadInputError(error.reason, error.file or request.source, line) from error
        except frameworks.tf.errors.OpError as error:
            kind = NeedsOneDnnError if _NO_DILATION in str(error) and not _onednn() else BadInputError
            text = " ".join(error.message.split())[:200]
            reason = f"running or differentiating the original raised {type(error).__name__}: {text}"
            raise kind(reason, request.source, _line_of(loaded.model)) from error
        if _onednn():
            recorded.notes.append("the original ran with oneDNN, as TensorFlow has no other gradient of it on the CPU")
        recorded.write(os.path.join(out, "oracle.safetensors"))
    write_json(os.path.join(out, "trace.json"), trace)


def _onednn() -> bool:
    """Does TensorFlow compute with oneDNN, whose sums have another order on each kind of processor?"""
    return os.environ.get("TF_ENABLE_ONEDNN_OPTS") == "1"


def _line_of(model: Any) -> int | None:
    """Where the class or function under test is defined."""
    try:
        return inspect.getsourcelines(model if hasattr(model, "__code__") else type(model))[1]
    except (OSError, TypeError):
        return None


def _is_user_module(module: Any, frames: Frames) -> bool:
    file = getattr(module, "__file__", None)
    return isinstance(file, str) and frames.relative(file) is not None


def write_json(path: str, value: Any) -> None:
    """Writes JSON that is the same on every machine."""
    pathlib.Path(path).write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv)
