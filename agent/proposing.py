"""Asks for rules of symbols that have none, and certifies what is proposed, in the sandbox."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import re
import tempfile
from collections.abc import Callable, Sequence
from concurrent import futures
from typing import Any

from agent import prompt, rule_reply, sandbox
from agent.errors import EditError
from agent.questions import Question
from agent.records import OpenRequest, Origin
from agent.replies import Answerer, NoReply

_CERTIFIER = "parity.rule_oracle.certify"
_DESCRIBER = "parity.rule_oracle.describe"


@dataclasses.dataclass(frozen=True)
class Proposed:
    """A rule that is certified.

    Attributes:
      name: of the question, and of its file without `.py`.
      text: of the file.
    """

    name: str
    symbol: str
    text: str
    origin: Origin


class Proposing:
    """One unit's symbols without rules.

    Attributes:
      refused: why a symbol has none still, by symbol.
    """

    def __init__(
        self,
        answerer: Answerer,
        folder: pathlib.Path,
        tries: int,
        timeout: float,
        say: Callable[[str], None] = lambda text: None,
        parallel: int = 1,
    ):
        """`folder`: trials are made below it; `timeout`: seconds to certify one rule."""
        self.answerer, self.folder, self.tries, self.timeout, self.say = answerer, folder, tries, timeout, say
        self.parallel = parallel
        self.refused: dict[str, str] = {}

    def run(self, requests: Sequence[OpenRequest]) -> list[Proposed]:
        """Certified rules for symbols that stop these requests, each symbol once."""
        sites: dict[str, list[OpenRequest]] = {}
        for request in requests:
            if request.settles == "rule":
                for cause in request.request.subject.causes:
                    sites.setdefault(cause.symbol, []).append(request)
        with futures.ThreadPoolExecutor(self.parallel) as pool:
            found = list(pool.map(lambda entry: self._propose(*entry), sites.items()))
        return [rule for rule in found if rule is not None]

    def _propose(self, symbol: str, sites: list[OpenRequest]) -> Proposed | None:
        failure: prompt.Failure | None = None
        try:
            about = self._described(symbol)
        except EditError as error:
            self.refused[symbol] = error.reason
            return None
        for _ in range(self.tries):
            try:
                replied = self.answerer.reply(question(symbol, about, sites, failure))
            except NoReply as error:
                self.refused[symbol] = str(error)
                return None
            try:
                code = rule_reply.parsed(replied.raw, symbol)
                certified = self._certified(symbol, code)
            except EditError as error:
                failure = prompt.Failure(replied.raw, error.check, error.reason)
                self.say(f"{symbol}: the rule fails the check `{error.check}`: {error.reason.splitlines()[0]}")
                continue
            self.say(f"{symbol}: the rule of {replied.origin} is certified")
            return Proposed(name(symbol), symbol, _file(code, replied.origin, certified), replied.origin)
        assert failure is not None
        self.refused[symbol] = (
            f"{self.tries} rules, the last failed the check `{failure.check}`: {failure.reason.splitlines()[0]}"
        )
        return None

    def _described(self, symbol: str) -> dict[str, Any]:
        """The symbol's signature and documentation. Raises `EditError` where there is none."""
        place = pathlib.Path(tempfile.mkdtemp(prefix="described-", dir=self.folder))
        done = sandbox.run(_DESCRIBER, [f"--symbol={symbol}", f"--out={place}/about.json"], place, self.timeout)
        if done.code != 0:
            raise EditError("describe", f"the installed TensorFlow has no such function: {done.sentence}")
        return json.loads((place / "about.json").read_text(encoding="utf-8"))

    def _certified(self, symbol: str, code: str) -> dict[str, Any]:
        """What certifying says. Raises `EditError` with the problems."""
        place = pathlib.Path(tempfile.mkdtemp(prefix="rule-", dir=self.folder))
        path = place / f"{name(symbol)}.py"
        path.write_text(code, encoding="utf-8")
        done = sandbox.run(_CERTIFIER, [f"--rules={path}", f"--out={place}/rules.json"], place, self.timeout)
        if done.code is None or done.code < 0:
            raise EditError(
                "certify", f"running it did not end within {self.timeout:g} s and the memory that it may use"
            )
        if done.code not in (0, 4):
            raise EditError("certify", done.sentence.replace(f"{path}:", ""))
        (result,) = json.loads((place / "rules.json").read_text(encoding="utf-8"))["rules"]
        if result["problems"]:
            raise EditError("certify", "\n".join(result["problems"][:4]))
        return result


def name(symbol: str) -> str:
    """The name of a symbol's rule file, without `.py`."""
    return re.sub(r"\W+", "_", symbol).lower()


def question(
    symbol: str, about: dict[str, Any], sites: Sequence[OpenRequest], failure: prompt.Failure | None
) -> Question:
    """Asks for a rule."""
    uses = dict.fromkeys(site.request.subject.region for site in sites)
    text = prompt.rendered(
        "rule.md", failure, symbol=symbol, signature=about["signature"], doc=about["doc"], sites=list(uses)
    )
    return Question(name(symbol), text, rule_reply.SCHEMA, failure.raw if failure is not None else None)


def _file(code: str, origin: Origin, certified: dict[str, Any]) -> str:
    said = (
        f"# Proposed by {origin}. Certified against TensorFlow: {certified['cases'].get('agrees', 0)} cases agree, "
        f"{certified['killed']} of {certified['mutants']} mutants are noticed"
    )
    same = f", {certified['same']} mean the same" if certified["same"] else ""
    return f"{said}{same}.\n{code}"
