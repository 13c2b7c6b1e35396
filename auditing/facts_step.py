"""Writes the facts of one file: `facts_step FILE PATH OUT`, as a process or as a persistent worker."""

from __future__ import annotations

import pathlib
import sys
from collections.abc import Sequence

from auditing.facts import facts_of
from rules.tools import worker


def step(arguments: Sequence[str]) -> int:
    """Reads `FILE`, writes its facts to `OUT`; `PATH` is the file's name in them."""
    file, path, out = arguments
    pathlib.Path(out).write_text(facts_of(path, pathlib.Path(file).read_bytes()).to_json(), encoding="utf-8")
    return 0


def main(argv: Sequence[str]) -> int:
    """Runs one step, or serves until stdin ends."""
    return worker.run(step, argv)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
