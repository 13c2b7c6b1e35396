"""`jaxport learn`: drafts playbook pages from files that people migrated by hand."""

from __future__ import annotations

import argparse
import pathlib
import subprocess
import tempfile
from collections import Counter

from agent import drafting, pairs
from cli import errors, outputs, paths, progress
from parity import source

NAME = "learn"
HELP = "draft playbook pages from pairs of files that were migrated by hand"

_EPILOG = """\
example:
  jaxport learn old/blocks.py new/blocks.py --out playbook/
  jaxport learn v1.4 main --file models/blocks.py --out playbook/

A page is drafted for each function at module level that both have, that rules do not port, and that needs nothing else of
its file. It is written where both give the same on some inputs: values, dtypes and gradients. `ask --playbook DIR` uses it
once a person has put a name to its `reviewed:` line.

exit codes: 0 pages were drafted, or there is nothing to learn; 2 bad input or usage, nothing written"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the flags."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _EPILOG
    parser.add_argument("old", metavar="OLD", help="the file before, or a git revision with --file")
    parser.add_argument("new", metavar="NEW", help="the file after, or a git revision with --file")
    parser.add_argument("--file", metavar="FILE.py", help="take this file of two git revisions")
    parser.add_argument("--out", metavar="DIR", required=True, help="the folder for the pages")
    parser.add_argument("--timeout", metavar="SECONDS", type=float, default=600.0, help="for running all pairs")


def run(args: argparse.Namespace) -> int:
    """Runs the command; returns its exit code."""
    from agent import learning  # the passes bring JAX along

    out = paths.typed(args.out)
    outputs.writable(out, f"--out {args.out}")
    shown = progress.Progress()
    with tempfile.TemporaryDirectory(prefix="jaxport-learn-") as name:
        folder = pathlib.Path(name)
        old, new = (_text(args, which, folder) for which in ("old", "new"))
        drafts, left_out = learning.drafts(old, new, pathlib.PurePath(args.file or args.old).name)
        tried: dict[pathlib.Path, tuple[learning.Draft, str]] = {}
        for number, draft in enumerate(drafts):
            for case, line in enumerate(draft.inputs):
                path = folder / f"{number:04}-{case:02}.md"
                path.write_text(draft.page(line), encoding="utf-8")
                tried[path] = (draft, draft.page(line))
        with shown.step("pairs", f"running {len(drafts)} functions in both frameworks"):
            problems = pairs.problems(list(tried), folder, args.timeout) if tried else {}
        contents: dict[pathlib.Path, str] = {}
        failed: dict[str, str] = {}
        taken = [path.name for path in out.glob("*.md")] if out.is_dir() else []
        for draft in drafts:
            pages = {page: problems[path] for path, (of, page) in tried.items() if of is draft}
            chosen = drafting.holding(list(pages.items()))
            if chosen is not None:
                contents[out / learning.file_name(draft.name, taken)] = chosen
            else:
                differing = [problem for problem in pages.values() if str(problem).startswith("on ")]
                failed[draft.name] = [*differing, *map(str, pages.values())][0] or ""
        outputs.write(contents, f"--out {args.out}")
    print(_said(contents, failed, left_out))
    return errors.PORTED


def _text(args: argparse.Namespace, which: str, folder: pathlib.Path) -> str:
    """One of the two texts. Raises `BadInputError`."""
    given = getattr(args, which)
    if args.file:
        command = ["git", "-C", str(paths.working_directory()), "show", f"{given}:./{args.file}"]
        shown = subprocess.run(command, capture_output=True, check=False)
        if shown.returncode:
            raise errors.BadInputError(
                f"git has no {args.file} in {given}: {shown.stderr.decode(errors='replace').strip()}"
            )
        path = folder / f"{which}.py"
        path.write_bytes(shown.stdout)
    else:
        path = paths.typed(given)
    try:
        source.parse(str(path))
    except errors.BadInputError as error:
        raise errors.BadInputError(error.reason, given, error.line) from None
    return path.read_text(encoding="utf-8")


def _said(contents: dict[pathlib.Path, str], failed: dict[str, str], left_out: Counter[str]) -> str:
    lines = [f"drafted     {paths.shown(path)}: review it, and put a name to `reviewed:`" for path in contents]
    lines += [f"not drafted {name}: {problem}" for name, problem in failed.items()]
    lines += [f"left out    {count}: {reason}" for reason, count in sorted(left_out.items())]
    return "\n".join(lines or ["there is no function that both files have and that uses TensorFlow in the old one"])
