"""Makes a lock as a repository of its own would have it: `own_lock.py LOCK OUT`, LOCK being jaxport's.

It is LOCK without what only jaxport's own tests need.
"""

from __future__ import annotations

import pathlib
import re
import sys

_OF_TESTS = ("hypothesis", "mypy", "portpicker", "ruff")


def main(argv: list[str]) -> None:
    """Reads one, writes the other."""
    text = pathlib.Path(argv[1]).read_text(encoding="utf-8")
    for name in _OF_TESTS:
        text = re.sub(rf"(?m)^{name}==[^\n]*\\\n(?:[ \t].*\n)*", "", text)
    pathlib.Path(argv[2]).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv)
