"""Certificates of units that no check was run on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def without_checks(
    unit: str,
    asked: str,
    residuals: Mapping[str, Any],
    weights_map: Mapping[str, Any],
    trace: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """The certificate of a unit with residuals, or that is not to be run, in the form `parity.verify` gives.

    Args:
      unit: its name.
      asked: how far it was to be checked.
      residuals, weights_map: of the port.
      trace: of the original; None where it was not run.
    """
    return {
        "version": 1,
        "unit": unit,
        "verdict": "residuals" if residuals.get("residuals") else "unverified",
        "asked": asked,
        "reached": "none",
        "keras": (trace or {}).get("keras"),
        "optimizer": weights_map.get("optimizer"),
        "device": None,
        "checks": [],
        "residuals": residuals.get("residuals", []),
        "notes": residuals.get("notes", []),
        "answers": residuals.get("answers", []),
        "oracle": None,
    }
