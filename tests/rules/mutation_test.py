"""The rules' own tests fail on mutants of the rules: of those that have changed, and of a seeded sample of the rest."""

from __future__ import annotations

import zlib
from pathlib import Path

from absl.testing import absltest

from tests.rules import kill_rate, measured
from tests.rules.surveying import entries, survey

SEED = 3
ONE_IN = 25
#: Of all mutants of all rules. The goal is 0.99; docs/rule_mutants.md lists what is not noticed yet.
LEAST = 0.98
#: Rules that this test measures because they have changed; with more of them it would take too long.
_MOST = 40
_ROOT = Path(__file__).absolute().parents[2]
_AGAIN = "run ./bazelw run //tests/rules:kill_rate"


class MutationTest(absltest.TestCase):
    def test_mutants_are_killed(self) -> None:
        known, rules = measured.read(_ROOT), dict(entries())
        changed = [s for s, e in rules.items() if s in known and known[s].digest != measured.digest_of(e)]
        self.assertLessEqual(len(changed), _MOST, f"{len(changed)} rules have changed: {_AGAIN}")
        again = [s for s in rules if zlib.crc32(f"{SEED} {s}".encode()) % ONE_IN == 0]
        found = dict(survey((s, rules[s]) for s in dict.fromkeys([*changed, *again])))
        for symbol in again:
            if symbol in known and symbol not in changed:
                new = set(found[symbol].survivors) - set(known[symbol].survivors)
                self.assertEmpty(new, f"{symbol}: the published figures say that these are noticed; {_AGAIN}")
        total = {symbol: entry for symbol, entry in {**known, **found}.items() if symbol in rules}
        left = "\n".join(f"{symbol}: {mutant}" for symbol in total for mutant in total[symbol].survivors)
        self.assertGreaterEqual(
            measured.rate(total.values()), LEAST, f"these survive; give the rules samples that tell:\n{left}"
        )

    def test_page_is_what_was_measured(self) -> None:
        expected = kill_rate.page(measured.read(_ROOT), measured.number(_ROOT))
        self.assertEqual((_ROOT / kill_rate.PAGE).read_text(encoding="utf-8"), expected, _AGAIN)


if __name__ == "__main__":
    absltest.main()
