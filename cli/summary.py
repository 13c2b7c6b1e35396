"""What a person is told at the end: what was ported, what was not and why, how well it agrees."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cli import errors

_VERDICTS = {
    "residuals": "not ported in full: the residuals above stay TensorFlow, each marked in the output",
    "unverified": "ported in full, not verified",
    "failed": "a check failed: the port does not do what the original does",
}

_SHOWN_FAILURES = 10


def exit_code(certificate: Mapping[str, Any]) -> int:
    """The exit code that a verdict stands for."""
    return {"residuals": errors.RESIDUALS, "failed": errors.CHECK_FAILED}.get(certificate["verdict"], errors.PORTED)


def _error(check: Mapping[str, Any]) -> str:
    """The error and what is allowed; a check may measure nothing."""
    if check.get("max_abs") is None and check.get("tolerance") is None:
        return "holds" if check["passed"] else "does not hold"
    values = [float(check[k]) if check.get(k) is not None else None for k in ("max_abs", "tolerance", "max_rel")]
    shown = ["-" if v is None else f"{v:.1e}" for v in values]
    return f"error {shown[0]} (relative {shown[2]}), allowed {shown[1]}"


def check_line(check: Mapping[str, Any]) -> str:
    """One check in one line."""
    detail = f"; {check['detail']}" if check.get("detail") else ""
    return f"{'ok    ' if check['passed'] else 'FAILED'} {check['level']}: {check['name']}: {_error(check)}{detail}"


def _severity(check: Mapping[str, Any]) -> tuple[bool, float]:
    error, allowed = check.get("max_abs"), check.get("tolerance")
    ratio = float(error) / float(allowed) if error is not None and allowed else 0.0
    return not check["passed"], math.inf if math.isnan(ratio) else ratio


def _checks(checks: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for level in dict.fromkeys(c["level"] for c in checks):
        members = [c for c in checks if c["level"] == level]
        failed = sorted((c for c in members if not c["passed"]), key=_severity, reverse=True)
        worst = max(members, key=_severity)
        state = f"{len(failed)} of {len(members)} FAILED" if failed else f"{len(members)} passed"
        measured = worst.get("max_abs") is not None
        # Checked at every level, `none` too.
        named = "imports" if level == "none" else level
        yield f"  {named:<11} {state}" + (f"; largest {_error(worst)}" if measured else "")
        for check in failed[:_SHOWN_FAILURES]:
            detail = f"; {check['detail']}" if check.get("detail") else ""
            yield f"    {check['name']}: {_error(check)}{detail}"
        if len(failed) > _SHOWN_FAILURES:
            yield f"    and {len(failed) - _SHOWN_FAILURES} more, all in the certificate"


def _place(entry: Mapping[str, Any], shown: str) -> str:
    """file:line:column as editors count; the unit's own file as the user named it."""
    file = entry.get("file")
    if not file:
        return shown
    file = shown if shown.split("/")[-1] == file else file
    return f"{file}:{entry['line']}:{entry.get('column', 0) + 1}"


def _by_note(notes: Sequence[Mapping[str, Any]], source: str) -> dict[str, list[str]]:
    """The places of each note: the first in full, others of the same file as line and column."""
    found: dict[str, list[str]] = {}
    for note in notes:
        place, places = _place(note, source), found.setdefault(note["note"], [])
        file = f"{place.split(':')[0]}:"
        same = bool(places) and places[0].startswith(file)
        if place not in places:
            places.append(place.removeprefix(file) if same else place)
    return found


def _origin(answer: Mapping[str, Any]) -> str:
    origin = answer["origin"]
    return (
        f"answered by the model {origin['name']}"
        if origin["kind"] == "model"
        else f"answered by {origin['name']}, from a file"
    )


def text(
    source: str,
    module: str,
    certificate: Mapping[str, Any],
    residuals: Mapping[str, Any],
    times: Mapping[str, float],
    total: float,
) -> str:
    """The summary, several lines.

    Args:
      source, module: the original and the port, as the user would name them.
      certificate, residuals: what the steps wrote.
      times: seconds of every step; may be empty.
      total: seconds from start to end.
    """
    functions, lines = residuals.get("functions") or {}, residuals.get("lines") or {}
    left: Sequence[Mapping[str, Any]] = residuals.get("residuals", [])
    result = [f"{source} → {module}"]
    if functions:
        result.append(f"  functions   {functions['ported']} of {functions['total']} ported")
    if lines:
        ratio = f" ({lines['out'] / lines['in']:.2f} out per line in)" if lines.get("in") else ""
        result.append(f"  lines       {lines['in']} in, {lines['out']} out{ratio}")
    result.append(f"  residuals   {len(left) or 'none'}")
    result += [f"    {_place(r, source)}: {r['symbol']}: {r['reason']}" for r in left]
    answers: Sequence[Mapping[str, Any]] = certificate.get("answers", [])
    if answers:
        result.append(f"  answers     {len(answers)}: not written by rules, checked like the rest")
        result += [f"    {_place(a, source)}: {', '.join(a['symbols'])}: {_origin(a)}" for a in answers]
    notes: Sequence[Mapping[str, Any]] = certificate.get("notes") or residuals.get("notes", [])
    if notes:
        result.append(f"  notes       {len(notes)}")
        result += [f"    {', '.join(places)}: {note}" for note, places in _by_note(notes, source).items()]
    result += _checks(certificate.get("checks", []))
    oracle = certificate.get("oracle") or {}
    if oracle.get("mutants"):
        result.append(f"  mutants     {oracle['caught']} of {oracle['mutants']} caught by the checks")
    if certificate.get("keras"):
        result.append(f"  original    ran on {_framework(certificate['keras'])}")
    if certificate.get("optimizer"):
        result.append(f"  optimizer   {certificate['optimizer']}")
    parts = ", ".join(f"{name} {seconds:.1f}" for name, seconds in times.items())
    result.append(f"  time        {total:.1f} s" + (f" ({parts})" if parts else ""))
    verdict = certificate["verdict"]
    if verdict == "verified":
        result.append(f"  verdict     ported in full and verified at level `{certificate['reached']}`")
    else:
        result.append(f"  verdict     {_VERDICTS.get(verdict, verdict)}")
    return "\n".join(result)


def _framework(keras: str) -> str:
    return keras if keras.startswith("tf_keras") else f"Keras {keras}"
