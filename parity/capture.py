"""Runs the TensorFlow original and records what the port must do: `trace.json` and `oracle.safetensors`.

    python -m parity.capture --source mnist_cnn.py --entry 'MnistCNN()' --input 'float32[8,28,28,1]' --out DIR

This process imports no TensorFlow: it checks the file, runs the original in a process with limits,
and puts the files in place once all went well. Exit codes: 0, and 2 for bad input.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import pathlib
import shutil
import sys
import tempfile
from collections.abc import Sequence

from parity import call, inputs, isolation, source
from parity.errors import BadInputError
from parity.unit import Request

LEVELS = ("none", "shapes", "forward", "gradients", "step", "trajectory")
_OUTPUTS = ("trace.json", "oracle.safetensors")


def capture(request: Request, out: str, keras: str = "auto", timeout: float = 600) -> None:
    """Writes trace.json and oracle.safetensors into a folder.

    Args:
      request: the original and what to record of it.
      out: the folder; made if it isn't there. Nothing is written unless all goes well.
      keras: `3`, `legacy` (tf_keras), or `auto`: the first of the two that the original runs on.
      timeout: seconds for the run of the original.

    Raises:
      BadInputError: the original can't be captured; one sentence with file and line.
    """
    source.check(request.source)
    if request.example is not None:
        source.parse(request.example)
    else:
        inputs.SpecInputs(request.specs)
    for what, expression in (("--entry", request.entry), ("--call", request.call)):
        if expression is not None:
            call.check(what, expression)
    source.module_name(request.source, request.package_root)
    first_error: BadInputError | None = None
    attempts = [(legacy, False) for legacy in {"auto": (False, True), "3": (False,), "legacy": (True,)}[keras]]
    while attempts:
        legacy, onednn = attempts.pop(0)
        with tempfile.TemporaryDirectory(prefix="capture-") as folder:
            try:
                _run(request, folder, legacy, onednn, timeout)
            except BadInputError as error:
                first_error = first_error or error
                if getattr(error, "onednn", False):
                    attempts = [(legacy, True)]
                elif not getattr(error, "retry", False):
                    break
                continue
            os.makedirs(out, exist_ok=True)
            for name in _OUTPUTS:
                if os.path.exists(os.path.join(folder, name)):
                    shutil.copyfile(os.path.join(folder, name), os.path.join(out, name))
            return
    assert first_error is not None
    raise first_error


def _run(request: Request, folder: str, legacy: bool, onednn: bool, timeout: float) -> None:
    request_file = os.path.join(folder, "request.json")
    pathlib.Path(request_file).write_text(json.dumps(dataclasses.asdict(request)))
    environment = {"TF_USE_LEGACY_KERAS": "1" if legacy else "0", "TF_ENABLE_ONEDNN_OPTS": "1" if onednn else "0"}
    try:
        code, stderr = isolation.run_limited("parity.run_original", [request_file, folder], environment, timeout)
    except TimeoutError as error:
        raise BadInputError(f"running the original {error}; give --timeout more", request.source) from None
    status_file = pathlib.Path(folder, "status.json")
    if not status_file.exists():
        raise BadInputError(f"running the original {isolation.ending(code, stderr)}", request.source)
    status = json.loads(status_file.read_text())
    if not status["ok"]:
        failed = BadInputError(status["reason"], status["file"], status["line"])
        failed.retry = status["retry"]  # type: ignore[attr-defined]
        failed.onednn = status["onednn"]  # type: ignore[attr-defined]
        raise failed


def parser() -> argparse.ArgumentParser:
    """The command line."""
    flags = argparse.ArgumentParser(prog="capture", description=__doc__.splitlines()[0], allow_abbrev=False)
    flags.add_argument("--source", required=True, help="the file to capture")
    flags.add_argument("--package_root", help="folder that the file's package lies in")
    flags.add_argument("--entry", help="expression over the module's names: the object or function to call")
    flags.add_argument("--input", action="append", default=[], help="float32[8,28,28,1] or int32[8,64]{0..999}")
    flags.add_argument("--example", help="a file with model() and inputs(seed), instead of --entry and --input")
    flags.add_argument("--call", help="expression over `model` and `inputs`")
    flags.add_argument("--keras", choices=("auto", "3", "legacy"), default="auto")
    flags.add_argument("--level", choices=LEVELS, default="step")
    flags.add_argument("--timeout", type=float, default=600)
    flags.add_argument("--out", required=True, help="folder for the two files")
    return flags


def main(argv: Sequence[str] | None = None) -> int:
    """The program; returns its exit code."""
    options = parser().parse_args(argv)
    try:
        if (options.entry is None) == (options.example is None):
            raise BadInputError("give either --entry and --input, or --example")
        request = Request(
            source=options.source,
            package_root=options.package_root,
            entry=options.entry,
            specs=tuple(options.input),
            example=options.example,
            call=options.call,
            level=options.level,
        )
        capture(request, options.out, options.keras, options.timeout)
    except BadInputError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
