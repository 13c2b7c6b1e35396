"""The build action that runs the original and records what it does."""

from __future__ import annotations

import argparse
import os
import pathlib
import sys
from collections.abc import Sequence

from parity import capture, frameworks, isolation
from rules.tools import forking_worker, placed

_OUTPUTS = ("trace.json", "oracle.safetensors")
#: What the original is run with at first: `capture.capture` tries Keras 3 before tf_keras, and without oneDNN.
_FIRST = {"TF_USE_LEGACY_KERAS": "0", "TF_ENABLE_ONEDNN_OPTS": "0"}


def main(argv: Sequence[str]) -> int:
    """Runs the action; returns the exit code of the capture."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    placed.add_arguments(parser)
    parser.add_argument("--out", required=True, help="the folder for trace.json and oracle.safetensors")
    args, rest = parser.parse_known_args(argv)
    out = os.path.abspath(args.out)
    forking_worker.write_to(os.path.join(out, name) for name in _OUTPUTS)
    with placed.folder(args):
        code = capture.main([f"--out={out}", "--package_root=.", *rest])
    # Low levels need no recorded numbers, but a declared output has to be there.
    if code == 0:
        pathlib.Path(out, "oracle.safetensors").touch()
    return code


def prepare() -> None:
    """Imports what runs most originals."""
    isolation.prepare("parity.run_original", _FIRST)
    frameworks.load()


if __name__ == "__main__":
    sys.exit(forking_worker.run(main, sys.argv[1:], prepare))
