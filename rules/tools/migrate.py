"""`bazel run :NAME`: writes the port beside its source and shows a summary.

By the time this runs, Bazel has captured, ported and verified the unit. Flags go after `--`:
`--diff` shows what would change, `--dry_run` names the files; both write nothing. `--plan` shows what is left and what
asking for it would take, and writes that as NAME_plan.json, which may be edited, and NAME_plan.html.
"""

from __future__ import annotations

import argparse
import pathlib
import sys
from collections.abc import Sequence

from agent import plan_page, plans
from buildfiles import deps, twin
from buildfiles.parsed import BuildFile
from buildfiles.place import build_file
from cli import errors, outputs, paths, summary
from rules.tools import elapsed, unit_files


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bazel run :NAME --", description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("manifest", help=argparse.SUPPRESS)
    parser.add_argument("--diff", action="store_true", help="show what would change, write nothing")
    parser.add_argument("--dry_run", action="store_true", help="name the files that would change, write nothing")
    parser.add_argument("--force", action="store_true", help="overwrite files that were changed by hand")
    parser.add_argument("--plan", action="store_true", help="show what is left for answers, and write the plan alone")
    return parser.parse_args(argv)


def contents(unit: unit_files.UnitFiles, folder: pathlib.Path) -> dict[pathlib.Path, str]:
    """What the package gets: the port, its weights map, and the BUILD file with a target for it."""
    module = unit.text("module")
    build = build_file(folder) or folder / "BUILD"
    own = deps.twins(unit.own_deps, lambda label: _is_written(label, folder, unit.package))
    needed = (*deps.python_deps(module, unit.python_deps), *own)
    target = twin.Twin(f"{unit.unit}_jax", pathlib.Path(unit.source).name, needed, (*unit.python_deps, *unit.own_deps))
    shown = unit.in_package(build.name)
    return {
        folder / unit.module_name: module,
        folder / unit.weights_map_name: outputs.stamped(unit.text("weights_map"), module),
        build: twin.with_twin(build.read_text(encoding="utf-8"), target, shown),
    }


def _is_written(label: str, folder: pathlib.Path, package: str) -> bool:
    """Is there such a target in the user's own BUILD files?"""
    if label.startswith("@"):
        return False
    path, _, name = label.rpartition(":")
    root = folder.parents[package.count("/")] if package else folder
    where = root / path.removeprefix("//") if path else folder
    file = build_file(where)
    return file is not None and BuildFile(file.read_text(encoding="utf-8"), str(file)).target(name) is not None


def plan_contents(unit: unit_files.UnitFiles, folder: pathlib.Path) -> tuple[str, dict[pathlib.Path, str]]:
    """The plan as text, and the files that hold it; what a user changed in them is kept."""
    path = folder / f"{unit.unit}_plan.json"
    plan = plans.read(unit.files["plan"])
    if path.exists():
        plan = plans.edited(plan, plans.read(path))
    page = plan_page.as_html(plan)
    return plan_page.as_text(plan), {path: plans.dump(plan), folder / f"{unit.unit}_plan.html": page}


def main(argv: Sequence[str]) -> int:
    """Runs the program; returns its exit code."""
    args = _arguments(argv)
    unit = unit_files.read(args.manifest)
    try:
        workspace = paths.workspace_directory()
    except RuntimeError as e:
        print(e, file=sys.stderr)
        return errors.BAD_INPUT
    with outputs.alone(workspace):
        return _write(args, unit, workspace)


def _write(args: argparse.Namespace, unit: unit_files.UnitFiles, workspace: pathlib.Path) -> int:
    folder = workspace / unit.package
    try:
        if args.plan:
            text, wanted = plan_contents(unit, folder)
            changed = [] if args.dry_run or args.diff else outputs.write(wanted, unit.package or ".")
            names = [p.relative_to(workspace).as_posix() for p in changed]
            print(text + f"  wrote       {', '.join(names) if names else 'nothing'}")
            return 0
        wanted = contents(unit, folder)
    except errors.BadInputError as e:
        print(e, file=sys.stderr)
        return errors.BAD_INPUT
    changes = {p: t for p, t in wanted.items() if not p.exists() or p.read_text("utf-8", "replace") != t}
    edited = [] if args.force else outputs.edited(folder / unit.module_name, folder / unit.weights_map_name, wanted)
    if args.diff:
        for path, text in changes.items():
            sys.stdout.write(outputs.diff(path, text, path.relative_to(workspace).as_posix()))
    elif not args.dry_run and not edited:
        try:
            outputs.write(changes, unit.package or ".")
        except errors.BadInputError as e:
            print(e, file=sys.stderr)
            return errors.BAD_INPUT
    found = unit.value("certificate")
    text = summary.text(
        unit.source, unit.in_package(unit.module_name), found, unit.value("residuals"), {}, elapsed.since_start()
    )
    print(text, file=sys.stderr if args.diff else sys.stdout)
    if edited:
        shown = ", ".join(p.relative_to(workspace).as_posix() for p in edited)
        try:
            outputs.refuse_edited(edited, shown, f"{unit.command} -- --force")
        except errors.BadInputError as e:
            print(e, file=sys.stderr)
            return errors.BAD_INPUT
    elif not args.diff:
        verb = "would write" if args.dry_run else "wrote"
        names = [p.relative_to(workspace).as_posix() for p in changes]
        print(f"  {verb:<11} {', '.join(names) if names else 'nothing: all is up to date'}")
    return summary.exit_code(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
