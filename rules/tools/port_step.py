"""The build action that ports: names the outputs after the unit, and lets the build go on with residuals."""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import shutil
import sys
import tempfile
from collections.abc import Sequence

from agent import fill, plans, replay
from agent.errors import AnswerError
from codemods import port, rule_files
from codemods.rule_files import RuleFileError
from rules.tools import forking_worker, placed

_BAD_INPUT = 2


def main(argv: Sequence[str]) -> int:
    """Runs the action; returns 0 also where residuals are left, as they are listed in an output."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    placed.add_arguments(parser)
    parser.add_argument("--source", required=True, help="the original, by its name in the repository")
    parser.add_argument("--trace", type=os.path.abspath, help="trace.json, where the original was run")
    parser.add_argument("--answer", action="append", default=[], help="a recorded answer, by its name there")
    parser.add_argument("--rules", action="append", default=[], help="a file with rules, by its name there")
    parser.add_argument("--certificate", type=os.path.abspath, help="what came of certifying these rules")
    parser.add_argument("--ask", default="", help="the command that makes answers anew")
    for name in ("module", "weights_map", "residuals", "plan"):
        parser.add_argument(f"--{name}", type=os.path.abspath, required=True, help=f"where to write {name}")
    args = parser.parse_args(argv)
    forking_worker.write_to((args.module, args.weights_map, args.residuals, args.plan))
    trace = json.loads(pathlib.Path(args.trace).read_text(encoding="utf-8")) if args.trace else None
    with placed.folder(args) as root, tempfile.TemporaryDirectory(prefix="port-") as name:
        source, folder = pathlib.Path(args.source), pathlib.Path(name)
        try:
            rule_files.add(args.rules)
            unit = replay.Unit(source, trace, root)
            filled = fill.fill(unit, [pathlib.Path(a) for a in args.answer], args.ask)
            port.write(filled.port, source.stem, folder, {"answers": filled.spans()} if args.answer else {})
            plan = plans.dump(fill.plan(unit, filled))
        except (AnswerError, RuleFileError, port.BadSource) as error:
            print(error, file=sys.stderr)
            return _BAD_INPUT
        # Of files that are ported along with it, the others are units of their own: `jax_deps` has their ports.
        shutil.copyfile(folder / f"{source.stem}_jax.py", args.module)
        shutil.copyfile(folder / "residuals.json", args.residuals)
        pathlib.Path(args.plan).write_text(plan, encoding="utf-8")
        weights_map = json.loads((folder / "weights_map.json").read_text(encoding="utf-8"))
        weights_map["module"] = pathlib.Path(args.module).name
        text = json.dumps(weights_map, indent=2, ensure_ascii=False) + "\n"
        pathlib.Path(args.weights_map).write_text(text, encoding="utf-8")
    return 0


def prepare() -> None:
    """Imports what ports are made with."""
    import jax
    import optax
    from flax import nnx

    del jax, nnx, optax


if __name__ == "__main__":
    sys.exit(forking_worker.run(main, sys.argv[1:], prepare))
