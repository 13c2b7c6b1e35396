"""What a run may use up, and what it has."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from decimal import Decimal

from agent.config import Limits
from agent.records import Usage
from agent.replies import NoReply


class BudgetError(NoReply):
    """The budget is used up; nothing more is asked."""


class CallsSpent(BudgetError):
    """No call is left."""


class TokensSpent(BudgetError):
    """No token is left."""


class MoneySpent(BudgetError):
    """No money is left."""


class TimeSpent(BudgetError):
    """No time is left."""


class Budget:
    """Counts calls, tokens, money and time against limits; used by several threads."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic):
        self.limits = limits
        self.calls = self.tokens = 0
        self.cost = Decimal(0)
        self._clock, self._started = clock, clock()
        self._lock = threading.Lock()

    @property
    def seconds_left(self) -> float | None:
        """None without a limit."""
        if self.limits.seconds is None:
            return None
        return max(0.0, self.limits.seconds - (self._clock() - self._started))

    def take_call(self) -> None:
        """Counts a call that is about to be made.

        Raises:
          BudgetError: it may not be made.
        """
        with self._lock:
            limits = self.limits
            if limits.calls is not None and self.calls >= limits.calls:
                raise CallsSpent(f"the budget of {limits.calls} calls is used up")
            if limits.tokens is not None and self.tokens >= limits.tokens:
                raise TokensSpent(f"the budget of {limits.tokens} tokens is used up")
            if limits.cost is not None and self.cost >= Decimal(limits.cost):
                raise MoneySpent(f"the budget of ${limits.cost} is used up")
            if self.seconds_left == 0:
                raise TimeSpent(f"the budget of {limits.seconds:g} s is used up")
            self.calls += 1

    def spend(self, usage: Usage) -> None:
        """Counts what a call took."""
        with self._lock:
            self.tokens += usage.input_tokens + usage.output_tokens
            self.cost += Decimal(usage.cost)

    def __str__(self) -> str:
        return f"{self.calls} calls, {self.tokens} tokens, ${self.cost:.4f}"
