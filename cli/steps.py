"""The command line of every step, and what its exit code means."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import shlex
from collections.abc import Sequence
from typing import Any

from cli import errors, mirror, process

#: Seconds that a step other than the user's own program may take.
_TOOL_TIMEOUT = 600.0
#: A rule takes seconds, one with many arguments a minute.
_CERTIFY_TIMEOUT = 3600.0


@dataclasses.dataclass(frozen=True)
class Request:
    """What the user asked to port, and how far to check it.

    Attributes:
      source: the file, absolute.
      shown: the file as the user named it.
      shown_example: the example file as the user named it.
      entry, inputs, call, example: what to run; all empty where nothing may be run.
      package_root: the folder that imports start from.
      level: how far to verify.
      keras: which Keras runs the original.
      timeout: seconds that the original may take.
      answers: the folder with recorded answers; None where they are not used.
      shown_answers: the folder as the user named it.
      rules: files with rules of the user's own.
    """

    source: pathlib.Path
    shown: str
    entry: str | None = None
    inputs: Sequence[str] = ()
    call: str | None = None
    example: pathlib.Path | None = None
    shown_example: str = ""
    package_root: pathlib.Path | None = None
    level: str = "step"
    keras: str = "auto"
    timeout: float = 600.0
    answers: pathlib.Path | None = None
    shown_answers: str = ""
    rules: Sequence[pathlib.Path] = ()

    @property
    def runs(self) -> bool:
        """Is the original to be run?"""
        return bool(self.entry or self.example)

    @property
    def root(self) -> pathlib.Path:
        """The folder that the file's imports start from."""
        return self.package_root or self.source.parent

    @property
    def stem(self) -> str:
        return self.source.stem


def _run(name: str, module: str, arguments: Sequence[str], timeout: float, request: Request) -> int:
    """Runs a step; exit code 2 becomes `BadInputError` with the step's own sentence."""
    try:
        finished = process.run(module, arguments, timeout, [request.root])
    except process.TimedOut:
        reason = f"the {name} step did not finish in {timeout:g} s; split the file, or give smaller inputs"
        raise errors.BadInputError(reason, request.shown) from None
    if finished.code == errors.BAD_INPUT:
        sentence = finished.sentence.replace(str(request.source), request.shown)
        if request.example:
            sentence = sentence.replace(str(request.example), request.shown_example)
        if request.answers:
            sentence = sentence.replace(str(request.answers), request.shown_answers)
        raise errors.BadInputError(sentence)
    if finished.code not in (errors.PORTED, errors.RESIDUALS, errors.CHECK_FAILED):
        raise errors.StepStopped(
            f"{request.shown}: the {name} step stopped (exit code {finished.code}), which is a fault of jaxport; "
            f"its last words:\n{finished.tail}"
        )
    return finished.code


def capture(request: Request, folder: pathlib.Path) -> None:
    """Runs the original; writes trace.json and oracle.safetensors."""
    # `--name=value` in one word: an expression may begin with a dash.
    arguments = [f"--source={request.source}", f"--out={folder}", f"--level={request.level}"]
    arguments += [f"--keras={request.keras}", f"--timeout={request.timeout}"]
    arguments += [f"--input={spec}" for spec in request.inputs]
    for flag in ("entry", "call", "example", "package_root"):
        value = getattr(request, flag)
        arguments += [f"--{flag}={value}"] if value else []
    # The step itself keeps to the time-out, once for each Keras that it tries.
    _run("capture", "parity.capture", arguments, 2 * request.timeout + _TOOL_TIMEOUT, request)


def certify(request: Request, folder: pathlib.Path) -> None:
    """Holds the user's own rules to TensorFlow. Raises `BadInputError` where one fails."""
    arguments = [*(f"--rules={path}" for path in request.rules), f"--out={folder}/rules.json"]
    code = _run("certify", "parity.rule_oracle.certify", arguments, _CERTIFY_TIMEOUT, request)
    if code != errors.PORTED:
        failed = read(folder / "rules.json")["rules"]
        rule = next(entry for entry in failed if entry["problems"])
        raise errors.BadInputError(
            f"the rule of {rule['symbol']} is not certified: {rule['problems'][0]}", rule["file"]
        )


def port(request: Request, folder: pathlib.Path) -> None:
    """Ports the source; writes <stem>_jax.py, weights_map.json and residuals.json."""
    arguments = [f"--source={request.source}", f"--out={folder}"]
    trace = folder / "trace.json"
    arguments += [f"--trace={trace}"] if trace.exists() else []
    arguments.append(f"--package_root={request.root}")
    arguments += [f"--rules={path}" for path in request.rules]
    if request.answers is None:
        _run("port", "codemods.port", arguments, _TOOL_TIMEOUT, request)
    else:
        arguments += [f"--answers={request.answers}", f"--command={ask_command(request)}"]
        _run("port", "agent.fill", arguments, _TOOL_TIMEOUT, request)


def plan(request: Request, folder: pathlib.Path) -> None:
    """Ports the source with the answers that there are, and writes plan.json."""
    arguments = [f"--source={request.source}", f"--out={folder}", f"--package_root={request.root}"]
    trace = folder / "trace.json"
    arguments += [f"--trace={trace}"] if trace.exists() else []
    arguments += [f"--rules={path}" for path in request.rules]
    arguments += [f"--answers={request.answers or folder / 'answers'}", f"--command={ask_command(request)}"]
    _run("plan", "agent.fill", [*arguments, f"--plan={folder}/plan.json"], _TOOL_TIMEOUT, request)


def ask_command(request: Request) -> str:
    """What a user types to have answers made anew."""
    return f"jaxport ask {shlex.quote(request.shown)} --answers {shlex.quote(request.shown_answers)} ..."


def verify(request: Request, folder: pathlib.Path) -> None:
    """Checks the port against the recorded original; writes certificate.json."""
    arguments = verify_arguments(request, folder, folder)
    _run("verify", "parity.verify", arguments, max(_TOOL_TIMEOUT, request.timeout), request)


def verify_arguments(request: Request, recorded: pathlib.Path, folder: pathlib.Path) -> list[str]:
    """The command line that checks the port in `folder` against what is recorded of the original in another."""
    files = {path: folder / written for written, path in linked_files(request, folder).items()}
    place = mirror.mirror(request.root, request.source, files, folder / "mirror")
    arguments = [f"--module={place}", f"--map={folder}/weights_map.json"]
    arguments += [f"--residuals={folder}/residuals.json", f"--trace={recorded}/trace.json"]
    oracle = recorded / "oracle.safetensors"
    arguments += [f"--oracle={oracle}"] if oracle.exists() else []
    arguments += [f"--level={request.level}", f"--out={folder}/certificate.json"]
    arguments += [f"--package_root={folder}/mirror"] if request.package_root else []
    return arguments


def linked_files(request: Request, folder: pathlib.Path) -> dict[str, str]:
    """Files of the port: as they were written below `folder`, and where they lie below the root."""
    alone = f"{request.stem}_jax.py"
    place = (request.source.parent.relative_to(request.root) / alone).as_posix()
    return read(folder / "weights_map.json").get("files") or {alone: place}


def report(request: Request, folder: pathlib.Path, out: pathlib.Path) -> None:
    """Writes report.html, report.json and report.sarif to `out`."""
    arguments = [f"--source={request.source}", f"--module={folder / request.stem}_jax.py"]
    arguments += [f"--{name}={folder / name}.json" for name in ("weights_map", "residuals", "certificate")]
    arguments += [f"--source_uri={request.shown}", f"--out={out}"]
    trace = folder / "trace.json"
    arguments += [f"--trace={trace}"] if trace.exists() else []
    _run("report", "report.report", arguments, _TOOL_TIMEOUT, request)


def read(path: pathlib.Path) -> dict[str, Any]:
    """The JSON that a step wrote."""
    return json.loads(path.read_text(encoding="utf-8"))
