"""The build action that certifies users' own rules."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from parity.rule_oracle import certify
from rules.tools import placed


def main(argv: Sequence[str]) -> int:
    """Runs the action; returns its exit code."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    placed.add_arguments(parser)
    parser.add_argument("--rules", action="append", required=True, help="a file with rules, by its name there")
    parser.add_argument("--out", type=os.path.abspath, required=True, help="where to write the certificate")
    args = parser.parse_args(argv)
    with placed.folder(args):
        return certify.main([*(f"--rules={file}" for file in args.rules), f"--out={args.out}"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
