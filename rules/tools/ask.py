"""`bazel run :NAME.ask`: gets answers to what no rule knows of a unit, checks them, and records them beside it.

By the time this runs, Bazel has recorded the original. Flags go after `--`: `--models own` asks a model service,
`--prompts_dir DIR` exchanges prompts and replies as files.
"""

from __future__ import annotations

import argparse
import pathlib
import shutil
import sys
import tempfile
from collections.abc import Sequence

from cli import ask_command, errors, mirror, paths, steps
from rules.tools import unit_files


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bazel run :NAME.ask --", allow_abbrev=False)
    parser.add_argument("manifest", help=argparse.SUPPRESS)
    parser.add_argument("--answers", metavar="DIR", help="the folder to keep answers in; by default the unit's own")
    ask_command.add_asking_arguments(parser)
    parser.description = __doc__.splitlines()[0]
    return parser.parse_args(argv)


def main(argv: Sequence[str]) -> int:
    """Runs the program; returns its exit code."""
    args = _arguments(argv)
    unit = unit_files.read(args.manifest)
    try:
        workspace = paths.workspace_directory()
        with tempfile.TemporaryDirectory(prefix="jaxport-ask-") as name:
            return _ask(args, unit, workspace, pathlib.Path(name).resolve())
    except (errors.BadInputError, RuntimeError) as e:
        print(e, file=sys.stderr)
        return errors.BAD_INPUT
    except KeyboardInterrupt:
        print("interrupted; what was paid for is kept, and the next run goes on with it", file=sys.stderr)
        return 130


def _ask(args: argparse.Namespace, unit: unit_files.UnitFiles, workspace: pathlib.Path, place: pathlib.Path) -> int:
    if "trace" not in unit.files or unit.level in ("none", "shapes"):
        raise errors.BadInputError(
            "answers are checked against the original: give the unit an entry or an example, and `verify` forward or more",
            unit.source,
        )
    package = workspace / unit.package
    args.answers = args.answers or str(package / unit.answers)
    kept = package / f"{unit.unit}_plan.json"
    if args.plan is None and kept.exists():
        args.plan = str(kept)
    ask_command.check_asking(args)
    root, source = workspace, workspace / unit.source
    if "text" in unit.files:  # what codemods made of it
        root = place / "rewritten"
        mirror.mirror(workspace, source, {unit.source: unit.files["text"].absolute()}, root)
        source = root / unit.source
    asked = steps.Request(
        source=source,
        shown=unit.source,
        package_root=root,
        level=unit.level,
        answers=paths.typed(args.answers),
        rules=[path.absolute() for name, path in sorted(unit.files.items()) if name.startswith("rules/")],
        shown_answers=paths.shown(paths.typed(args.answers)),
    )

    def recorded(_: steps.Request, folder: pathlib.Path) -> None:
        """Takes what the build recorded of the original."""
        shutil.copyfile(unit.files["trace"], folder / "trace.json")
        shutil.copyfile(unit.files["oracle"], folder / "oracle.safetensors")

    code = ask_command.ask(args, asked, recorded)
    if code == errors.PORTED:
        print(f"  in BUILD    answers = glob([{unit.answers + '/*.json'!r}])".replace("'", '"'))
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
