"""Measures all mutants of all rules, and writes what it finds to `docs/rule_mutants.md`."""

from __future__ import annotations

import os
from pathlib import Path

from absl import app

from tests.rules.surveying import Survey, entries, survey

PAGE = "docs/rule_mutants.md"


def page(found: Survey) -> str:
    """The page, the same for the same rules."""
    rows = [
        f"| {operator} | {made} | {found.killed[operator]} | {found.killed[operator] / made:.1%} |"
        for operator, made in sorted(found.made.items())
    ]
    left = [f"- `{symbol}`, {mutant}" for symbol, mutant in found.survivors]
    return "\n".join(
        [
            "# Do the rules' own tests notice a mistake?",
            "",
            "Each rule's body was changed in one place at a time, as a careless author might have written it, and the",
            "rule's generated test was run on it. Changes that no test can notice are not made; `tests/rules/mutants.py`",
            "says which those are. Written by `./bazelw run //tests/rules:kill_rate`; `//tests/rules:mutation_test`",
            "holds a sample to 99 %.",
            "",
            f"{found.made.total()} mutants of {found.rules} rules, {found.killed.total()} noticed: {found.rate:.2%}.",
            f"{found.same} more change a default to a value with which TensorFlow itself gives the same results, or swap",
            "arguments of a function that does not care for their order.",
            "",
            "| change | mutants | noticed | rate |",
            "|---|---|---|---|",
            *rows,
            *(["", "Not noticed:", "", *left] if left else []),
            "",
        ]
    )


def main(arguments: list[str]) -> None:
    root = Path(os.environ.get("BUILD_WORKSPACE_DIRECTORY", "."))
    found = survey(entries())
    (root / PAGE).write_text(page(found))
    print(f"{found.killed.total()} of {found.made.total()} mutants noticed ({found.rate:.2%}); see {PAGE}")


if __name__ == "__main__":
    app.run(main)
