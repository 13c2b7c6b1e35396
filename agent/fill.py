"""Ports one file with recorded answers: source, trace and answers in, what `codemods.port` writes out.

Run as `python -m agent.fill --source FILE [--trace trace.json] --answers DIR --out DIR`. Calls nobody. Exit codes:
0 ported in full, 3 residuals left, 2 bad input, an answer that does not serve among it.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import sys
from collections.abc import Sequence

from agent import answers as recorded
from agent import planning, plans, replay
from agent.errors import AnswerError
from agent.records import OpenRequest, Problem, State
from codemods import port as porting
from codemods import rule_files
from codemods.rule_files import RuleFileError


def fill(unit: replay.Unit, files: Sequence[pathlib.Path], command: str) -> replay.Replayed:
    """Ports with the answers in some files.

    Args:
      unit: what to port.
      files: the answers.
      command: what a user runs to have answers made anew.

    Raises:
      AnswerError: an answer was edited, is for something else, or nothing asks for it.
      codemods.port.BadSource: the source can't be ported at all.
    """
    found = recorded.load_all(files, command)
    result = replay.replay(unit, {answer.key: answer for answer in found.values()})
    replay.complain(result, found, command)
    return result


def state(result: replay.Replayed) -> State:
    """How far it has come, as it is handed to whoever asks."""
    failed = [(answer, error) for _, answer, error in result.failed] + result.unsettled
    return State(
        open=tuple(
            OpenRequest(
                request=asked.request,
                file=asked.file,
                line=asked.place["line"],
                after=asked.after,
                settles=asked.settles,
            )
            for asked in result.open
        ),
        problems=tuple(Problem(key=answer.key, check=error.check, reason=error.reason) for answer, error in failed),
    )


def plan(unit: replay.Unit, result: replay.Replayed) -> plans.Plan:
    """The plan of what a port with answers leaves."""
    return planning.planned(result, unit.sources(result.port))


def main(argv: Sequence[str] | None = None) -> int:
    """The program; returns its exit code."""
    flags = argparse.ArgumentParser(prog="fill", description=__doc__.splitlines()[0], allow_abbrev=False)
    flags.add_argument("--source", type=pathlib.Path, required=True, help="the file to port")
    flags.add_argument("--trace", type=pathlib.Path, help="trace.json of the original")
    flags.add_argument("--package_root", type=pathlib.Path, help="the folder that imports start from")
    flags.add_argument("--answers", type=pathlib.Path, required=True, help="the folder with the answers")
    flags.add_argument("--rules", action="append", default=[], help="a file with rules of the user's own")
    flags.add_argument("--command", default="jaxport ask", help="what makes answers anew, for messages")
    flags.add_argument("--state", type=pathlib.Path, help="write here what is still asked, and go on with bad answers")
    flags.add_argument("--plan", type=pathlib.Path, help="write here the plan of what is left")
    flags.add_argument("--out", type=pathlib.Path, required=True, help="the folder to write to")
    args = flags.parse_args(argv)
    trace = json.loads(args.trace.read_text(encoding="utf-8")) if args.trace else None
    unit = replay.Unit(args.source, trace, args.package_root.resolve() if args.package_root else None)
    files = recorded.files(args.answers)
    try:
        rule_files.add(args.rules)
        if args.state:
            found = recorded.load_all(files, args.command)
            result = replay.replay(unit, {answer.key: answer for answer in found.values()})
            args.state.write_text(state(result).model_dump_json(indent=1) + "\n", encoding="utf-8")
        else:
            result = fill(unit, files, args.command)
    except (AnswerError, RuleFileError, porting.BadSource) as error:
        print(error, file=sys.stderr)
        return 2
    if args.plan:
        args.plan.write_text(plans.dump(plan(unit, result)), encoding="utf-8")
    porting.write(result.port, args.source.stem, args.out, {"answers": result.spans()})
    return 3 if result.port.unit.residuals else 0


if __name__ == "__main__":
    sys.exit(main())
