"""jaxport: migrates TensorFlow and Keras model code to JAX (Flax NNX).

./bazelw run //:jaxport -- port FILE.py --out DIR --entry EXPRESSION --input SPEC
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from cli import ask_command, coverage_command, errors, judge_command, learn_command, plan_command, port_command

#: Every subcommand is a module with NAME, HELP, add_arguments(parser) and run(args).
COMMANDS = (port_command, coverage_command, plan_command, ask_command, judge_command, learn_command)


class _Parser(argparse.ArgumentParser):
    """Says in one sentence what is wrong with the arguments."""

    def error(self, message: str) -> NoReturn:
        self.exit(errors.BAD_INPUT, f"{self.prog}: {message}; see {self.prog} --help\n")


def parser() -> argparse.ArgumentParser:
    """The parser with every subcommand."""
    top = _Parser(prog="jaxport", description=__doc__.splitlines()[0], allow_abbrev=False)
    commands = top.add_subparsers(required=True, metavar="COMMAND", dest="command")
    for command in COMMANDS:
        sub = commands.add_parser(command.NAME, help=command.HELP, description=command.HELP, allow_abbrev=False)
        command.add_arguments(sub)
        sub.set_defaults(run=command.run)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit code."""
    args = parser().parse_args(argv)
    try:
        return args.run(args)
    except errors.BadInputError as e:
        print(e, file=sys.stderr)
        return errors.BAD_INPUT
    except errors.StepStopped as e:
        print(e, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; nothing was written", file=sys.stderr)
        return 130


if __name__ == "__main__":
    raise SystemExit(main())
