"""The build action that applies users' codemods to one file."""

from __future__ import annotations

import argparse
import os
import pathlib
import sys
from collections.abc import Sequence

from codemods.user.apply import apply
from codemods.user.errors import CodemodError
from rules.tools import placed

_BAD_INPUT = 2


def main(argv: Sequence[str]) -> int:
    """Runs the action; 2 where a codemod can't be used."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    placed.add_arguments(parser)
    parser.add_argument("--code", type=os.path.abspath, required=True, help="the file to rewrite")
    parser.add_argument("--name", required=True, help="its name in the repository")
    parser.add_argument("--codemod", action="append", required=True, help="a file with codemods, by its name there")
    parser.add_argument("--out", type=os.path.abspath, required=True, help="where to write the file")
    args = parser.parse_args(argv)
    code = pathlib.Path(args.code).read_text(encoding="utf-8")
    with placed.folder(args):
        try:
            code = apply(code, args.name, args.codemod)
        except CodemodError as error:
            print(error, file=sys.stderr)
            return _BAD_INPUT
    pathlib.Path(args.out).write_text(code, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
