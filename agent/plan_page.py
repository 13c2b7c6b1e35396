"""A plan to be read: as text for a terminal, and as one HTML page that needs nothing else."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import jinja2
import markupsafe

from agent.plans import Component, Item, Plan

_HERE = pathlib.Path(__file__).parent
_STYLE = _HERE.parent / "report" / "page.css"
_SHOWN_SYMBOLS = 6


def as_html(plan: Plan, tries: int = 3) -> str:
    """The page. `tries`: how often a place is asked about at most."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    return environment.get_template("plan.html.jinja").render(
        plan=plan,
        tries=tries,
        tokens=plan.tokens(),
        names=names(plan),
        style=markupsafe.Markup(_STYLE.read_text(encoding="utf-8")),
    )


def names(plan: Plan) -> dict[int, str]:
    """Names of components, by their numbers."""
    return {c.number: ", ".join(d.name for d in c.definitions) for c in plan.components}


def as_text(plan: Plan, tries: int = 3) -> str:
    """The same in short."""
    return "\n".join(_lines(plan, tries)) + "\n"


def _lines(plan: Plan, tries: int) -> Iterator[str]:
    total, done = len(plan.definitions), len(plan.in_state("ported")) + len(plan.in_state("answered"))
    yield plan.source
    yield f"  ported      {done} of {total} classes and functions, {len(plan.in_state('answered'))} of them with answers"
    if waiting := plan.in_state("waits"):
        yield f"  waiting     {len(waiting)} for others: {', '.join(d.name for d in waiting)}"
    skipped = [item for item in plan.items if item.skip and item.state == "open"]
    yield f"  to ask      {len(plan.asked)} places{f'; {len(skipped)} skipped' if skipped else ''}"
    if plan.asked:
        given, made = plan.tokens()
        calls = len(plan.asked)
        yield (
            f"  estimated   {calls} to {calls * tries} calls; {given} input and {made} output tokens where the first try "
            "serves, what a model thinks left out"
        )
    called = names(plan)
    for component in plan.components:
        yield f"  {component.number:>3}. {_component(component, called)}"
        for item in plan.items:
            if item.component == component.number:
                yield from _item(item)
    for item in plan.items:
        if item.component is None:
            yield from _item(item)
    for left in plan.left:
        yield f"       {left.file}:{left.line}: {left.symbol}: {left.why} (can't be asked about)"


def _component(component: Component, called: dict[int, str]) -> str:
    parts = []
    for definition in component.definitions:
        symbols = [f"{s}{f' ×{n}' if n > 1 else ''}" for s, n in definition.symbols.items()]
        more = f" and {len(symbols) - _SHOWN_SYMBOLS} more" if len(symbols) > _SHOWN_SYMBOLS else ""
        uses = f": {', '.join(symbols[:_SHOWN_SYMBOLS])}{more}" if symbols else ""
        parts.append(f"{definition.state:<8} {definition.name} ({definition.file}:{definition.line}){uses}")
    waits = f" [after {', '.join(called[n] for n in component.waits_for)}]" if component.waits_for else ""
    return "; ".join(parts) + waits


def _item(item: Item) -> Iterator[str]:
    mark = "skipped" if item.skip else "answered" if item.state == "answered" else f"by {item.settles}"
    yield f"       {item.file}:{item.line} ({mark}) {'; '.join(item.why)}"
    yield from (f"         risk: {risk}" for risk in item.risks)
