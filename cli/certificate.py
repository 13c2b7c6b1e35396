"""Certificates of units that no check was run on, and what a certificate takes over from the port."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def without_checks(
    unit: str, asked: str, residuals: Mapping[str, Any], weights_map: Mapping[str, Any], trace: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The certificate of a unit that is not ported in full, or that nobody asked to verify."""
    blank: dict[str, Any] = {
        "version": 1,
        "unit": unit,
        "verdict": "residuals" if residuals.get("residuals") else "unverified",
        "asked": asked,
        "reached": "none",
        "keras": (trace or {}).get("keras"),
        "optimizer": weights_map.get("optimizer"),
        "checks": [],
        "oracle": None,
    }
    return complete(blank, residuals)


def complete(certificate: Mapping[str, Any], residuals: Mapping[str, Any]) -> dict[str, Any]:
    """A certificate with the port's residuals and notes in it."""
    return {
        **certificate,
        "residuals": residuals.get("residuals", []),
        "notes": residuals.get("notes", []),
    }
