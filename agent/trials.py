"""Tries answers out: ports and verifies with them, in the sandbox."""

from __future__ import annotations

import json
import pathlib
import tempfile
from collections.abc import Iterable, Mapping
from typing import Any

from agent import answers as recorded
from agent import sandbox
from agent.errors import EditError
from agent.records import Answer, State
from cli import errors, steps, summary

_SHOWN_FAILURES = 5


class Trials:
    """One unit, whose original was run, with this answer or that.

    Attributes:
      tied: what the sandbox could keep the steps from; False for what it once could not.
    """

    def __init__(self, request: steps.Request, folder: pathlib.Path, timeout: float):
        """`folder` holds what was recorded of the original; trials are made below it. `timeout`: seconds for each."""
        self.request, self.folder, self.timeout = request, folder, timeout
        self.tied = {"network": True, "files": True}

    def port(self, answers: Iterable[Answer]) -> tuple[State, pathlib.Path]:
        """What a port with these answers comes to, and the folder that it is in.

        Raises:
          EditError: porting does not end, or ends as it should not.
          BadInputError: the source can't be ported, whatever the answers are.
        """
        place = pathlib.Path(tempfile.mkdtemp(prefix="trial-", dir=self.folder))
        (place / "answers").mkdir()
        recorded.write(place / "answers", answers)
        arguments = [f"--source={self.request.source}", f"--package_root={self.request.root}", f"--out={place}"]
        arguments += [f"--answers={place}/answers", f"--state={place}/state.json"]
        arguments += [f"--rules={path}" for path in self.request.rules]
        trace = self.folder / "trace.json"
        arguments += [f"--trace={trace}"] if trace.exists() else []
        done = self._run("agent.fill", arguments, place, "port")
        if done.code == errors.BAD_INPUT:
            raise errors.BadInputError(done.sentence.replace(str(self.request.source), self.request.shown))
        if done.code not in (errors.PORTED, errors.RESIDUALS):
            raise EditError("port", f"porting with it stopped: {done.sentence}")
        return State.model_validate_json((place / "state.json").read_text(encoding="utf-8")), place

    def verify(self, place: pathlib.Path) -> dict[str, Any]:
        """The certificate of a port without residuals.

        Raises:
          EditError: a check failed; the text says which, and by how much.
        """
        arguments = steps.verify_arguments(self.request, self.folder, place)
        done = self._run("parity.verify", arguments, place, "verify")
        if done.code not in (errors.PORTED, errors.CHECK_FAILED):
            raise EditError("verify", f"comparing it with the original stopped: {done.sentence}")
        certificate = json.loads((place / "certificate.json").read_text(encoding="utf-8"))
        if certificate["verdict"] != "verified":
            raise EditError("verify", _failures(certificate).replace(f"{place}/mirror/", ""))
        return certificate

    def _run(self, module: str, arguments: list[str], place: pathlib.Path, check: str) -> sandbox.Confined:
        done = sandbox.run(module, arguments, place, self.timeout, [self.request.root])
        self.tied = {name: held and done.tied[name] for name, held in self.tied.items()}
        if done.code is None:
            raise EditError(check, f"it did not end within {self.timeout:g} s")
        if done.code < 0:
            raise EditError(check, f"it was ended by signal {-done.code}: out of memory or of processor time")
        return done


def _failures(certificate: Mapping[str, Any]) -> str:
    failed = [summary.check_line(check) for check in certificate["checks"] if not check["passed"]]
    more = [f"and {len(failed) - _SHOWN_FAILURES} more"] if len(failed) > _SHOWN_FAILURES else []
    return "\n".join([*failed[:_SHOWN_FAILURES], *more])
