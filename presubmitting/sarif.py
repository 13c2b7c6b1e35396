"""Findings as SARIF 2.1.0. https://docs.oasis-open.org/sarif/sarif/v2.1.0/"""

from __future__ import annotations

import json
from collections.abc import Sequence

from presubmitting.checks import Finding

RULES = {
    "new-tensorflow": "TensorFlow in a package that is declared migrated",
    "new-residuals": "Code that a port could not rewrite",
    "loose-ratchet": "The ratchet allows more than there is",
    "layering": "A target on the JAX side depends on one that uses TensorFlow",
    "stale-port": "A checked-in port is out of date",
    "parity": "A port does not agree with its original",
}


def as_sarif(findings: Sequence[Finding]) -> str:
    """One run of the tool."""
    results = [
        {
            "ruleId": f.rule,
            "level": "error",
            "message": {"text": f"{f.message}; run: {f.command}"},
            "locations": [{
                "physicalLocation": {
                    "artifactLocation": {"uri": f.file, "uriBaseId": "SRCROOT"}, "region": {"startLine": max(1, f.line)},
                }
            }],
        }
        for f in findings
    ]  # fmt: skip
    driver = {
        "name": "jaxport presubmit",
        "rules": [{"id": k, "shortDescription": {"text": v}} for k, v in RULES.items()],
    }
    run = {"tool": {"driver": driver}, "results": results}
    schema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
    return json.dumps({"$schema": schema, "version": "2.1.0", "runs": [run]}, indent=1, sort_keys=True)
