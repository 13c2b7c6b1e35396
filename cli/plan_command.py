"""`jaxport plan`: what rules port of a file, what is left, and what asking for it would take. Asks nobody."""

from __future__ import annotations

import argparse
import pathlib
import tempfile

from agent import plan_page, plans
from cli import errors, outputs, paths, port_command, progress, steps

NAME = "plan"
HELP = "say what rules port of a file, what is left and why, and what asking for it would take; asks nobody"

_EPILOG = """\
writes DIR/plan.json and DIR/plan.html. In plan.json, "skip": true leaves a place as it is, and the order of `items` may
be changed: `jaxport ask --plan DIR/plan.json` goes by it. A second run keeps both.

The file is run where --entry or --example says how, which tells shapes; without them it is only read.

exit codes: 0 nothing is left; 2 bad input or usage, nothing written; 3 places are left, all in the plan"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the flags."""
    port_command.add_unit_arguments(parser)
    parser.set_defaults(verify="none")
    parser.epilog = _EPILOG
    parser.add_argument("--out", metavar="DIR", required=True, help="the folder to write to")
    parser.add_argument("--answers", metavar="DIR", help="the folder with recorded answers, which need no asking")
    parser.add_argument(
        "--tries", metavar="N", type=int, default=3, help="how often a place is asked about at most; default: 3"
    )


def run(args: argparse.Namespace) -> int:
    """Runs the command; returns its exit code."""
    asked = port_command.request(args)
    port_command.check_source(asked)
    out = paths.typed(args.out)
    shown = progress.Progress()
    with tempfile.TemporaryDirectory(prefix="jaxport-") as name:
        folder = pathlib.Path(name)
        (folder / "answers").mkdir()
        if asked.runs:
            with shown.step("capture", f"running {asked.shown} on TensorFlow"):
                steps.capture(asked, folder)
        if asked.rules:
            with shown.step("certify", f"holding {len(asked.rules)} files of rules to TensorFlow"):
                steps.certify(asked, folder)
        with shown.step("plan", f"porting {asked.shown}"):
            steps.plan(asked, folder)
        plan = plans.read(folder / "plan.json")
    path = out / "plan.json"
    if path.exists():
        plan = plans.edited(plan, plans.read(path))
    outputs.write({path: plans.dump(plan), out / "plan.html": plan_page.as_html(plan, args.tries)}, f"--out {args.out}")
    print(plan_page.as_text(plan, args.tries), end="")
    print(f"  page        {paths.shown(out / 'plan.html')}")
    return errors.RESIDUALS if plan.left or any(item.state == "open" for item in plan.items) else errors.PORTED
