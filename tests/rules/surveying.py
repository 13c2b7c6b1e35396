"""Runs the mutants of rules, and tells those that the rules' own tests fail on."""

from __future__ import annotations

import collections
from collections.abc import Iterable, Iterator

import jax
from absl import logging

from codemods import mappings
from codemods.engine import rule as rules
from codemods.engine.rule import Rule
from parity.rule_oracle import compare
from parity.rule_oracle.bench import Bench
from parity.rule_oracle.killing import Killer
from parity.rule_oracle.mutants import mutants
from tests.rules.measured import Measured, digest_of

assert mappings  # registers the rules


def entries() -> Iterator[tuple[str, Rule]]:
    """All rules of functions, methods and attributes whose source is installed, by symbol."""
    for table in (rules.RULES, rules.METHODS, rules.ATTRIBUTES):
        for symbol, entry in table.items():
            if entry.samples and (table is not rules.RULES or compare.exists(symbol)):
                yield symbol, entry


def survey(chosen: Iterable[tuple[str, Rule]]) -> Iterator[tuple[str, Measured]]:
    """Makes all mutants of these rules and runs the rules' tests on each."""
    for number, (symbol, entry) in enumerate(chosen, start=1):
        yield symbol, measure(symbol, entry)
        if number % 25 == 0:  # compiled functions of thousands of shapes are many gigabytes
            jax.clear_caches()


def measure(symbol: str, entry: Rule) -> Measured:
    """The mutants of one rule."""
    made: collections.Counter[str] = collections.Counter()
    killed: collections.Counter[str] = collections.Counter()
    same: collections.Counter[str] = collections.Counter()
    survivors = []
    changed = mutants(entry.function)
    killer = Killer(Bench(entry, symbol)) if changed else None
    for verdict in killer.wrong if killer is not None else ():
        logging.warning("the test of %s fails without any change: %s: %s", symbol, verdict.case, verdict.detail)
    for mutant in changed:
        assert killer is not None
        is_killed = killer.kills(mutant)
        reason = None if is_killed else killer.why_same(mutant)
        if reason is not None:
            same[reason] += 1
            continue
        made[mutant.operator] += 1
        if is_killed:
            killed[mutant.operator] += 1
        else:
            survivors.append(str(mutant))
    return Measured(digest_of(entry), dict(made), dict(killed), dict(same), tuple(survivors))
