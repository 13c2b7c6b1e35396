"""The rules' own tests fail on mutants of the rules: a seeded sample of rules, with all mutants of each."""

from __future__ import annotations

import zlib

from absl.testing import absltest

from tests.rules.surveying import entries, survey

SEED = 3
ONE_IN = 10
#: What holds today; the aim is 0.99. Raise it with the samples that the survivors ask for.
LEAST = 0.87


class MutationTest(absltest.TestCase):
    def test_mutants_are_killed(self) -> None:
        chosen = [(s, e) for s, e in entries() if zlib.crc32(f"{SEED} {s}".encode()) % ONE_IN == 0]
        found = survey(chosen)
        self.assertGreater(found.made.total(), 100)
        left = "\n".join(f"{symbol}: {mutant}" for symbol, mutant in found.survivors)
        self.assertGreaterEqual(found.rate, LEAST, f"these survive; give the rules samples that tell:\n{left}")


if __name__ == "__main__":
    absltest.main()
