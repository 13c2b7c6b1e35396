"""The device that checks run on: whether there is one, and how much coarser than the CPU it computes."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from parity.checks import Check, holds
from parity.errors import NoDeviceError

PLATFORMS = ("cpu", "gpu", "tpu")
#: A device whose float32 is coarser than this would let wrong ports pass: TF32 and bfloat16 are, by far.
COARSEST = 64.0

_SIZE = 256
_X = np.random.default_rng(0).standard_normal((_SIZE, _SIZE)).astype(np.float32)
_Y = np.random.default_rng(1).standard_normal((_SIZE, _SIZE)).astype(np.float32)

Operation = Callable[..., Any]

#: What a device may compute in a way of its own: as JAX has it, and in float64.
OPERATIONS: Mapping[str, tuple[Operation, Operation]] = {
    "matmul": (lambda x, y: x @ y, lambda x, y: x @ y),
    "sum": (lambda x, y: jnp.sum(x * y, axis=0), lambda x, y: np.sum(x * y, axis=0)),
    "exp": (lambda x, y: jnp.exp(x), lambda x, y: np.exp(x)),
    "log": (lambda x, y: jnp.log(jnp.abs(x) + 1), lambda x, y: np.log(np.abs(x) + 1)),
    "tanh": (lambda x, y: jnp.tanh(x), lambda x, y: np.tanh(x)),
    "sigmoid": (lambda x, y: jax.nn.sigmoid(x), lambda x, y: 1 / (1 + np.exp(-x))),
    "erf": (lambda x, y: jax.lax.erf(x), lambda x, y: np.vectorize(math.erf)(x)),
    "rsqrt": (lambda x, y: jax.lax.rsqrt(x * x + 1), lambda x, y: 1 / np.sqrt(x * x + 1)),
    "divide": (lambda x, y: x / (jnp.abs(y) + 1), lambda x, y: x / (np.abs(y) + 1)),
}


@dataclasses.dataclass(frozen=True)
class Device:
    """A device that checks run on.

    Attributes:
      platform: cpu, gpu or tpu.
      kind: what JAX calls it.
      factor: its float32 errors as a multiple of the CPU's, at least 1: tolerances are as much wider.
      worst: the operation that the factor is of.
    """

    platform: str
    kind: str
    factor: float = 1.0
    worst: str = ""

    def as_json(self) -> dict[str, Any]:
        """The device as in certificate.json."""
        return dataclasses.asdict(self)

    def checks(self) -> list[Check]:
        """What has to hold for checks on it to mean anything; nothing is asked of the CPU."""
        if self.platform == "cpu":
            return []
        name = f"{self.platform} ({self.kind}) computes in float32"
        detail = (
            f"errors of {self.worst} are {self.factor:g} times the CPU's; {COARSEST:g} times would hide wrong ports"
        )
        return [holds("none", name, self.factor <= COARSEST, detail)]


@contextlib.contextmanager
def on(platform: str) -> Iterator[Device]:
    """Makes a platform's first device the one that JAX computes on, and measures how precise it is.

    Matrix products are computed with all the precision that the device has (`jax_default_matmul_precision`).

    Args:
      platform: one of `PLATFORMS`.

    Raises:
      NoDeviceError: there is none here.
    """
    jax.config.update("jax_default_matmul_precision", "highest")
    if platform == "cpu":
        yield Device("cpu", "cpu")
        return
    try:
        device = jax.devices(platform)[0]
    except RuntimeError as error:
        there = ", ".join(sorted({d.platform for d in jax.devices()}))
        reason = " ".join(str(error).split())[:200]
        raise NoDeviceError(f"no {platform} here that JAX can use (it has {there}): {reason}") from error
    with jax.default_device(device):
        factor, worst = coarseness(_errors(jax.devices("cpu")[0]), _errors(device))
        yield Device(platform, device.device_kind, factor, worst)


def coarseness(reference: Mapping[str, float], found: Mapping[str, float]) -> tuple[float, str]:
    """How many times larger errors are than those of a reference, by the worst operation; and which that is.

    Args:
      reference: largest relative error by operation.
      found: the same of another device.
    """
    least = float(np.finfo(np.float32).eps)
    ratios = {name: error / max(reference[name], least) for name, error in found.items()}
    worst = max(ratios, key=lambda name: ratios[name])
    return float(f"{max(ratios[worst], 1.0):.3g}"), worst


def _errors(device: Any) -> dict[str, float]:
    """Largest error of each operation on a device, relative to the largest value that it gives."""
    found = {}
    for name, (operation, exact) in OPERATIONS.items():
        truth = np.asarray(exact(_X.astype(np.float64), _Y.astype(np.float64)))
        value = jax.jit(operation)(jax.device_put(_X, device), jax.device_put(_Y, device))
        found[name] = float(np.max(np.abs(np.asarray(value, np.float64) - truth)) / np.max(np.abs(truth)))
    return found
