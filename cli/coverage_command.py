"""`jaxport coverage`: what of some files will port, before anything is run or written."""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import sys
from collections.abc import Iterator

from cli import errors, paths, progress
from parity import source

NAME = "coverage"
HELP = "say what of some files will port, by symbol and by function; runs and writes nothing"

_EPILOG = """\
example:
  jaxport coverage models/ train.py

A class or function will port whole, is blocked (each place is listed with its reason), or is open:
then shapes decide that only a run of the original tells (`jaxport port` with --entry and --input).

exit codes: 0; 2 where a file can't be read, with one sentence for each; the others are judged all the same"""

_SKIPPED = ("__pycache__", "node_modules", "bazel-")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the flags."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _EPILOG
    parser.add_argument("paths", metavar="FILE_OR_DIR", nargs="+", help="files, and folders of which all *.py is read")
    parser.add_argument(
        "--quick", action="store_true", help="go by symbols and keywords alone: many times faster, and less true"
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def run(args: argparse.Namespace) -> int:
    """Runs the command; returns its exit code."""
    # The passes bring JAX along, which no other command has to wait for.
    from codemods.coverage.judged import Judged, judge, names_framework
    from codemods.coverage.text import render
    from codemods.coverage.tree import Report

    files = sorted({file for path in args.paths for file in _files(path)})
    judged: list[Judged] = []
    failures: list[str] = []
    faults: list[str] = []
    others = 0
    shown = progress.Progress(quiet=len(files) < 2)
    with shown.step("coverage", f"reading {len(files)} files"):
        for file in files:
            name = paths.shown(file)
            try:
                tree = source.parse(str(file))
                if not names_framework(tree):
                    others += 1
                    continue
                text = file.read_text(encoding="utf-8-sig")
                try:
                    judged.append(judge(text, name, args.quick))
                except Exception as e:  # a fault of ours must not keep the rest from being judged
                    failure = " ".join(str(e).split())[:200]
                    faults.append(
                        f"{name}: the passes stopped, a fault of jaxport ({type(e).__name__}: {failure}); judged by symbols"
                    )
                    judged.append(judge(text, name, quick=True))
            except errors.BadInputError as e:
                failures.append(str(errors.BadInputError(e.reason, name, e.line)))
    report = Report(tuple(judged), others, tuple(failures))
    if args.json:
        print(json.dumps(report.to_json(), indent=1, sort_keys=True))
    else:
        print(render(report), end="")
    for sentence in [*faults, *failures]:
        print(sentence, file=sys.stderr)
    return errors.BAD_INPUT if failures else 0


def _files(path: str) -> Iterator[pathlib.Path]:
    """The Python files that a path stands for."""
    found = paths.typed(path)
    if found.is_file():
        yield found
    elif found.is_dir():
        for folder, folders, names in os.walk(found):
            folders[:] = sorted(f for f in folders if not f.startswith((".", *_SKIPPED)))
            yield from (pathlib.Path(folder, name) for name in sorted(names) if name.endswith(".py"))
    else:
        raise errors.BadInputError("there is no such file or folder", path)
