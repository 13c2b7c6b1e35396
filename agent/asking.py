"""Asks for what no rule knows, until the unit is ported and verified or there is nothing more to be had."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent import futures
from decimal import Decimal

from agent import questions
from agent.errors import EditError
from agent.pages import Page, for_prompt
from agent.plans import Plan
from agent.prompt import Failure
from agent.questions import Question
from agent.records import Answer, OpenRequest, State, Usage, Verdict
from agent.replies import Answerer, NoReply
from agent.reply import parsed
from agent.trials import Trials

_STATIC = ("form", "applies", "parses", "names", "screen")
_NOT_VERIFIED = "not run: other places of the unit have no answer yet"


@dataclasses.dataclass
class Outcome:
    """What came of asking.

    Attributes:
      answers: those that hold, old and new, by their keys.
      new: the keys of those that were given now.
      open: what has no answer, and why.
      verified: the level that the whole unit reached; None where it was not verified.
    """

    answers: dict[str, Answer]
    new: set[str]
    open: list[tuple[OpenRequest, str]]
    verified: str | None


class Asking:
    """One unit and one who answers."""

    def __init__(
        self,
        trials: Trials,
        answerer: Answerer,
        tries: int,
        say: Callable[[str], None] = lambda text: None,
        parallel: int = 1,
        plan: Plan | None = None,
        unasked: bool = False,
        pages: Sequence[Page] = (),
    ):
        """`tries`: how often each request is put; `say`: shows progress; `parallel`: requests at the same time.

        `pages`: of playbooks; those that speak about a request's symbols go into its prompt.
        `unasked`: verify also where nothing is left to ask, and nothing was answered.
        `plan`: what is left out, and in which order the rest is asked about, among what may be asked at one time.
        """
        self.parallel, self._unasked, self._pages = parallel, unasked, pages
        self._order = {item.key: place for place, item in enumerate(plan.items)} if plan is not None else {}
        self._skipped = {item.key for item in plan.items if item.skip} if plan is not None else set()
        self.trials, self.answerer, self.tries, self.say = trials, answerer, tries, say
        self.usage: dict[str, Usage] = {}
        self._tried: collections.Counter[str] = collections.Counter()
        self._failures: dict[str, Failure] = {}
        self._stopped: dict[str, str] = {}

    def run(self, old: Iterable[Answer]) -> Outcome:
        """Asks and checks.

        Args:
          old: answers that are recorded already; they stay as they are.
        """
        accepted = {answer.key: answer for answer in old}
        new: set[str] = set()
        while True:
            state, place = self.trials.port(accepted.values())
            ready = self._ready(state)
            if ready:
                before = dict(accepted)
                self.say(
                    f"asking about {len(ready)} of {len(state.open)} places that are left; {len(accepted)} are answered"
                )
                with futures.ThreadPoolExecutor(self.parallel) as pool:
                    answered = list(pool.map(lambda request: self._answer(request, before), ready))
                for answer in answered:
                    if answer is not None:
                        accepted[answer.key] = answer
                        new.add(answer.key)
                continue
            if state.open or state.problems or not (accepted or self._unasked):
                break
            try:
                certificate = self.trials.verify(place)
            except EditError as error:
                self.say(f"the port with the answers fails: {error.reason.splitlines()[0]}")
                if not new:
                    raise
                self._reject(new, accepted, error)
                continue
            accepted = {key: self._verified(answer, certificate["reached"]) for key, answer in accepted.items()}
            return Outcome(accepted, new, [], certificate["reached"])
        left = [
            (request, self._stopped.get(request.key, f"waits for {', '.join(request.after)}")) for request in state.open
        ]
        return Outcome(accepted, new, left, None)

    def _ready(self, state: State) -> list[OpenRequest]:
        """What may be asked now: first what others are built on, which may settle those without a word."""
        for request in state.open:
            if request.key in self._skipped:
                self._stopped.setdefault(request.key, "skipped by the plan")
        left = [request for request in state.open if request.key not in self._stopped]
        left.sort(key=lambda request: self._order.get(request.key, len(self._order)))
        definitions = {request.request.subject.function.split(".")[0] for request in state.open}
        first = [request for request in left if not definitions & set(request.after)]
        # Where all wait for each other, one of them has to come first.
        return first or (left if len(left) == len(state.open) else [])

    def _answer(self, request: OpenRequest, accepted: Mapping[str, Answer]) -> Answer | None:
        """An answer that passes all checks of its own, or None, and why is kept."""
        place = f"{request.file}:{request.line}"
        while self._tried[request.key] < self.tries:
            try:
                replied = self.answerer.reply(self._question(request))
            except NoReply as error:
                self._stopped[request.key] = str(error)
                return None
            self._tried[request.key] += 1
            used = _sum(self.usage.get(request.key, Usage()), replied.usage)
            self.usage[request.key] = used
            try:
                reply = parsed(replied.raw)
                answer = Answer(
                    key=request.key, request=request.request, origin=replied.origin, raw=replied.raw, edit=reply.edits,
                    usage=used, verdicts=(),
                ).sealed()  # fmt: skip
                self._try(answer, accepted)
            except EditError as error:
                self._failures[request.key] = Failure(replied.raw, error.check, error.reason)
                self.say(f"{place}: the reply fails the check `{error.check}`: {error.reason.splitlines()[0]}")
                continue
            self.say(f"{place}: the reply of {replied.origin} passes its own checks")
            verdicts = [Verdict(check=check, passed=True) for check in (*_STATIC, "port")]
            verdicts.append(Verdict(check="verify", passed=False, detail=_NOT_VERIFIED))
            return answer.model_copy(update={"verdicts": tuple(verdicts)}).sealed()
        failure = self._failures[request.key]
        self._stopped[request.key] = (
            f"{self._tried[request.key]} replies, the last failed the check `{failure.check}`: "
            f"{failure.reason.splitlines()[0]}"
        )
        return None

    def _question(self, request: OpenRequest) -> Question:
        symbols = [cause.symbol for cause in request.request.subject.causes]
        return questions.edit(request, self._failures.get(request.key), for_prompt(self._pages, symbols))

    def _try(self, answer: Answer, accepted: Mapping[str, Answer]) -> None:
        """Ports with one more answer. Raises `EditError`."""
        state, _ = self.trials.port([*accepted.values(), answer])
        for problem in state.problems:
            if problem.key == answer.key:
                raise EditError(problem.check, problem.reason)

    def _reject(self, new: set[str], accepted: dict[str, Answer], error: EditError) -> None:
        """The unit fails with the new answers: each is asked for again, with the failure."""
        for key in sorted(new):
            self._failures[key] = Failure(accepted.pop(key).raw, error.check, error.reason)
        new.clear()

    def _verified(self, answer: Answer, level: str) -> Answer:
        """The answer with the verdict of the whole unit; one that has it already is not touched."""
        verdict = Verdict(check="verify", passed=True, detail=level)
        if answer.verdicts and answer.verdicts[-1] == verdict:
            return answer
        kept = tuple(v for v in answer.verdicts if v.check != "verify")
        return answer.model_copy(update={"verdicts": (*kept, verdict)}).sealed()


def _sum(a: Usage, b: Usage) -> Usage:
    return Usage(
        calls=a.calls + b.calls,
        input_tokens=a.input_tokens + b.input_tokens,
        output_tokens=a.output_tokens + b.output_tokens,
        cost=format(Decimal(a.cost) + Decimal(b.cost), "f"),
    )
