"""Sets the files of a build step up by their names in the repository.

A step runs in a folder with nothing but its own files in it, so that paths in what it writes are
those of the repository on every machine, and only declared files are there.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pathlib
import shutil
import sys
import tempfile
from collections.abc import Iterator


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the flags that places.bzl gives."""
    parser.add_argument("--place", action="append", default=[], help="FILE=NAME: a file and its name in the repository")
    parser.add_argument("--import_path", action="append", default=[], help="a folder of the repository to import from")
    parser.add_argument("--external_path", action="append", default=[], help="a folder outside it to import from")


@contextlib.contextmanager
def folder(args: argparse.Namespace) -> Iterator[pathlib.Path]:
    """Works in a folder with copies of the files, from which they can be imported; gone at the end.

    Paths relative to the folder before have to be made absolute first.
    """
    before, search_path = os.getcwd(), list(sys.path)
    external = [os.path.abspath(path) for path in args.external_path if os.path.exists(path)]
    with tempfile.TemporaryDirectory(prefix="unit-") as name:
        root = pathlib.Path(name).resolve()
        for place in args.place:
            file, _, target = place.partition("=")
            (root / target).parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if os.path.isdir(file) else shutil.copyfile
            copy(file, root / target)
        # Last: a unit's `random.py` must not stand in for Python's.
        sys.path += [str(root), *(str(root / path) for path in args.import_path), *external]
        os.chdir(root)
        try:
            yield root
        finally:
            os.chdir(before)
            sys.path[:] = search_path
