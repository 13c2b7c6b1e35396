"""Arguments that are tried on functions of tensors of which nothing is known."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

_SPECS = ("float32[4,3]", "float32[3]", "float32[2,4,3]", "float32[2,6,6,3]", "float32[3,2]", "int32[4]{0..2}")
_MOST = 24


def argument_lines(count: int) -> Iterator[str]:
    """Lines of so many arguments, first those that are all alike."""
    mixed = itertools.islice(itertools.product(_SPECS, repeat=count), 200)
    tried = dict.fromkeys(itertools.chain(((spec,) * count for spec in _SPECS), mixed))
    yield from itertools.islice((", ".join(line) for line in tried), _MOST)
