"""Symbols that passes handle: what no rule for one call could say.

A pass declares the symbols that it handles beside the code that does, and goes by the set that
comes back:

    _SCOPES = handled(
        "tf.name_scope",
        becomes="left out: nothing is named in a graph",
        sample='''
            def f(x):
                with SYMBOL("block"):
                    return tf.abs(x)
        ''',
    )

`tests/coverage` ports the sample with every symbol in the place of `SYMBOL`: nothing may be left.
"""

from __future__ import annotations

import dataclasses
import inspect
import sys
from collections.abc import Sequence

from codemods.engine.api import canonical


@dataclasses.dataclass(frozen=True)
class Handled:
    """One declaration of a pass.

    Attributes:
      symbols: canonical names.
      becomes: what the user finds in the port, for the reference and for reports.
      sample: code with `SYMBOL` in it (`import tensorflow as tf` stands above) that ports in full.
      shows: what the sample's port has in it.
      only: where the symbol is handled, if not everywhere, as a phrase: "as a decorator".
      where: the module that declares it.
    """

    symbols: tuple[str, ...]
    becomes: str
    sample: str
    shows: Sequence[str] = ()
    only: str = ""
    where: str = ""


#: By canonical symbol; several passes may handle several uses of one.
HANDLED: dict[str, list[Handled]] = {}


def handled(
    *symbols: str, becomes: str, sample: str, shows: str | Sequence[str] = (), only: str = ""
) -> frozenset[str]:
    """Declares symbols that the calling module handles; returns their canonical names.

    Args:
      *symbols: names of the API, any alias.
      becomes, sample, only: see `Handled`.
      shows: one text, or several, that the port of the sample must hold.
    """
    names = tuple(dict.fromkeys(canonical(symbol) for symbol in symbols))
    where = sys._getframe(1).f_globals.get("__name__", "")
    texts = (shows,) if isinstance(shows, str) else tuple(shows)
    entry = Handled(names, becomes, inspect.cleandoc(sample), texts, only, where)
    for name in names:
        HANDLED.setdefault(name, []).append(entry)
    return frozenset(names)
