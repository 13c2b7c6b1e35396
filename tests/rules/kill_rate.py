"""Measures the mutants of the rules that have changed since, and writes `docs/rule_mutants.md`.

With `--all` it measures every rule, for a change of the tests themselves; with `--seconds` it stops after so long, and goes
on the next time.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

from absl import app, flags

from tests.rules import measured
from tests.rules.measured import Measured
from tests.rules.surveying import entries, survey

_ALL = flags.DEFINE_bool("all", False, "Measure the rules that have not changed, too.")
_SECONDS = flags.DEFINE_integer("seconds", 0, "Stop after so long; 0: never.")

PAGE = "docs/rule_mutants.md"


def page(found: Mapping[str, Measured], rules: int) -> str:
    """The page, the same for the same measurements; `rules`: how many there are, measured or not."""
    made, killed, same = (
        measured.summed(getattr(m, name) for m in found.values()) for name in ("made", "killed", "same")
    )
    rows = [
        f"| {operator} | {count} | {killed[operator]} | {killed[operator] / count:.1%} |"
        for operator, count in sorted(made.items())
    ]
    left = [f"- `{symbol}`, {mutant}" for symbol, entry in sorted(found.items()) for mutant in entry.survivors]
    changed = sum(entry.total > 0 for entry in found.values())
    return "\n".join(
        [
            "# Do the rules' own tests notice a mistake?",
            "",
            "Each rule's body was changed in one place at a time, as a careless author might have written it, and the",
            "rule's generated test was run on it. Changes that no test can notice are not made; `parity/rule_oracle/mutants.py`",
            "says which those are. Written by `./bazelw run //tests/rules:kill_rate`, which measures the rules that have",
            "changed; `//tests/rules:mutation_test` measures them, too, and some of the others again.",
            "",
            f"{made.total()} mutants of {changed} rules, {killed.total()} noticed: {measured.rate(found.values()):.2%}.",
            f"{len(found)} of {rules} rules have been measured; of {len(found) - changed} there are no mutants.",
            "",
            "| change | mutants | noticed | rate |",
            "|---|---|---|---|",
            *rows,
            "",
            f"{same.total()} more changes make no difference, and are not counted:",
            "",
            *[f"- {count}: {reason}." for reason, count in sorted(same.items())],
            *(["", "Not noticed:", "", *left] if left else []),
            "",
        ]
    )


def main(arguments: list[str]) -> None:
    root = Path(os.environ.get("BUILD_WORKSPACE_DIRECTORY", "."))
    known, rules = measured.read(root), dict(entries())
    found = {symbol: known[symbol] for symbol in rules if symbol in known}
    due = {s: e for s, e in rules.items() if _ALL.value or s not in found or found[s].digest != measured.digest_of(e)}
    start = time.monotonic()
    for symbol, entry in survey(due.items()):
        found[symbol] = entry
        measured.write(root, found, len(rules))
        if _SECONDS.value and time.monotonic() - start > _SECONDS.value:
            break
    measured.write(root, found, len(rules))
    (root / PAGE).write_text(page(found, len(rules)), encoding="utf-8")
    print(f"{measured.rate(found.values()):.2%} of the mutants are noticed; see {PAGE}")


if __name__ == "__main__":
    app.run(main)
