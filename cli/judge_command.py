"""`jaxport judge`: is everything of an original in its port? By the two texts, and by a checklist that a judge fills in."""

from __future__ import annotations

import argparse
import json
import pathlib
import sys
from collections.abc import Collection

from agent import completeness, config, judging
from agent.errors import EditError
from agent.exchange import Exchange
from agent.replies import Answerer, NoReply
from cli import ask_command, errors, outputs, paths
from parity import source

NAME = "judge"
HELP = "look for everything of an original in its port, and have a judge go through a checklist"

_EPILOG = """\
example:
  jaxport judge model.py --port ported/model_jax.py --residuals ported/residuals.json

Without --models and --prompts_dir nobody is asked: the two texts are compared alone. The judge sees both files, and
nothing of how the port was made; [judge] in FILE.toml says which model it is.

exit codes: 0 nothing is missing; 2 bad input or usage; 3 the judge has not answered yet; 4 something is missing or fails"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the flags."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _EPILOG
    parser.add_argument("file", metavar="FILE.py", help="the original")
    parser.add_argument("--port", metavar="FILE.py", required=True, help="its port")
    parser.add_argument(
        "--residuals", metavar="residuals.json", help="of the port: what its notes and residuals explain"
    )
    parser.add_argument("--models", metavar="FILE.toml", help="whom to ask; `own` stands for agent/models.toml")
    parser.add_argument("--prompts_dir", metavar="DIR", help="write the prompt to and read the reply from files there")
    parser.add_argument("--by", metavar="NAME", default="hand", help="who writes the reply")
    parser.add_argument("--tries", metavar="N", type=int, default=3, help="how often the judge is asked; default: 3")
    parser.add_argument("--out", metavar="FILE.json", help="write what was found there, too")


def run(args: argparse.Namespace) -> int:
    """Runs the command; returns its exit code."""
    if args.models and args.prompts_dir:
        raise errors.BadInputError("give --models or --prompts_dir: one judge is enough")
    original, port = _text(args.file), _text(args.port)
    found = completeness.audit(original, port, _explained(args.residuals, pathlib.PurePath(args.file).name))
    print(_said(args, found))
    result: dict = {
        "version": 1,
        "looked_at": dict(found.looked_at),
        "explained": found.explained,
        "findings": [vars(finding) for finding in found.findings],
        "calibration": judging.calibration(),
    }
    code = errors.CHECK_FAILED if found.findings else errors.PORTED
    answerer = _judge(args)
    if answerer is not None:
        try:
            judgement = judging.judge(original, port, found, answerer, args.tries)
        except (NoReply, EditError) as error:
            print(f"  judge       {error}")
            code = errors.RESIDUALS
        else:
            result["judgement"] = judgement.model_dump(mode="json")
            for item in judgement.items:
                print(f"  {item.check:<13} {item.verdict}{_places(item)}{f': {item.why}' if item.why else ''}")
            code = errors.CHECK_FAILED if judgement.failed or found.findings else errors.PORTED
    if args.out:
        outputs.write({paths.typed(args.out): json.dumps(result, indent=1, sort_keys=True) + "\n"}, f"--out {args.out}")
    return code


def _places(item: judging.Item) -> str:
    parts = [
        (name, ", ".join(map(str, lines)))
        for name, lines in (("original", item.original_lines), ("port", item.port_lines))
    ]
    shown = "; ".join(f"{name} {lines}" for name, lines in parts if lines)
    return f" ({shown})" if shown else ""


def _said(args: argparse.Namespace, found: completeness.Audit) -> str:
    rates = judging.calibration()
    lines = [
        f"{args.file} → {args.port}",
        f"  looked at   {sum(found.looked_at.values())} things of the original; {found.explained} are left out for a known reason",
        f"  missing     {len(found.findings)}",
        *(f"    {finding}" for finding in found.findings),
        f"  calibrated  finds {rates['definitions']:.0%} of dropped definitions and arguments, {rates['values']:.0%} of changed "
        f"values ({rates['defects']} seeded defects); {rates['false_alarms']:.1%} of things looked at in sound ports are false alarms",
    ]
    return "\n".join(lines)


def _text(name: str) -> str:
    path = paths.typed(name)
    try:
        source.parse(str(path))
    except errors.BadInputError as error:
        raise errors.BadInputError(error.reason, name, error.line) from None
    return path.read_text(encoding="utf-8")


def _explained(name: str | None, file: str) -> Collection[int]:
    """Lines of the original at which a note or a residual stands."""
    if not name:
        return ()
    try:
        content = json.loads(paths.typed(name).read_text(encoding="utf-8"))
        entries = [
            entry
            for entry in (*content["notes"], *content["residuals"])
            if pathlib.PurePath(entry["file"]).name == file
        ]
        return {line for e in entries for line in range(e["line"], (e.get("end_line") or e["line"]) + 1)}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise errors.BadInputError(f"is no list of residuals: {error}", name) from None


def _judge(args: argparse.Namespace) -> Answerer | None:
    if args.prompts_dir:
        return Exchange(paths.typed(args.prompts_dir), args.by)
    if not args.models:
        return None
    settings = config.read(config.OWN if args.models == "own" else paths.typed(args.models)).for_judge()
    print(f"asking {settings.request.model}", file=sys.stderr)
    folder = paths.typed(args.port).parent / ".replies"
    return ask_command.Service(settings, folder).journal
