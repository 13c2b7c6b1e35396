"""`jaxport port`: one file in, one file out, checked against the original."""

from __future__ import annotations

import argparse
import math
import pathlib
import tempfile
from collections.abc import Sequence

from cli import certificate, errors, outputs, paths, progress, steps, summary
from parity import source

NAME = "port"
HELP = "port one file to JAX and check it against the original"

LEVELS = ("none", "shapes", "forward", "gradients", "step", "trajectory")

_EPILOG = """\
example:
  jaxport port mnist_cnn.py --out ported --entry 'MnistCNN(num_classes=10)' --input 'float32[8,28,28,1]'

exit codes: 0 ported in full and verified at the level; 2 bad input or usage, nothing written;
3 residuals left, all listed; 4 a check failed"""


def seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < math.inf:
        raise ValueError
    return value


seconds.__name__ = "number of seconds"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the flags."""
    add_unit_arguments(parser)
    parser.epilog = _EPILOG
    parser.add_argument("--out", metavar="DIR", required=True, help="the folder to write to")
    parser.add_argument(
        "--answers", metavar="DIR", help="the folder with recorded answers to what no rule knows; see `jaxport ask`"
    )
    parser.add_argument("--report", action="store_true", help="write report.html, report.json and report.sarif too")
    parser.add_argument("--force", action="store_true", help="overwrite a port that was changed by hand")


def add_unit_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares what says which file is ported, how it is run, and how far it is checked."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("file", metavar="FILE.py", help="the file to port")
    parser.add_argument("--entry", metavar="EXPRESSION", help="gives the object to call, over the file's names")
    parser.add_argument(
        "--input", metavar="SPEC", action="append", default=[],
        help="one positional argument, as `float32[8,28,28,1]` or `int32[8,64]{0..999}`; may be repeated",
    )  # fmt: skip
    parser.add_argument("--call", metavar="EXPRESSION", help="over `model` and `inputs`; default: model(*inputs)")
    parser.add_argument(
        "--example", metavar="FILE.py", help="a file with model() and inputs(seed), in place of these three"
    )
    parser.add_argument(
        "--rules", metavar="FILE_OR_DIR", action="append", default=[],
        help="rules of your own, which are certified first; may be repeated",
    )  # fmt: skip
    parser.add_argument("--verify", choices=LEVELS, default="step", help="how far to check; default: step")
    parser.add_argument("--package_root", metavar="DIR", help="the folder that the file's imports start from")
    parser.add_argument(
        "--keras", choices=("auto", "3", "legacy"), default="auto", help="which Keras runs the original"
    )
    parser.add_argument(
        "--timeout", metavar="SECONDS", type=seconds, default=600.0, help="that the original may take; default: 600"
    )


def request(args: argparse.Namespace) -> steps.Request:
    """What the flags ask for; raises `BadInputError` where they do not fit together."""
    if args.answers and not paths.typed(args.answers).is_dir():
        raise errors.BadInputError(f"--answers {args.answers}: there is no such folder")
    asked = unit_request(args)
    outputs.writable(paths.typed(args.out), f"--out {args.out}")
    return asked


def unit_request(args: argparse.Namespace) -> steps.Request:
    """As `request`, of what `add_unit_arguments` declares and of `--answers`."""
    if args.example and (args.entry or args.input or args.call):
        raise errors.BadInputError("--example says what to run, so --entry, --input and --call have no place beside it")
    if (args.input or args.call) and not args.entry:
        raise errors.BadInputError("--input and --call need --entry, the expression that gives the object to call")
    if args.verify != "none" and not (args.entry or args.example):
        raise errors.BadInputError(
            "say what to run: --entry with --input, or --example; or --verify none to port without running anything"
        )
    for flag, is_there in (("example", pathlib.Path.is_file), ("package_root", pathlib.Path.is_dir)):
        value = getattr(args, flag)
        if value and not is_there(paths.typed(value)):
            raise errors.BadInputError(
                f"--{flag} {value}: there is no such {'file' if flag == 'example' else 'folder'}"
            )
    file = paths.typed(args.file)
    root = paths.typed(args.package_root) if args.package_root else None
    if root and not file.is_relative_to(root):
        raise errors.BadInputError(f"{args.file} does not lie below --package_root {args.package_root}")
    return steps.Request(
        source=file,
        shown=args.file,
        entry=args.entry,
        inputs=args.input,
        call=args.call,
        example=paths.typed(args.example) if args.example else None,
        shown_example=args.example or "",
        package_root=root,
        level=args.verify,
        keras=args.keras,
        timeout=args.timeout,
        answers=paths.typed(args.answers) if args.answers else None,
        shown_answers=args.answers or "",
        rules=_rules(args.rules),
    )


def _rules(given: Sequence[str]) -> tuple[pathlib.Path, ...]:
    """The files with rules that are meant; raises `BadInputError` where there are none."""
    found: list[pathlib.Path] = []
    for name in given:
        path = paths.typed(name)
        files = sorted(path.glob("*.py")) if path.is_dir() else [path]
        if not files or not all(file.is_file() for file in files):
            raise errors.BadInputError(f"--rules {name}: there is no such file, or no Python file in it")
        found += [file for file in files if file.name != "__init__.py"]
    return tuple(found)


def check_source(asked: steps.Request) -> None:
    """Raises `BadInputError`, in the user's words, where the file is no source that can be ported."""
    try:
        source.check(str(asked.source))
    except errors.BadInputError as e:
        raise errors.BadInputError(e.reason, asked.shown, e.line) from None


def run(args: argparse.Namespace) -> int:
    """Runs the command; returns its exit code."""
    asked = request(args)
    check_source(asked)
    out = paths.typed(args.out)
    module, weights = out / f"{asked.stem}_jax.py", out / "weights_map.json"
    if not args.force:
        edited = outputs.edited(module, weights)
        outputs.refuse_edited(edited, ", ".join(paths.shown(p) for p in edited), "--force")
    shown = progress.Progress()
    with tempfile.TemporaryDirectory(prefix="jaxport-") as name:
        folder = pathlib.Path(name)
        if asked.runs:
            with shown.step("capture", f"running {asked.shown} on TensorFlow"):
                steps.capture(asked, folder)
        if asked.rules:
            with shown.step("certify", f"holding {len(asked.rules)} files of rules to TensorFlow"):
                steps.certify(asked, folder)
        with shown.step("port", f"rewriting {asked.shown}"):
            steps.port(asked, folder)
        residuals = steps.read(folder / "residuals.json")
        if asked.runs and not residuals.get("residuals"):
            with shown.step("verify", f"comparing {asked.stem}_jax.py with the original, level {asked.level}"):
                steps.verify(asked, folder)
        else:
            weights_map = steps.read(folder / "weights_map.json")
            trace = steps.read(folder / "trace.json") if asked.runs else None
            blank = certificate.without_checks(asked.stem, asked.level, residuals, weights_map, trace)
            (folder / "certificate.json").write_text(outputs.dump(blank), encoding="utf-8")
        found = steps.read(folder / "certificate.json")
        contents = _contents(asked, folder, out)
        if args.report:
            steps.report(asked, folder, folder / "report")
            contents |= {out / p.name: p.read_text(encoding="utf-8") for p in sorted((folder / "report").iterdir())}
        outputs.write(contents, f"--out {args.out}")
    print(summary.text(asked.shown, paths.shown(module), found, residuals, shown.seconds, shown.total))
    return summary.exit_code(found)


def _contents(asked: steps.Request, folder: pathlib.Path, out: pathlib.Path) -> dict[pathlib.Path, str]:
    """The files that the user gets."""
    names = (f"{asked.stem}_jax.py", "weights_map.json", "residuals.json", "certificate.json")
    linked = [name for name in steps.linked_files(asked, folder) if name not in names]
    contents = {out / name: (folder / name).read_text(encoding="utf-8") for name in [*names, *linked]}
    contents[out / names[1]] = outputs.stamped(contents[out / names[1]], contents[out / names[0]])
    return contents
