"""The stream of standard noise that stands in for random draws, the same on both sides.

A draw is a function of its number and shape alone, so that the original and the port see the same
numbers wherever they draw in the same order. Both sides scale the noise by their own arguments.
"""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterator, Sequence

import numpy as np

_KINDS = {"normal": 1, "uniform": 2, "integers": 3}


class NoiseStream:
    """Numbers the draws of one evaluation.

    Attributes:
      active: draws come from here; otherwise the framework's own generator is meant.
      drawn: how many draws the current evaluation has made so far.
    """

    def __init__(self) -> None:
        self.active = False
        self.drawn = 0

    @contextlib.contextmanager
    def evaluation(self) -> Iterator[None]:
        """Within this, draws are numbered from 0."""
        self.active, self.drawn = True, 0
        try:
            yield
        finally:
            self.active = False

    def normal(self, shape: Sequence[int]) -> np.ndarray:
        """Standard normal noise; float32[shape]."""
        return self._generator("normal", shape).standard_normal(tuple(shape)).astype(np.float32)

    def truncated(self, shape: Sequence[int], lower: float = -2.0, upper: float = 2.0) -> np.ndarray:
        """Normal noise cut off at the two bounds; float32[shape]."""
        return np.clip(self.normal(shape), lower, upper).astype(np.float32)

    def uniform(self, shape: Sequence[int]) -> np.ndarray:
        """Noise in [0, 1), away from both ends by one part in 2^24; float32[shape]."""
        noise = self._generator("uniform", shape).random(tuple(shape), dtype=np.float32)
        return np.clip(noise, 2.0**-24, 1.0 - 2.0**-24).astype(np.float32)

    def integers(self, shape: Sequence[int], low: int, high: int) -> np.ndarray:
        """Integers from low to high - 1; int64[shape]."""
        return self._generator("integers", shape).integers(int(low), int(high), tuple(shape))

    def _generator(self, kind: str, shape: Sequence[int]) -> np.random.Generator:
        number, self.drawn = self.drawn, self.drawn + 1
        return np.random.default_rng([_KINDS[kind], number, zlib.crc32(repr([int(s) for s in shape]).encode())])


#: The one stream of a process.
STREAM = NoiseStream()
