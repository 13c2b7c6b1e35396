"""Certifies users' rules by what ours are tested with: values, dtypes, gradients, the inlined code, and mutants.

Run as `python -m parity.rule_oracle.certify --rules FILE [--rules FILE] --out certificate.json`. Exit codes: 0 all are
certified; 2 a file can't be used; 4 a rule fails, and standard error says what. Needs TensorFlow.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import os
import pathlib
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from codemods.rule_files import RuleFileError

if TYPE_CHECKING:
    from codemods.rule_files import Added
    from parity.rule_oracle.bench import Bench, Verdict

_BAD_INPUT, _CHECK_FAILED = 2, 4
#: Compiling is most of the time: hundreds of small functions, none of which is run twice.
_FLAGS = (
    "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true --xla_cpu_use_fusion_emitters=false"
)
_MOST_SHOWN = 6


@dataclasses.dataclass(frozen=True)
class Certified:
    """What came of one rule.

    Attributes:
      cases: how many cases ended in which way.
      mutants, killed, same: changed bodies; those that its test notices; those that nothing can tell from it.
      problems: why it is not certified; empty where it is.
    """

    file: str
    symbol: str
    cases: dict[str, int]
    mutants: int
    killed: int
    same: int
    problems: tuple[str, ...]


def certify(added: Added) -> Certified:
    """Holds one rule to the installed TensorFlow."""
    from parity.rule_oracle import compare
    from parity.rule_oracle.bench import Bench

    def failed(problem: str) -> Certified:
        return Certified(added.file, added.symbol, {}, 0, 0, 0, (problem,))

    if not added.rule.samples:
        return failed("it has no samples: give calls to compare, as samples=[sample(f32(4, 3))]")
    if added.rule.kind == "call" and not compare.exists(added.symbol):
        return failed("the installed TensorFlow and Keras have no such symbol")
    for problem in _signature(added):
        return failed(problem)
    try:
        bench = Bench(added.rule, added.symbol)
    except Exception as error:  # TensorFlow raises errors of every class
        return failed(f"TensorFlow does not take a sample: {type(error).__name__}: {_short(error)}")
    verdicts = bench.verdicts()
    problems = [*_problems(bench, verdicts)]
    made, killed, same, survivors = _mutants(bench) if not problems else (0, 0, 0, [])
    problems += [f"samples do not tell it from a mutant, {mutant}; add one that does" for mutant in survivors]
    cases = Counter(verdict.status.value for verdict in verdicts)
    return Certified(added.file, added.symbol, dict(sorted(cases.items())), made, killed, same, tuple(problems))


def _signature(added: Added) -> Iterator[str]:
    from parity.rule_oracle import compare

    if added.rule.kind != "call" or added.rule.loose:
        return
    theirs = compare.signature_of(compare.source_object(added.symbol))
    ours = compare.signature_of(added.rule.function)
    if theirs and theirs[-1][1] == "VAR_KEYWORD":
        theirs.pop()
        ours = ours[: len(theirs)]
    if added.symbol.startswith("tf.raw_ops."):  # by keyword in calls, whatever `inspect` says
        ours, theirs = [(name, "", default) for name, _, default in ours], [(n, "", d) for n, _, d in theirs]
    if ours != theirs:
        yield f"its parameters are not those of {added.symbol}: {_listed(ours)}, and not {_listed(theirs)}"


def _listed(parameters: Sequence[Any]) -> str:
    return ", ".join(" ".join(map(str, parameter)) for parameter in parameters)


def _problems(bench: Bench, verdicts: Sequence[Verdict]) -> Iterator[str]:
    from parity.rule_oracle.bench import Status, unused

    for where, found in (("", verdicts), ("its inlined code: ", bench.inlined())):
        for verdict in found:
            if verdict.status is Status.WRONG:
                yield f"{where}{verdict.case}: {_short(verdict.detail)}"
    for difference in unused(bench.rule, verdicts):
        yield f"declares a difference that there is not: {difference}"


def _mutants(bench: Bench) -> tuple[int, int, int, list[str]]:
    from parity.rule_oracle.killing import Killer
    from parity.rule_oracle.mutants import mutants

    made = mutants(bench.rule.function)
    killer = Killer(bench)
    survivors = [mutant for mutant in made if not killer.kills(mutant)]
    told = [str(mutant) for mutant in survivors if killer.why_same(mutant) is None]
    return len(made), len(made) - len(survivors), len(survivors) - len(told), told


def _short(error: object) -> str:
    return " ".join(str(error).split())[:600]


def certificate(files: Sequence[str]) -> dict[str, Any]:
    """What came of all rules in some files. Raises `RuleFileError`."""
    from codemods import rule_files

    added = rule_files.add(files)
    results = [certify(entry) for entry in added]
    return {
        "version": 1,
        "verdict": "failed" if any(result.problems for result in results) else "certified",
        "files": {file: digest(file) for file in files},
        "rules": [dataclasses.asdict(result) for result in results],
    }


def digest(file: str) -> str:
    """Of a rule file's text."""
    return hashlib.sha256(pathlib.Path(file).read_bytes()).hexdigest()


def said(result: dict[str, Any]) -> list[str]:
    """The problems, one line each."""
    lines = [f"{r['file']}: the rule of {r['symbol']}: {problem}" for r in result["rules"] for problem in r["problems"]]
    more = [f"and {len(lines) - _MOST_SHOWN} more"] if len(lines) > _MOST_SHOWN else []
    return [*lines[:_MOST_SHOWN], *more]


def main(argv: Sequence[str] | None = None) -> int:
    """The program; returns its exit code."""
    flags = argparse.ArgumentParser(prog="certify", description=__doc__.splitlines()[0], allow_abbrev=False)
    flags.add_argument("--rules", action="append", required=True, help="a file with rules; may be repeated")
    flags.add_argument("--out", type=pathlib.Path, required=True, help="the certificate to write")
    args = flags.parse_args(argv)
    # Before TensorFlow and JAX are imported; without oneDNN TensorFlow lacks some convolutions on the CPU.
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {_FLAGS}".strip()
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"
    try:
        result = certificate(args.rules)
    except RuleFileError as error:
        print(error, file=sys.stderr)
        return _BAD_INPUT
    args.out.write_text(json.dumps(result, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    for line in said(result):
        print(line, file=sys.stderr)
    return _CHECK_FAILED if result["verdict"] == "failed" else 0


if __name__ == "__main__":
    sys.exit(main())
