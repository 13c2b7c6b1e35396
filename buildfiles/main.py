"""The cut-over: other targets get a port where they named its original.

    bazel run //:cut_over -- //models:tagger --to //models:tagger_jax [--callers] [--diff]
    bazel run //:cut_over -- //models:tagger --undo
    bazel run //:cut_over -- //models:tagger --remove

The first makes `tagger` an alias of the port and calls the original `tagger_tensorflow`; `--undo` takes that back, to the
same bytes. `--remove` takes alias and original out of the BUILD file, once nothing names them. Files import modules and
not targets: those that import the original are listed with the import of the port, and `--callers` writes these. Exit
codes: 0 done, 2 bad input, nothing is written.
"""

from __future__ import annotations

import argparse
import pathlib
import sys
from collections.abc import Sequence

from buildfiles import callers, cut_over
from buildfiles.parsed import BuildFile
from buildfiles.place import build_file
from cli import errors, outputs, paths


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="cut_over", description=__doc__.splitlines()[0], allow_abbrev=False)
    top.add_argument("original", help="the original's target, as //models:tagger")
    what = top.add_mutually_exclusive_group(required=True)
    what.add_argument("--to", metavar="LABEL", help="the port's target, of the same package")
    what.add_argument("--undo", action="store_true", help="give the original its name back")
    what.add_argument("--remove", action="store_true", help="take alias and original out")
    top.add_argument("--callers", action="store_true", help="change the imports of files that import the original")
    top.add_argument("--diff", action="store_true", help="show what would change, write nothing")
    return top


def main(argv: Sequence[str]) -> int:
    """Runs the command; returns its exit code."""
    options = parser().parse_args(argv)
    try:
        workspace = paths.workspace_directory()
        with outputs.alone(workspace):
            contents = _contents(options, workspace)
            if options.diff:
                for path, text in contents.items():
                    sys.stdout.write(outputs.diff(path, text, path.relative_to(workspace).as_posix()))
                return 0
            for path in outputs.write(contents, "the source tree"):
                print(f"wrote {path.relative_to(workspace).as_posix()}")
    except (errors.BadInputError, RuntimeError, OSError) as error:
        print(error, file=sys.stderr)
        return errors.BAD_INPUT
    return 0


def _contents(options: argparse.Namespace, workspace: pathlib.Path) -> dict[pathlib.Path, str]:
    package, name = _label(options.original)
    build = _build_file(workspace, package)
    text, shown = build.read_text(encoding="utf-8"), build.relative_to(workspace).as_posix()
    if options.undo:
        return {build: cut_over.without_alias(text, name, shown)}
    if options.remove:
        return {build: cut_over.without_original(text, name, shown)}
    other, twin = _label(options.to)
    if other != package:
        raise errors.BadInputError(f"--to {options.to}: a port is in the package of its original, //{package}")
    back = f"bazel run //:cut_over -- //{package}:{name} --undo"
    contents = {build: cut_over.with_alias(text, name, twin, shown, back)}
    return contents | _callers(options, workspace, package, BuildFile(text, shown), (name, twin))


def _callers(
    options: argparse.Namespace, workspace: pathlib.Path, package: str, file: BuildFile, names: tuple[str, str]
) -> dict[pathlib.Path, str]:
    """Files that import the original, each with a line for the user; with `--callers` as they are to be."""
    modules = []
    for name in names:
        target = file.target(name)
        listed = target.strings("srcs") if target is not None else None
        if not listed or len(listed) != 1:
            print(f"{file.path}: {name} has no single source; look for its imports yourself", file=sys.stderr)
            return {}
        modules.append(callers.dotted(f"{package}/{listed[0].lstrip(':')}".lstrip("/")))
    found = {}
    for source in callers.sources(workspace):
        path = workspace / source
        code = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
        if modules[0].rpartition(".")[2] not in code or callers.dotted(source) in modules:
            continue
        new, imports = callers.switched(code, source, *modules)
        for item in imports:
            print(f"{item.file}:{item.line}: {item.text}: {_advice(item, options.callers)}")
        if options.callers and new != code:
            found[path] = new
    return found


def _advice(item: callers.Import, changed: bool) -> str:
    if item.switched is None:
        return "imports the original by its full name; import the port, and change the names in this file"
    return f"{'becomes' if changed else 'still the original; the port:'} {item.switched}"


def _label(text: str) -> tuple[str, str]:
    if not text.startswith("//"):
        raise errors.BadInputError(f"{text}: give a label from the root, as //models:tagger")
    package, colon, name = text[2:].partition(":")
    return package, name if colon else package.rpartition("/")[2]


def _build_file(workspace: pathlib.Path, package: str) -> pathlib.Path:
    found = build_file(workspace / package)
    if found is None:
        raise errors.BadInputError(f"//{package}: there is no BUILD file in {package or 'the root'}")
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
