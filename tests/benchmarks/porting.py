"""Porting against tf_upgrade_v2 and LibCST's own codemods, on the units of migrate/.

Run with `./bazelw run //tests/benchmarks:porting`. Every tool has a process of its own, imports are left out,
and what counts is the process's CPU time: the best of several rounds, after one that warms caches. The files are
ported without traces. Memory is the peak of a process (`ru_maxrss`), and how much of it came after the imports.
"""

from __future__ import annotations

import gc
import io
import json
import os
import pathlib
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from absl import app, flags

_TOOL = flags.DEFINE_string("tool", None, "Measures this tool alone, and prints JSON.")
_ROUNDS = flags.DEFINE_integer("rounds", 3, "Measured rounds over all files.")

_ROOT = pathlib.Path(__file__).parents[2] / "migrate"
_OURS = "codemods.port"


def sources() -> dict[str, str]:
    """The units, by file name."""
    paths = [path for path in sorted(_ROOT.glob("*.py")) if not path.stem.endswith(("_jax", "_example"))]
    return {path.name: path.read_text(encoding="utf-8") for path in paths}


def _port() -> Callable[[str, str], object]:
    from codemods.port import Port

    def run(name: str, source: str) -> object:
        return Port(source, name, None)

    return run


def _tf_upgrade_v2() -> Callable[[str, str], object]:
    from tensorflow.tools.compatibility import ast_edits, tf_upgrade_v2

    def run(name: str, source: str) -> object:
        upgrader = ast_edits.ASTCodeUpgrader(tf_upgrade_v2.TFAPIChangeSpec())
        return upgrader.process_opened_file(name, io.StringIO(source), name, io.StringIO())

    return run


def _libcst_rename() -> Callable[[str, str], object]:
    from libcst.codemod import CodemodContext, TransformSuccess, transform_module
    from libcst.codemod.commands.rename import RenameCommand

    def run(name: str, source: str) -> object:
        context = CodemodContext(filename=name)
        command = RenameCommand(context, "tensorflow.reduce_mean", "jax.numpy.mean")
        result = transform_module(command, source)
        if not isinstance(result, TransformSuccess):
            raise RuntimeError(f"{name}: {result}")
        return result

    return run


_TOOLS: dict[str, Callable[[], Callable[[str, str], object]]] = {
    _OURS: _port,
    "tf_upgrade_v2": _tf_upgrade_v2,
    "libcst RenameCommand": _libcst_rename,
}


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(tool: str, rounds: int) -> dict[str, Any]:
    """Lines per second of CPU time, and memory, of one tool in this process."""
    run = _TOOLS[tool]()
    gc.freeze()  # as codemods.port does when it starts; every tool is better off
    imported = _peak_mib()
    files = sources()

    def once() -> float:
        gc.collect()
        start = time.process_time()
        for name, source in files.items():
            run(name, source)
        return time.process_time() - start

    first = once()
    best = min(once() for _ in range(rounds))
    lines = sum(len(source.splitlines()) for source in files.values())
    return {
        "files": len(files),
        "lines": lines,
        "first": lines / first,
        "speed": lines / best,
        "peak": _peak_mib(),
        "above_imports": _peak_mib() - imported,
    }


def _measured_apart(tool: str) -> dict[str, Any]:
    env = os.environ | {"JAX_PLATFORMS": "cpu", "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, __file__, f"--tool={tool}", f"--rounds={_ROUNDS.value}"]
    done = subprocess.run(command, env=env, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def main(argv: list[str]) -> None:
    del argv
    if _TOOL.value is not None:
        print(json.dumps(measure(_TOOL.value, _ROUNDS.value)))
        return
    found = {tool: _measured_apart(tool) for tool in _TOOLS}
    ours = found[_OURS]
    print(f"{ours['files']} files, {ours['lines']} lines; CPU time, imports left out, best of {_ROUNDS.value} rounds")
    print(f"{'':24}{'lines/s':>10}{'first round':>13}{'peak MiB':>10}{'above imports':>15}")
    for tool, figures in found.items():
        speeds = f"{figures['speed']:>10.0f}{figures['first']:>13.0f}"
        print(f"{tool:24}{speeds}{figures['peak']:>10.0f}{figures['above_imports']:>15.0f}")
    for tool, figures in found.items():
        if tool != _OURS:
            print(
                f"{_OURS} / {tool}: speed {ours['speed'] / figures['speed']:.3f}, memory {ours['peak'] / figures['peak']:.2f}"
            )


if __name__ == "__main__":
    app.run(main)
