"""`jaxport ask`: gets answers for what no rule knows, checks them, and records those that hold."""

from __future__ import annotations

import argparse
import dataclasses
import pathlib
import sys
import tempfile
from collections.abc import Callable, Iterable

from agent import answers as recorded
from agent import config, drafting, plans
from agent import pages as playbook
from agent.asking import Asking, Outcome
from agent.budget import Budget
from agent.errors import EditError
from agent.exchange import Exchange
from agent.journal import Journal
from agent.pairs import client_pages
from agent.proposing import Proposed, Proposing
from agent.records import Answer
from agent.replies import Answerer
from agent.trials import Trials
from cli import errors, outputs, paths, port_command, progress, steps

NAME = "ask"
HELP = "get answers for what no rule knows, check them, and record them for `port --answers`"

_EPILOG = """\
by a model: --models FILE.toml says which, where and at what price; the key comes from the environment variable that it
names. A run that was stopped goes on where it was: replies that were paid for are kept in ANSWERS/.replies.

without a service: --prompts_dir DIR writes each prompt as NAME.prompt.md; write the reply beside it as NAME.reply.json,
and run the same command again.

exit codes: 0 every place is answered and the unit verified; 2 bad input or usage, nothing written;
3 places are left without an answer, all listed; 4 recorded answers fail a check"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the flags."""
    port_command.add_unit_arguments(parser)
    parser.add_argument("--answers", metavar="DIR", required=True, help="the folder to keep answers in")
    add_asking_arguments(parser)


def add_asking_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares what says who is asked, and how."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _EPILOG
    parser.add_argument(
        "--models",
        metavar="FILE.toml",
        help="whom to ask and at what price, as agent/models.toml, which `own` stands for",
    )
    parser.add_argument("--prompts_dir", metavar="DIR", help="write prompts to and read replies from files there")
    parser.add_argument(
        "--plan", metavar="FILE.json", help="as `jaxport plan` writes it, maybe edited: what to skip, and the order"
    )
    parser.add_argument(
        "--propose_rules", metavar="DIR",
        help="ask for rules first, for symbols without one; those that are certified are kept there, to be reviewed",
    )  # fmt: skip
    parser.add_argument(
        "--playbook", metavar="DIR", help="pages of your own for the prompts, as `jaxport learn` drafts them"
    )
    parser.add_argument(
        "--draft_pages", metavar="DIR",
        help="write there what new answers put for what, as playbook pages to be reviewed, where it holds alone",
    )  # fmt: skip
    parser.add_argument("--by", metavar="NAME", default="hand", help="who writes those replies; kept with each answer")
    parser.add_argument(
        "--tries", metavar="N", type=int, default=3, help="how often a place is asked about; default: 3"
    )
    parser.add_argument(
        "--trial_timeout", metavar="SECONDS", type=port_command.seconds, default=300.0,
        help="that porting or checking with a proposed answer may take; default: 300",
    )  # fmt: skip


def request(args: argparse.Namespace) -> steps.Request:
    """What the flags ask for; raises `BadInputError` where they do not fit together."""
    if args.verify in ("none", "shapes"):
        raise errors.BadInputError("answers are checked against the original: --verify is to be forward or more")
    check_asking(args)
    return port_command.unit_request(args)


def check_asking(args: argparse.Namespace) -> None:
    """Raises `BadInputError` where it is not said who answers, or what is to be written to can't be."""
    if bool(args.prompts_dir) == bool(args.models):
        raise errors.BadInputError(
            "say who answers: --models, to ask a model service, or --prompts_dir, to exchange prompts and replies as files"
        )
    if args.playbook and not paths.typed(args.playbook).is_dir():
        raise errors.BadInputError(f"--playbook {args.playbook}: there is no such folder")
    for flag in ("answers", "prompts_dir", "propose_rules", "draft_pages"):
        value = getattr(args, flag)
        if value:
            outputs.writable(paths.typed(value), f"--{flag} {value}")


class Service:
    """A model service, with what it may use up and what it said before."""

    def __init__(self, settings: config.Config, folder: pathlib.Path):
        """`folder`: where replies are kept until they are answers."""
        from agent.client import Client  # the one place that calls out, imported where that is asked for

        self.budget = Budget(settings.budget)
        self.journal = Journal(Client(settings, self.budget), folder)

    def __str__(self) -> str:
        reused = f"; {self.journal.reused} replies were there from before" if self.journal.reused else ""
        return f"{self.budget}{reused}"


def run(args: argparse.Namespace) -> int:
    """Runs the command; returns its exit code."""
    asked = request(args)
    port_command.check_source(asked)
    return ask(args, asked, steps.capture)


def ask(args: argparse.Namespace, asked: steps.Request, capture: Callable[[steps.Request, pathlib.Path], None]) -> int:
    """Asks for what is left of a unit; returns the exit code.

    Args:
      args: of `add_asking_arguments`, and `answers`.
      asked: the unit.
      capture: puts what is recorded of the original into a folder.
    """
    folder = paths.typed(args.answers)
    plan = _plan(args, asked)
    settings = config.read(config.OWN if args.models == "own" else paths.typed(args.models)) if args.models else None
    service = Service(settings, folder / ".replies") if settings is not None else None
    answerer: Answerer = service.journal if service is not None else Exchange(paths.typed(args.prompts_dir), args.by)
    old = recorded.load_all(recorded.files(folder), steps.ask_command(asked)).values()
    shown = progress.Progress()
    with tempfile.TemporaryDirectory(prefix="jaxport-") as name:
        place = pathlib.Path(name)
        with shown.step("capture", f"what {asked.shown} does on TensorFlow"):
            capture(asked, place)
        trials = Trials(asked, place, args.trial_timeout)
        parallel = settings.request.parallel if settings is not None else 1

        def say(line: str) -> None:
            """What happens, with what it took so far."""
            print(f"{line} [{service.budget}]" if service is not None else line, file=sys.stderr, flush=True)

        proposing = Proposing(answerer, place, args.tries, args.trial_timeout, say, parallel)
        proposed = _propose(args, trials, proposing, old, plan) if args.propose_rules else []
        if service is not None:
            service.journal.forget([rule.name for rule in proposed])
        pages = [*playbook.own()]
        if args.playbook:
            with shown.step("playbook", f"running the pairs of the pages in {args.playbook}"):
                pages += client_pages(paths.typed(args.playbook), place, args.trial_timeout, say)
        asking = Asking(trials, answerer, args.tries, say, parallel, plan, bool(proposed), pages)
        try:
            outcome = asking.run(old)
        except EditError as error:
            print(f"{asked.shown}: the recorded answers and proposed rules fail: {error.reason}")
            return errors.CHECK_FAILED
        kept = {answer.key: answer for answer in old}
        changed = [answer for key, answer in outcome.answers.items() if kept.get(key) != answer]
        recorded.write(folder, changed)
        drafted: dict[str, str] = {}
        if args.draft_pages and outcome.verified is not None:
            new = [answer for key, answer in outcome.answers.items() if key in outcome.new]
            drafted = drafting.pages(new, place, args.trial_timeout)
            folder_of_pages = paths.typed(args.draft_pages)
            outputs.write({folder_of_pages / name: page for name, page in drafted.items()}, args.draft_pages)
        if service is not None and outcome.verified is not None:
            service.journal.forget([pathlib.Path(answer.file_name).stem for answer in outcome.answers.values()])
    print(text(asked, outcome, trials, len(changed)))
    for rule in proposed:
        print(f"  rule        {rule.symbol}, by {rule.origin}: {args.propose_rules}/{rule.name}.py, to be reviewed")
    for name in drafted:
        print(f"  page        {args.draft_pages}/{name}, to be reviewed")
    for symbol, reason in proposing.refused.items():
        print(f"  no rule     {symbol}: {reason}")
    if service is not None:
        print(f"  spent       {service}")
    return errors.RESIDUALS if outcome.verified is None else errors.PORTED


def _propose(
    args: argparse.Namespace,
    trials: Trials,
    proposing: Proposing,
    old: Iterable[Answer],
    plan: plans.Plan | None,
) -> list[Proposed]:
    """Certified rules, written, shown as a diff, and used from here on."""
    state, _ = trials.port(old)
    skipped = {item.key for item in plan.items if item.skip} if plan is not None else set()
    proposed = proposing.run([request for request in state.open if request.key not in skipped])
    folder = paths.typed(args.propose_rules)
    contents = {folder / f"{rule.name}.py": rule.text for rule in proposed}
    for path, text in contents.items():
        print(outputs.diff(path, text, paths.shown(path)), end="")
    outputs.write(contents, f"--propose_rules {args.propose_rules}")
    trials.request = dataclasses.replace(trials.request, rules=[*trials.request.rules, *contents])
    return proposed


def _plan(args: argparse.Namespace, asked: steps.Request) -> plans.Plan | None:
    """The plan that is given. Raises `BadInputError` where it is for other text."""
    if not args.plan:
        return None
    plan = plans.read(paths.typed(args.plan))
    texts = {file.path: asked.root / file.path for file in plan.files}
    digests = {path: plans.digest(file.read_text(encoding="utf-8")) for path, file in texts.items() if file.is_file()}
    plans.check_fits(plan, digests, args.plan, f"jaxport plan {asked.shown} --out DIR")
    return plan


def text(asked: steps.Request, outcome: Outcome, trials: Trials, written: int) -> str:
    """What a person is told at the end."""
    lines = [asked.shown, f"  answers     {len(outcome.answers)} that hold, {len(outcome.new)} of them new"]
    lines += [f"  written     {written} in {asked.shown_answers}"]
    for request, reason in outcome.open:
        causes = ", ".join(dict.fromkeys(cause.symbol for cause in request.request.subject.causes))
        lines.append(f"  open        {request.file}:{request.line}: {causes}: {reason}")
    missing = [name for name, held in trials.tied.items() if not held]
    if missing:
        lines.append(f"  sandbox     this system could not keep proposed code from the {' and the '.join(missing)}")
    if outcome.verified is not None:
        lines.append(f"  verdict     ported in full and verified at level `{outcome.verified}`")
        lines.append(f"  next        jaxport port {asked.shown} --answers {asked.shown_answers} ...")
    else:
        lines.append("  verdict     places are left without an answer; nothing can be verified yet")
    return "\n".join(lines)
