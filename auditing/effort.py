"""How much of a target's TensorFlow use the tool rewrites, and what is left for people."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable

from auditing.facts import Facts
from codemods.engine.api import is_module
from codemods.policy.verdicts import verdict


@dataclasses.dataclass(frozen=True)
class Effort:
    """Uses of TensorFlow in some files.

    Attributes:
      lines: lines of the files that use it.
      uses: places that name a symbol.
      covered: places whose symbol has a rule, is handled by a pass, or stays as host code.
      blocking: symbols of the other places, most used first.
    """

    lines: int = 0
    uses: int = 0
    covered: int = 0
    blocking: tuple[tuple[str, int], ...] = ()

    @property
    def level(self) -> str:
        """`none`, `automatic`, `some work` (a tenth of the places at most) or `by hand`."""
        left = self.uses - self.covered
        if not self.uses:
            return "none"
        return "automatic" if not left else "some work" if left * 10 <= self.uses else "by hand"


@functools.cache
def is_covered(symbol: str) -> bool:
    """Is a canonical symbol, or the one that it is an attribute of, rewritten, or kept by policy?"""
    found = verdict(symbol)
    parent = symbol.rpartition(".")[0]
    return found.ported or (
        found.kind == "unknown" and parent.count(".") > 0 and not is_module(parent) and is_covered(parent)
    )


def effort(files: Iterable[Facts]) -> Effort:
    """The effort for some files together."""
    lines = uses = covered = 0
    blocking: dict[str, int] = {}
    for facts in files:
        if not facts.tensorflow:
            continue
        lines += facts.lines
        for symbol, count, _ in facts.symbols:
            uses += count
            if is_covered(symbol):
                covered += count
            else:
                blocking[symbol] = blocking.get(symbol, 0) + count
    return Effort(lines, uses, covered, tuple(sorted(blocking.items(), key=lambda item: (-item[1], item[0]))))
