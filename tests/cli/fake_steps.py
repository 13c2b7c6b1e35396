"""Stands in for the steps, so that the command around them is tested without TensorFlow."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Callable, Sequence

from cli import process

MODULE = "import jax\n"


class FakeSteps:
    """Replaces `process.run`; answers as the steps would and remembers what was asked.

    Attributes:
      calls: (module, {flag: value}) of every step that ran.
      residuals: the residuals that the port leaves.
      verdict: what verify finds.
      on_verify: called with verify's flags while its files are there.
      failing: the step that refuses its input, and its sentence.
    """

    def __init__(self):
        self.calls: list[tuple[str, dict[str, str]]] = []
        self.residuals: list[dict] = []
        self.verdict = "verified"
        self.failing: tuple[str, str] | None = None
        self.module = MODULE
        self.on_verify: Callable[[dict[str, str]], None] = lambda flags: None

    def __call__(
        self, module: str, arguments: Sequence[str], timeout: float | None, also: Sequence[pathlib.Path]
    ) -> process.Finished:
        del timeout, also
        flags = dict(word.removeprefix("--").split("=", 1) for word in arguments)
        self.calls.append((module, flags))
        if self.failing and self.failing[0] == module:
            return process.Finished(2, "a warning\n" + self.failing[1] + "\n")
        getattr(self, module.rpartition(".")[2])(flags)
        code = {"codemods.port": 3 if self.residuals else 0, "parity.verify": 4 if self.verdict == "failed" else 0}
        return process.Finished(code.get(module, 0), "")

    def capture(self, flags: dict[str, str]) -> None:
        out = pathlib.Path(flags["out"])
        _write(out / "trace.json", {"version": 1, "source": "m.py", "keras": "3.15.1", "objects": []})
        (out / "oracle.safetensors").write_bytes(b"")

    def port(self, flags: dict[str, str]) -> None:
        out, stem = pathlib.Path(flags["out"]), pathlib.Path(flags["source"]).stem
        (out / f"{stem}_jax.py").write_text(self.module)
        _write(out / "weights_map.json", {"version": 1, "module": f"{stem}_jax.py", "optimizer": None, "weights": []})
        _write(
            out / "residuals.json",
            {
                "version": 1,
                "residuals": self.residuals,
                "notes": [],
                "functions": {"total": 2, "ported": 1 if self.residuals else 2},
                "lines": {"in": 10, "out": 12},
            },
        )

    def verify(self, flags: dict[str, str]) -> None:
        self.on_verify(flags)
        check = {
            "level": "forward", "name": "seed 0: output", "max_abs": 1e-7, "max_rel": 2e-7, "tolerance": 3e-6,
            "passed": self.verdict == "verified", "detail": "",
        }  # fmt: skip
        certificate = {
            "version": 1, "unit": "m", "verdict": self.verdict, "asked": flags["level"],
            "reached": flags["level"], "keras": "3.15.1", "optimizer": None,
            "checks": [check], "residuals": [], "notes": [{"note": "of the checks"}],
            "oracle": {"mutants": 3, "caught": 3},
        }  # fmt: skip
        _write(pathlib.Path(flags["out"]), certificate)

    def report(self, flags: dict[str, str]) -> None:
        out = pathlib.Path(flags["out"])
        out.mkdir()
        for name in ("report.html", "report.json", "report.sarif"):
            (out / name).write_text(name)


def _write(path: pathlib.Path, value: dict) -> None:
    path.write_text(json.dumps(value))
