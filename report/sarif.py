"""Residuals, failed checks and notes as SARIF 2.1.0, for editors and code hosts."""

from __future__ import annotations

import hashlib
from typing import Any

from report import unit

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

_RULES = (
    ("residual", "warning", "A part that was left in TensorFlow, with the reason."),
    ("check-failed", "error", "The port does not agree with the original."),
    ("note", "note", "A difference of meaning to know of."),
)


def _result(rule: str, text: str, uri: str, region: dict[str, int], identity: str) -> dict[str, Any]:
    ids = [r[0] for r in _RULES]
    return {
        "ruleId": rule,
        "ruleIndex": ids.index(rule),
        "level": _RULES[ids.index(rule)][1],
        "message": {"text": text},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": uri}, "region": region}}],
        "partialFingerprints": {"jaxport/v1": hashlib.sha256(identity.encode()).hexdigest()[:32]},
    }


def _of_mark(mark: unit.Mark, uri: str) -> dict[str, Any]:
    region = {"startLine": max(mark.line, 1), "startColumn": mark.column + 1}
    if (mark.end_line, mark.end_column) > (mark.line, mark.column):
        region |= {"endLine": mark.end_line, "endColumn": mark.end_column + 1}
    text = f"{mark.symbol}: {mark.text}" if mark.symbol else mark.text
    # No line number: the result stays the same one when code above it moves.
    return _result(mark.kind, text, uri, region, f"{mark.kind}|{uri}|{mark.function}|{text}")


def _of_check(check: unit.Check, uri: str) -> dict[str, Any]:
    text = f"{check.level}: {check.name}: largest error {check.max_abs}, tolerance {check.tolerance}"
    if check.detail:
        text += f"; {check.detail}"
    return _result("check-failed", text, uri, {"startLine": 1}, f"check|{uri}|{check.level}|{check.name}")


def document(found: unit.Unit, source_uri: str) -> dict[str, Any]:
    """The SARIF log of one unit. `source_uri` is where the source lies in the repository."""

    def uri(mark: unit.Mark) -> str:
        return source_uri if mark.file == found.source_name else mark.file

    results = [_of_mark(m, uri(m)) for m in found.residuals]
    results += [_of_check(c, source_uri) for c in found.checks if not c.passed]
    results += [_of_mark(m, uri(m)) for m in found.notes]
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "jaxport",
                        "rules": [
                            {"id": i, "shortDescription": {"text": text}, "defaultConfiguration": {"level": level}}
                            for i, level, text in _RULES
                        ],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": results,
            }
        ],
    }
