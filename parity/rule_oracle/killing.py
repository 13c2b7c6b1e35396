"""Does a rule's own test fail on a mutant of the rule?"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any

from parity.rule_oracle import compare, drawing
from parity.rule_oracle.bench import Bench, Ready, Status, settled
from parity.rule_oracle.mutants import Mutant
from parity.rule_oracle.original import Expected, expected
from parity.rule_oracle.unknowing import definition_of

_CHUNK = 8


class Killer:
    """A bench with the programs of the rule as it is, so that a mutant runs only where its program is another."""

    def __init__(self, bench: Bench):
        self.bench = bench
        pairs = list(zip(bench.ready, bench.verdicts(), strict=True))
        #: What the rule's own test says of the rule as it is.
        self.wrong = [verdict for _, verdict in pairs if verdict.status is Status.WRONG]
        self.ready = [ready for ready, verdict in pairs if verdict.status is not Status.WRONG]
        #: Cases that the rule refuses for what it does not know, where a mutant may refuse, too.
        self.refused = {id(r) for r, verdict in pairs if r.unknown and verdict.status is Status.REFUSED}
        own = bench.rule.function
        self.texts = [
            bench.program(ready, own, ready.weights).text if ready.expected.probe is None else None
            for ready in self.ready
        ]

    def kills(self, mutant: Mutant) -> bool:
        """Runs the mutant until a case tells it from TensorFlow."""
        return any(self._wrong(mutant.function, chunk) for chunk in self._chunks())

    def why_same(self, mutant: Mutant) -> str | None:
        """Why nothing can tell a mutant from the rule, where nothing can."""
        if mutant.default is not None and self._is_twin(*mutant.default):
            return "a default dtype of 64 bits for one of 32, or back, which JAX computes with 32"
        if mutant.operator == "swapped arguments" and self._never_taken() & _differing(
            self.bench.rule.function, mutant
        ):
            return "arguments swapped of which the installed TensorFlow, where the rule is tested, takes only one"
        if self.is_same_default(mutant):
            return "a default with which TensorFlow itself gives the same results, or which is never in force"
        if self.is_symmetric(mutant):
            return "two arguments swapped of a function that does not care for their order"
        return None

    def _never_taken(self) -> set[str]:
        """Parameters with which TensorFlow took no case."""
        tried = {case.kind for case, _ in self.bench.rejected} & self.bench.rule.signature.parameters.keys()
        return tried.difference(*(self._bound(ready) for ready in self.bench.ready))

    def _is_twin(self, name: str, value: Any) -> bool:
        own = self.bench.rule.signature.parameters[name].default
        return {own, value} in ({"int32", "int64"}, {"float32", "float64"}) if isinstance(own, str) else False

    def is_same_default(self, mutant: Mutant) -> bool:
        """Does TensorFlow itself not tell the mutant's default from its own? Then nor can a test.

        So it is where the results are the same with the value stated, where TensorFlow takes no such value, or where
        it takes no call without a value, so that no default is ever in force.
        """
        if mutant.default is None:
            return False
        name, value = mutant.default
        samples = [ready for ready in self.ready if ready.case.kind == "sample"]
        in_force = [ready for ready in samples if name not in self._bound(ready)]
        if not in_force:
            return bool(samples) and all(self._stated(ready, name) is None for ready in samples)
        check = drawing.check_drawn if self.bench.rule.random else compare.check
        for ready in in_force:
            stated = self._stated(ready, name, value)
            if stated is None:
                continue
            try:
                check(ready.expected.result, stated.result)
            except AssertionError:
                return False
        return True

    def _bound(self, ready: Ready) -> dict[str, Any]:
        args, kwargs = ready.inputs
        return dict(self.bench.rule.signature.bind(*args, **kwargs).arguments)

    def _stated(self, ready: Ready, name: str, *value: Any) -> Expected | None:
        """What TensorFlow gives with this value for an argument, or without the argument; None where it raises."""
        args, kwargs = ready.inputs
        if not value:
            kept = self.bench.rule.signature.bind(*args, **kwargs)
            kept.arguments.pop(name)
            try:
                args, kwargs = kept.args, kept.kwargs
            except KeyError:
                return None
        try:
            stated = {name: value[0]} if value else {}
            return expected(self.bench.rule, self.bench.symbol, (args, {**kwargs, **stated}), gradients=False)
        except Exception:  # TensorFlow raises errors of every class
            return None

    def is_symmetric(self, mutant: Mutant) -> bool:
        """Are two arguments swapped of a function that does not care for their order?

        Then the mutant is another program, with the results of the rule on inputs that are random.
        """
        if mutant.operator != "swapped arguments":
            return False
        for ready, text in zip(self.ready, self.texts, strict=True):
            if ready.case.kind == "sample" and text is not None and compare.floats(ready.inputs):
                other = self.bench.program(ready, mutant.function, ready.weights).text
                if other is not None and other != text:
                    return True
        return False

    def _chunks(self) -> Iterator[range]:
        samples = sum(ready.case.kind in ("sample", "unknown") for ready in self.ready)
        yield range(samples)
        for start in range(samples, len(self.ready), _CHUNK):
            yield range(start, min(start + _CHUNK, len(self.ready)))

    def _wrong(self, function: Callable[..., Any], chunk: range) -> bool:
        objects = [self.ready[i] for i in chunk if self.ready[i].expected.probe is not None]
        traced = [i for i in chunk if self.ready[i].expected.probe is None]
        made = [(i, self.bench.program(self.ready[i], function, self.ready[i].weights)) for i in traced]
        other = [(self.ready[i], p) for i, p in made if p.text is None or p.text != self.texts[i]]
        drawn = [
            self.bench.drawn(r, function, o) for (r, _), o in zip(other, settled([p for _, p in other]), strict=True)
        ]
        outcomes = [*drawn, *self.bench.outcomes(objects, function)]
        pairs = zip([*(ready for ready, _ in other), *objects], outcomes, strict=True)
        return any(
            self.bench.judged(ready, outcome).status is Status.WRONG
            or ready.unknown
            and outcome.error is not None
            and id(ready) not in self.refused
            for ready, outcome in pairs
        )


def _differing(function: Callable[..., Any], mutant: Mutant) -> set[str]:
    """Names in whose places the mutant has others."""
    nodes = zip(ast.walk(definition_of(function)), ast.walk(definition_of(mutant.function)), strict=False)
    pairs = [(one.id, other.id) for one, other in nodes if isinstance(one, ast.Name) and isinstance(other, ast.Name)]
    return {name for pair in pairs for name in pair if pair[0] != pair[1]}
