"""The build action that runs the original and records what it does."""

from __future__ import annotations

import argparse
import os
import pathlib
import sys
from collections.abc import Sequence

from parity import capture
from rules.tools import placed


def main(argv: Sequence[str]) -> int:
    """Runs the action; returns the exit code of the capture."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    placed.add_arguments(parser)
    parser.add_argument("--out", required=True, help="the folder for trace.json and oracle.safetensors")
    args, rest = parser.parse_known_args(argv)
    out = os.path.abspath(args.out)
    with placed.folder(args):
        code = capture.main([f"--out={out}", "--package_root=.", *rest])
    # Low levels need no recorded numbers, but a declared output has to be there.
    if code == 0:
        pathlib.Path(out, "oracle.safetensors").touch()
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
