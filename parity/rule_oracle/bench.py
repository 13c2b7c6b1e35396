"""A rule on the bench: all of its cases run on both sides, and what comes of each."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable, Sequence
from typing import Any

from flax import nnx

from codemods.engine.rule import Refused, Rule
from parity.rule_oracle import compare, drawing, inlined, programs
from parity.rule_oracle.original import Expected, Inputs, check_shapes, expected
from parity.rule_oracle.programs import Outcome, Program
from parity.rule_oracle.unknowing import UNKNOWN, unknowing, unknowns
from parity.rule_oracle.variants import DRAWN, Case, cases

#: Kinds in which a random function is no other function than in the sample that they are made of.
_ALIKE = ("float32", "bfloat16", "int32", "bool", "one", "empty", "broadcast", "rank", "scalar", *DRAWN)
#: Kinds that change neither what is known when porting nor, so, the inlined code.
_SAME_CODE = ("one", "empty", "broadcast", *DRAWN)


class Status(enum.Enum):
    AGREES = "agrees"
    REFUSED = "refused"  # the rule leaves this call as it is
    DECLARED = "differs as declared"
    WRONG = "wrong"


@dataclasses.dataclass(frozen=True)
class Verdict:
    case: Case
    status: Status
    detail: str = ""


@dataclasses.dataclass(frozen=True)
class Ready:
    """A case that TensorFlow takes, with the arguments that are taken for unknown when porting."""

    case: Case
    inputs: Inputs
    expected: Expected
    unknown: frozenset[str] = frozenset()

    @property
    def weights(self) -> list[Any] | None:
        return self.expected.weights if self.expected.gradients is not None else None


class Bench:
    """A rule with what TensorFlow gives for its cases. Raises what TensorFlow raises for a sample."""

    def __init__(self, rule: Rule, symbol: str):
        self.rule, self.symbol = rule, symbol
        self.ready: list[Ready] = []
        self.rejected: list[tuple[Case, Exception]] = []
        left_out = {kind for d in rule.differences if d.keeps == "not run" for kind in d.covers}
        for case in cases(rule):
            if case.kind in left_out:
                continue
            inputs = case.drawn(symbol)
            try:
                if case.kind in ("rank", "scalar", "empty"):
                    check_shapes(rule, symbol, inputs)
                found = expected(rule, symbol, inputs, case.kind not in DRAWN, draws=case.kind not in _ALIKE)
            except Exception as error:  # TensorFlow raises errors of every class
                if case.kind == "sample":
                    raise
                self.rejected.append((case, error))
                continue
            self.ready.append(Ready(case, inputs, found))
            if case.kind == "sample" and found.probe is None:
                unknown = dataclasses.replace(case, kind="unknown")
                self.ready += [Ready(unknown, inputs, found, names) for names in unknowns(rule, inputs)]

    def body(self, function: Callable[..., Any], inputs: Inputs, seed: Any = 0) -> Any:
        """What a body gives. `rngs` stands for itself in bodies: whoever runs one brings it."""
        args, kwargs = compare.mapped(compare.for_jax, inputs)
        function.__globals__["rngs"] = nnx.Rngs(seed)
        try:
            return function(*args, **kwargs)
        finally:
            del function.__globals__["rngs"]

    def program(self, ready: Ready, function: Callable[..., Any], weights: Any) -> Program:
        if not ready.unknown:
            return Program(lambda inputs: self.body(function, inputs), ready.inputs, weights)
        asking = unknowing(function)

        def run(inputs: Inputs) -> Any:
            asking.__globals__[UNKNOWN] = ready.unknown  # when it runs: other cases share the function
            return self.body(asking, inputs)

        return Program(run, ready.inputs, weights)

    def verdicts(self, function: Callable[..., Any] | None = None) -> list[Verdict]:
        """Runs the body, or another in its place, on all cases."""
        function = function or self.rule.function
        outcomes = self.outcomes(self.ready, function)
        return [self.judged(ready, outcome) for ready, outcome in zip(self.ready, outcomes, strict=True)]

    def outcomes(self, ready: Sequence[Ready], function: Callable[..., Any]) -> list[Outcome]:
        """Runs a body on some of the cases. Objects, which probes look at, are not traced."""
        found = iter(settled([self.program(r, function, r.weights) for r in ready if r.expected.probe is None]))
        return [
            self.drawn(r, function, next(found)) if r.expected.probe is None else self._object(r, function)
            for r in ready
        ]

    def drawn(self, ready: Ready, function: Callable[..., Any], outcome: Outcome) -> Outcome:
        """The outcome with as many draws as TensorFlow's side has."""
        draws = ready.expected.draws
        if draws is None or outcome.error is not None or ready.unknown:
            return outcome
        found = drawing.of_jax(lambda key: self.body(function, ready.inputs, key), len(draws))
        return dataclasses.replace(outcome, draws=found)

    def _object(self, ready: Ready, function: Callable[..., Any]) -> Outcome:
        try:
            return Outcome(ready.expected.probe(self.body(function, ready.inputs)))
        except Exception as error:
            return Outcome(error=error)

    def judged(self, ready: Ready, outcome: Outcome) -> Verdict:
        case = ready.case
        if ready.unknown and outcome.error is not None:
            return Verdict(case, Status.REFUSED, "the body has to know")
        if isinstance(outcome.error, Refused):
            if case.kind == "sample":
                return Verdict(case, Status.WRONG, f"its own sample is refused: {outcome.error}")
            return Verdict(case, Status.REFUSED, str(outcome.error))
        untraced = not outcome.traced and outcome.error is None and case.kind == "sample"
        if untraced and not any("jit" in d.covers for d in self.rule.differences):
            return Verdict(
                case, Status.WRONG, "works outside of jax.jit alone: its shapes or branches depend on values"
            )
        try:
            self.compare(ready, outcome, keeps=None)
        except AssertionError as error:
            problem = str(error)
        else:
            return Verdict(case, Status.AGREES)
        for difference in self.rule.differences:
            if case.kind in difference.covers:
                try:
                    self.compare(ready, outcome, keeps=difference.keeps)
                except AssertionError as error:
                    problem = f"not even what is declared to hold ({difference.keeps}): {error}"
                else:
                    return Verdict(case, Status.DECLARED, difference.when)
        return Verdict(case, Status.WRONG, problem)

    def compare(self, ready: Ready, outcome: Outcome, keeps: str | None) -> None:
        """Raises AssertionError unless the outcome is the expected one, or as much of it as a difference keeps."""
        if keeps == "":
            return
        if outcome.error is not None:
            raise AssertionError(f"{type(outcome.error).__name__}: {outcome.error}") from outcome.error
        want, got = ready.expected, outcome.result
        if keeps == "shape":
            shapes = [[getattr(x, "shape", ()) for x in compare.leaves(side)] for side in (want.result, got)]
            assert shapes[0] == shapes[1], f"shapes {shapes[0]} became {shapes[1]}"
            return
        if keeps == "nearby values":
            compare.check_nearby(want.result, got)
            return
        check = drawing.check_drawn if self.rule.random else compare.check
        check(want.result, got, self.rule.differences, dtypes=keeps != "values of another dtype")
        if want.draws is not None and outcome.draws is not None:
            drawing.check(want.draws, outcome.draws)
        if keeps is None and want.gradients is not None:
            assert outcome.gradients is not None, "JAX has no gradient"
            compare.check(want.gradients, list(outcome.gradients), where="gradient")

    def inlined(self) -> list[Verdict]:
        """Compares what the engine makes of the body with the body."""
        pairs: list[tuple[Ready, Program, Program]] = []
        objects: list[Verdict] = []
        for ready in self.ready:
            if ready.case.kind in _SAME_CODE or ready.unknown:
                continue
            if ready.expected.probe is not None:
                if ready.case.kind == "sample":
                    objects.append(self._inlined_object(ready))
                continue
            body = self.program(ready, self.rule.function, None)
            code = Program(lambda inputs: inlined.run(self.rule, inputs, self.symbol), ready.inputs, None)
            if body.text is None or body.text != code.text:
                pairs.append((ready, body, code))
        outcomes = programs.run([program for _, *both in pairs for program in both])
        compared = [self._inlined(r, outcomes[2 * i], outcomes[2 * i + 1]) for i, (r, *_) in enumerate(pairs)]
        return objects + compared

    def _inlined_object(self, ready: Ready) -> Verdict:
        try:
            code = Outcome(ready.expected.probe(inlined.run(self.rule, ready.inputs, self.symbol)))
        except Exception as error:
            code = Outcome(error=error)
        return self._inlined(ready, self._object(ready, self.rule.function), code)

    def _inlined(self, ready: Ready, body: Outcome, code: Outcome) -> Verdict:
        if body.error is not None:
            return Verdict(ready.case, Status.REFUSED)  # told by `verdicts`
        if isinstance(code.error, inlined.Stays) and ready.case.kind != "sample":
            return Verdict(ready.case, Status.REFUSED, str(code.error))
        if code.error is not None:
            return Verdict(ready.case, Status.WRONG, f"inlined: {type(code.error).__name__}: {code.error}")
        try:
            compare.check(body.result, code.result, where="inlined")
        except AssertionError as error:
            return Verdict(ready.case, Status.WRONG, str(error))
        return Verdict(ready.case, Status.AGREES)


def settled(made: Sequence[Program]) -> list[Outcome]:
    """What programs come to; those that fail with their gradients, without them."""
    outcomes = programs.run(made)
    failed = [i for i, (p, o) in enumerate(zip(made, outcomes, strict=True)) if o.error is not None and p.weights]
    again = programs.run([Program(made[i].function, made[i].inputs, None) for i in failed])
    for i, outcome in zip(failed, again, strict=True):
        outcomes[i] = outcome
    return outcomes


def unused(rule: Rule, verdicts: Sequence[Verdict]) -> list[str]:
    """What a rule's differences say of kinds none of which needs it."""
    needed = {verdict.case.kind for verdict in verdicts if verdict.status is Status.DECLARED}
    # Where NaN ends up depends on the machine's kernels, and whether a function can be traced is told by its samples.
    covering = [d for d in rule.differences if d.keeps != "not run" and set(d.covers) - {"nan", "jit"}]
    return [difference.when for difference in covering if needed.isdisjoint(difference.covers)]
