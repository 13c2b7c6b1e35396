"""The build action that certifies: a check that fails is a verdict, not a failed build."""

from __future__ import annotations

import argparse
import os
import pathlib
import sys
from collections.abc import Sequence

from cli import errors, outputs
from rules.tools import certify, forking_worker, placed


def main(argv: Sequence[str]) -> int:
    """Runs the action; returns 0 where there is a certificate."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    placed.add_arguments(parser)
    parser.add_argument("--unit", required=True)
    parser.add_argument("--level", required=True)
    parser.add_argument("--module", required=True, help="the port, by its name in the repository")
    for name in ("weights_map", "residuals", "out"):
        parser.add_argument(f"--{name}", type=os.path.abspath, required=True)
    for name in ("trace", "oracle"):
        parser.add_argument(f"--{name}", type=os.path.abspath)
    args = parser.parse_args(argv)
    forking_worker.write_to((args.out,))
    try:
        with placed.folder(args):
            found = certify.certify(
                args.unit, args.level, args.module, args.weights_map, args.residuals, args.trace, args.oracle
            )
    except (errors.BadInputError, OSError, ValueError) as e:
        print(e, file=sys.stderr)
        return errors.BAD_INPUT
    pathlib.Path(args.out).write_text(outputs.dump(found), encoding="utf-8")
    return 0


def prepare() -> None:
    """Imports what checks are made with."""
    from parity import verify

    del verify


if __name__ == "__main__":
    sys.exit(forking_worker.run(main, sys.argv[1:], prepare))
