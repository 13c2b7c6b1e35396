"""Says on standard error what is being done: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator

from rich import console as rich_console


class Progress:
    """The steps of one command, with the seconds that each took.

    Attributes:
      seconds: time of every step so far, by its name, in order.
    """

    def __init__(self, quiet: bool = False):
        self.seconds: dict[str, float] = {}
        self._quiet = quiet
        self._started = time.monotonic()
        self._console = rich_console.Console(stderr=True, highlight=False)

    @property
    def total(self) -> float:
        """Seconds since the command began."""
        return time.monotonic() - self._started

    @contextlib.contextmanager
    def step(self, name: str, text: str) -> Iterator[None]:
        """Shows `text` while the body runs, and the time once it is done."""
        started = time.monotonic()
        if self._quiet:
            shown: contextlib.AbstractContextManager = contextlib.nullcontext()
        elif self._console.is_terminal:
            shown = self._live(text)
        else:
            print(f"{name}: {text}", file=sys.stderr, flush=True)
            shown = contextlib.nullcontext()
        with shown:
            yield
        self.seconds[name] = time.monotonic() - started
        if not self._quiet:
            self._console.print(f"{name}: done in {self.seconds[name]:.1f} s", markup=False)

    @contextlib.contextmanager
    def _live(self, text: str) -> Iterator[None]:
        from rich import progress as rich_progress

        columns = (
            rich_progress.SpinnerColumn(),
            rich_progress.TextColumn("{task.description}", markup=False),
            rich_progress.TimeElapsedColumn(),
        )
        with rich_progress.Progress(*columns, console=self._console, transient=True) as bar:
            bar.add_task(text, total=None)
            yield
