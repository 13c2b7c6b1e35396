"""Certifies a unit, whatever there is to say of it."""

from __future__ import annotations

import json
import pathlib
from typing import Any

from cli import certificate


def read(path: str) -> dict[str, Any]:
    """The JSON object in a file."""
    return json.loads(pathlib.Path(path).read_text(encoding="utf-8"))


def certify(
    unit: str,
    level: str,
    module: str,
    weights_map: str,
    residuals: str,
    trace: str | None,
    oracle: str | None,
    platform: str = "cpu",
) -> dict[str, Any]:
    """The certificate of a unit. `module` is named as in the repository, whose files lie in the current folder.

    `platform` is what the checks run on: cpu, gpu or tpu.

    Raises:
      BadInputError, OSError, ValueError: the checks can't use what they were given; the text says why.
      NoDeviceError: there is no such device here.
    """
    left = read(residuals)
    if trace is None or left.get("residuals"):
        found = read(trace) if trace else None
        return certificate.without_checks(unit, level, left, read(weights_map), found)
    from parity import verify  # JAX takes its time to import.

    return verify.verify(
        module, weights_map, trace, oracle, level, package_root=".", residuals_file=residuals, platform=platform
    )
