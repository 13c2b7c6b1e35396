"""What a rewrite can come to, as values.

A rule or pass never raises to say "not me" and never returns half a result: it returns one of the
classes below. `Refusal` is the one exception, raised inside rule bodies by `refuse` and turned into
a `Residual` at the rule's border.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import NoReturn

import libcst as cst


@dataclasses.dataclass(frozen=True, order=True)
class Span:
    """A place in a source file. Lines count from 1, columns from 0 in characters, as in CPython."""

    file: str
    line: int
    column: int
    end_line: int = 0
    end_column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column + 1}"


@dataclasses.dataclass(frozen=True)
class Residual:
    """A span that no rule or pass may rewrite.

    Attributes:
      symbol: canonical API name (`tf.raw_ops.Foo`) or the name of the construct (`del`, `**kwargs`).
      reason: one sentence, says what to do next where that is known.
      span: where; None until the caller that knows the place fills it in.
    """

    symbol: str
    reason: str
    span: Span | None = None


@dataclasses.dataclass(frozen=True)
class Rewritten:
    """New code for one expression.

    Attributes:
      code: the replacement, already parenthesised for use as an atom where needed.
      prelude: statements that must run before the statement that holds `code`.
      imports: names the code needs, from `IMPORTS` (`jnp`, `nnx`, ...).
      ledgers: by the printed function of a call in `code`, the keywords that are there only because the two
        frameworks' defaults differ; a later step may state them once per file.
      notes: differences of meaning that the user should know of, one sentence each.
      helpers: names of the helpers of the rule (`ObjectRule.helpers`) that the code uses.
    """

    code: cst.BaseExpression
    prelude: tuple[cst.BaseStatement, ...] = ()
    imports: frozenset[str] = frozenset()
    ledgers: Mapping[str, frozenset[str]] = dataclasses.field(default_factory=dict)
    notes: tuple[str, ...] = ()
    helpers: frozenset[str] = frozenset()


@dataclasses.dataclass(frozen=True)
class Unchanged:
    """Nothing to do here, and why."""

    reason: str


Outcome = Rewritten | Unchanged | Residual


class Refusal(Exception):
    """Raised by a rule body for a case it does not cover."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


def refuse(reason: str) -> NoReturn:
    """Ends a rule's body: this call stays as it is, with `reason` in the report."""
    raise Refusal(reason)
