"""The build action that runs the original: sets its files up by their names in the repository, then captures.

The original runs in a folder with nothing but its own files in it, so that paths in what is recorded
are those of the repository on every machine, and only declared files are there.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pathlib
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence

from parity import capture


@contextlib.contextmanager
def placed(places: Sequence[str]) -> Iterator[pathlib.Path]:
    """A folder with copies of files, `FILE=NAME` each; gone at the end."""
    with tempfile.TemporaryDirectory(prefix="original-") as name:
        root = pathlib.Path(name).resolve()
        for place in places:
            file, _, target = place.partition("=")
            (root / target).parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if os.path.isdir(file) else shutil.copyfile
            copy(file, root / target)
        yield root


def main(argv: Sequence[str]) -> int:
    """Runs the action; returns the exit code of the capture."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--place", action="append", default=[], help="FILE=NAME: a file and its name in the repository")
    parser.add_argument("--import_path", action="append", default=[], help="a folder of the repository to import from")
    parser.add_argument("--external_path", action="append", default=[], help="a folder outside it to import from")
    parser.add_argument("--out", required=True, help="the folder for trace.json and oracle.safetensors")
    args, rest = parser.parse_known_args(argv)
    out = os.path.abspath(args.out)
    external = [os.path.abspath(path) for path in args.external_path if os.path.exists(path)]
    with placed(args.place) as root:
        os.chdir(root)
        sys.path[:0] = [str(root), *(str(root / path) for path in args.import_path), *external]
        code = capture.main([f"--out={out}", "--package_root=.", *rest])
        os.chdir(out)
    # Low levels need no recorded numbers, but a declared output has to be there.
    if code == 0:
        pathlib.Path(out, "oracle.safetensors").touch()
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
