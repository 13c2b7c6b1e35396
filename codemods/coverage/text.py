"""The report of the coverage command for people."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from codemods.coverage.judged import BLOCKED, OPEN, WHOLE, Definition
from codemods.coverage.tree import Report, Symbol
from codemods.coverage.uses import MODULE

_WIDTH = 110
_BLOCKERS = 12
_HEADINGS = {
    "rule": "rewritten by rules",
    "pass": "rewritten by passes",
    "host": "kept as host code, which imports TensorFlow when it runs",
    "refused": "not ported",
    "unknown": "not known",
}


def render(report: Report) -> str:
    """The report: what is blocked, file by file; symbols by verdict; what blocks most; the share."""
    parts = [*_files(report), *_symbols(report.symbols()), *_blockers(report), *_summary(report)]
    return "\n".join(parts) + "\n"


def _files(report: Report) -> Iterator[str]:
    for judged in report.files:
        shown = [d for d in judged.definitions if d.status != WHOLE]
        for definition in shown:
            yield from _definition(judged.file, definition)


def _definition(file: str, definition: Definition) -> Iterator[str]:
    what = "module level" if definition.name == MODULE else f"{definition.kind} {definition.name}"
    state = "blocked" if definition.status == BLOCKED else "open until the original is run"
    waits = f" (waits for {', '.join(definition.waits)})" if definition.waits else ""
    yield f"{file}:{definition.line}: {what}: {state}{waits}"
    for block in definition.blocks:
        yield f"  {file}:{block.line}:{block.column + 1}: {block.symbol}: {block.reason}"


def _symbols(symbols: Sequence[Symbol]) -> Iterator[str]:
    for kind, heading in _HEADINGS.items():
        found = [s for s in symbols if s.verdict.kind == kind]
        if not found:
            continue
        yield f"\n{heading}: {len(found)} symbols, {sum(s.uses for s in found)} uses"
        if kind in ("rule", "pass"):
            yield _wrapped(", ".join(f"{s.verdict.symbol} {s.uses}" for s in found), 2)
            continue
        for text in dict.fromkeys(_advice(s) for s in found):
            yield from (f"  {s.file}:{s.line}: {s.verdict.symbol} {s.uses}" for s in found if _advice(s) == text)
            yield _wrapped(text, 6)


def _advice(symbol: Symbol) -> str:
    verdict = symbol.verdict
    if verdict.kind == "host":
        return f"without TensorFlow: {verdict.recipe}"
    return f"{verdict.becomes}: {verdict.recipe}" if verdict.recipe else verdict.becomes


def _wrapped(text: str, indent: int) -> str:
    return textwrap.indent("\n".join(textwrap.wrap(text, _WIDTH, break_on_hyphens=False)), " " * indent)


def _blockers(report: Report) -> Iterator[str]:
    found = report.blockers()
    if found:
        yield "\nwhat blocks most (classes and functions, with those that wait for them)"
    for blocker in found[:_BLOCKERS]:
        yield f"  {blocker.held:4d}  {blocker.symbol}: {blocker.reason} ({blocker.file}:{blocker.line})"
    if len(found) > _BLOCKERS:
        yield f"        and {len(found) - _BLOCKERS} more; --json lists them all"


def _summary(report: Report) -> Iterator[str]:
    counts, symbols = report.counts(), report.symbols()
    total, uses = sum(counts.values()), sum(s.uses for s in symbols)
    covered = sum(s.uses for s in symbols if s.verdict.ported)
    files = f"{len(report.files)} files with TensorFlow, {report.others} without"
    if report.errors:
        files += f", {len(report.errors)} that can't be read"
    yield f"\n{files}"
    if uses:
        yield f"{covered} of {uses} uses ({covered / uses:.0%}) are of symbols that are rewritten or kept"
    if total:
        open_ = f"; {counts[OPEN]} more are open until the original is run" if counts[OPEN] else ""
        yield f"{counts[WHOLE]} of {total} classes and functions ({counts[WHOLE] / total:.0%}) will port whole{open_}"
