"""Runs the mutants of rules, and counts those that the rules' own tests fail on."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Iterable, Iterator

import jax

from codemods import mappings
from codemods.engine import rule as rules
from codemods.engine.rule import Rule
from tests.rules import compare
from tests.rules.bench import Bench
from tests.rules.killing import Killer
from tests.rules.mutants import Mutant, mutants

assert mappings  # registers the rules


@dataclasses.dataclass
class Survey:
    """How many mutants were made and killed, by operator, and which survived, by symbol.
    `same` counts what is left out of the rest: defaults that TensorFlow itself does not tell from its own, and swapped
    arguments of functions that do not care for their order."""

    made: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    killed: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    survivors: list[tuple[str, Mutant]] = dataclasses.field(default_factory=list)
    rules: int = 0
    same: int = 0

    @property
    def rate(self) -> float:
        return self.killed.total() / max(self.made.total(), 1)


def entries() -> Iterator[tuple[str, Rule]]:
    """All rules of functions, methods and attributes whose source is installed, by symbol."""
    for table in (rules.RULES, rules.METHODS, rules.ATTRIBUTES):
        for symbol, entry in table.items():
            if entry.samples and (table is not rules.RULES or compare.exists(symbol)):
                yield symbol, entry


def survey(chosen: Iterable[tuple[str, Rule]]) -> Survey:
    """Makes all mutants of these rules and runs the rules' tests on each."""
    found = Survey()
    for symbol, entry in chosen:
        made = mutants(entry.function)
        if not made:
            continue
        killer = Killer(Bench(entry, symbol))
        found.rules += 1
        for mutant in made:
            killed = killer.kills(mutant)
            if not killed and (killer.is_same_default(mutant) or killer.is_symmetric(mutant)):
                found.same += 1
                continue
            found.made[mutant.operator] += 1
            if killed:
                found.killed[mutant.operator] += 1
            else:
                found.survivors.append((symbol, mutant))
        if found.rules % 25 == 0:  # compiled functions of thousands of shapes are many gigabytes
            jax.clear_caches()
    return found
