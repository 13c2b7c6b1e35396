"""The pages of the reference are what the rules and the policy say now."""

from __future__ import annotations

import pathlib
import re

from absl.testing import absltest, parameterized

from codemods.coverage import reference_pages
from codemods.coverage.reference import COMMAND, _named
from codemods.engine import rule as rules
from codemods.engine.handled import HANDLED
from codemods.policy.entries import ENTRIES

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "docs" / "reference"
PAGES = reference_pages.pages()


class ReferenceTest(parameterized.TestCase):
    @parameterized.parameters(sorted(PAGES))
    def test_is_fresh(self, name: str) -> None:
        path = FOLDER / name
        found = path.read_text(encoding="utf-8") if path.exists() else ""
        if found != PAGES[name]:
            old, new = set(found.splitlines()), set(PAGES[name].splitlines())
            lines = [f"-{line}" for line in sorted(old - new)[:5]] + [f"+{line}" for line in sorted(new - old)[:5]]
            self.fail(f"docs/reference/{name} is out of date; run `{COMMAND}`\n" + "\n".join(lines))

    def test_no_other_pages(self) -> None:
        self.assertEqual({path.name for path in FOLDER.glob("*.md")}, set(PAGES), f"run `{COMMAND}`")

    def test_holds_every_symbol(self) -> None:
        text = "".join(PAGES.values())
        shown = set(re.findall(r"^\| `([^`]+)`", text, re.MULTILINE))
        every = {*rules.RULES, *rules.OBJECTS, *rules.CONSTANTS, *HANDLED, *ENTRIES}
        self.assertEmpty(every - shown)

    def test_no_cell_is_empty_that_says_what_a_symbol_becomes(self) -> None:
        rows = [line.split(" | ") for page in PAGES.values() for line in page.splitlines() if line.startswith("| `")]
        self.assertEmpty([row[0] for row in rows if not row[1].strip(" |")])

    def test_aliases_are_named(self) -> None:
        self.assertIn("`tf.math.reduce_sum`", _named("tf.reduce_sum"))


if __name__ == "__main__":
    absltest.main()
