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

from absl import flags

from codemods import port
from rules.tools import placed

_DONE = (0, 3)


def main(argv: Sequence[str]) -> int:
    """Runs the action; returns 0 also where residuals are left, as they are listed in an output."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    placed.add_arguments(parser)
    parser.add_argument("--source", required=True, help="the original, by its name in the repository")
    parser.add_argument("--trace", type=os.path.abspath, help="trace.json, where the original was run")
    for name in ("module", "weights_map", "residuals"):
        parser.add_argument(f"--{name}", type=os.path.abspath, required=True, help=f"where to write {name}")
    args = parser.parse_args(argv)
    with placed.folder(args), tempfile.TemporaryDirectory(prefix="port-") as name:
        folder = pathlib.Path(name)
        trace = [f"--trace={args.trace}"] if args.trace else []
        flags.FLAGS(["port", f"--source={args.source}", f"--out={folder}", "--package_root=.", *trace])
        # Of files that are ported along with it, the others are units of their own: `jax_deps` has their ports.
        code = port.main([])
        if code not in _DONE:
            return code
        shutil.copyfile(folder / f"{pathlib.Path(args.source).stem}_jax.py", args.module)
        shutil.copyfile(folder / "residuals.json", args.residuals)
        weights_map = json.loads((folder / "weights_map.json").read_text(encoding="utf-8"))
        weights_map["module"] = pathlib.Path(args.module).name
        text = json.dumps(weights_map, indent=2, ensure_ascii=False) + "\n"
        pathlib.Path(args.weights_map).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
