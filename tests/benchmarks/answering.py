"""What answers cost: replay, tokens, the time to a certified answer, and how much needs none.

    ./bazelw run //tests/benchmarks:answering

The service is a script on loopback, so its own time is not in any figure, and nothing here says how good a model is.
"""

from __future__ import annotations

import ast
import json
import os
import pathlib
import statistics
import tempfile
import time

from agent import answers, budget, config, fill, planning
from agent.asking import Asking
from agent.client import Client
from agent.replay import Unit, replay
from agent.trials import Trials
from cli import steps
from tests.agent import made
from tests.agent.service import Service, Turn

_ROOT = pathlib.Path(__file__).absolute().parents[2]
_UNKNOWN = "tf.raw_ops.Cumsum(x=x, axis=0, exclusive=True)"


def replayed(count: int, folder: pathlib.Path) -> float:
    """Seconds to read, check and apply so many answers to one file."""
    model = folder / "many.py"
    functions = "".join(f"\n\ndef f{i}(x):\n    return {_UNKNOWN}\n" for i in range(count))
    model.write_text(f"import tensorflow as tf\n{functions}", encoding="utf-8")
    unit = Unit(model, None, None)
    raw = made.reply(_UNKNOWN, "jnp.cumsum(x, axis=0) - x")
    given = [made.answer(asked.request, raw) for asked in replay(unit, {}).open]
    written = answers.write(folder / "answers", given)
    started = time.perf_counter()
    result = fill.fill(unit, sorted(written), "ask")
    seconds = time.perf_counter() - started
    assert len(result.applied) == count and not result.port.unit.residuals
    return seconds


def tokens() -> list[tuple[int, int]]:
    """Input and output tokens of one try, estimated, at each place of the golden cases that is left."""
    found = []
    for path in sorted((_ROOT / "tests/passes").glob("*/in.py")):
        unit = Unit(path, None, None)
        result = replay(unit, {})
        found += [(i.input_tokens, i.output_tokens) for i in planning.planned(result, unit.sources(result.port)).items]
    return found


def certified(folder: pathlib.Path) -> tuple[float, float]:
    """Seconds to record an original on TensorFlow, and from its residual to an answer that is verified to gradients."""
    unit = steps.Request(
        made.MODEL, "model.py", "Net()", ["float32[4,5]"], package_root=made.MODEL.parent, level="gradients"
    )
    started = time.perf_counter()
    steps.capture(unit, folder)
    recorded = time.perf_counter()
    os.environ.setdefault("GEMINI_API_KEY", "none")
    with Service([Turn(made.reply())]) as service:
        sending = config.Sending(model="scripted")
        settings = config.Config(service=config.Service(base_url=service.url), request=sending)
        client = Client(settings, budget.Budget(config.Limits()))
        outcome = Asking(Trials(unit, folder, 300), client, 1).run([])
    assert outcome.verified == "gradients"
    return recorded - started, time.perf_counter() - recorded


def share() -> tuple[int, int]:
    """Functions and classes that rules alone port, and all: of the bundled units, and of the scoreboard's files."""
    bundled = [path for path in (_ROOT / "migrate").glob("*.py") if path.with_name(f"{path.stem}_jax.py").exists()]
    nodes = [node for path in bundled for node in ast.parse(path.read_text(encoding="utf-8")).body]
    ported = total = sum(isinstance(node, ast.ClassDef | ast.FunctionDef) for node in nodes)
    for entry in json.loads((_ROOT / "tests/benchmarks/scoreboard.json").read_text(encoding="utf-8")).values():
        ported, total = ported + entry["ported"], total + entry["functions"]
    return ported, total


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="answering-") as name:
        folder = pathlib.Path(name)
        ported, total = share()
        print(f"need no model        {ported} of {total} functions and classes ({ported / total:.0%})")
        found = tokens()
        means = [statistics.mean(column) for column in zip(*found, strict=True)]
        print(
            f"tokens per residual  {means[0]:.0f} in, {means[1]:.0f} out, over {len(found)} places; estimated, one try"
        )
        recording, seconds = certified(folder)
        print(f"certified answer     {seconds:.1f} s from the residual, after {recording:.1f} s to record the original")
        print(f"replay               1000 answers in {replayed(1000, folder):.1f} s")


if __name__ == "__main__":
    main()
