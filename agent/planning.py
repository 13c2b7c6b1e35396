"""Makes the plan of a unit of its port: a static graph of what uses what, from leaf to root, and what is left in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import networkx as nx

from agent import pages, prompt
from agent.plans import Component, Definition, File, Item, Left, Plan, digest
from agent.reading import names_read
from agent.replay import Replayed
from agent.requests import Asked
from codemods.coverage.uses import Use, uses_of
from codemods.passes.printing.leftovers import WAITS
from codemods.passes.unit import Unit

#: Of English and code; what services name as a rule of thumb.
_CHARACTERS_PER_TOKEN = 4
#: The form of a reply around its blocks.
_REPLY = 30
_LONG_STATEMENT, _LONG_DEFINITION = 12, 150


def planned(result: Replayed, sources: Mapping[str, str]) -> Plan:
    """The plan of a port.

    Args:
      result: the port, with the recorded answers in it.
      sources: text of each file, by the names that residuals use.
    """
    port = result.port
    unit = port.unit
    own = {name: node for name, node in {**unit.classes, **unit.functions}.items() if not name.startswith("__jaxport_")}
    graph = _graph(unit.module.code, own)
    asked = [*(entry.asked for entry in result.applied), *(entry[0] for entry in result.failed), *result.open]
    answered = {entry.asked.key for entry in result.applied}
    asking = {a.request.subject.function.split(".")[0] for a in asked if a.key not in answered}
    with_answers = {a.request.subject.function.split(".")[0] for a in asked if a.key in answered}
    uses, notes = uses_of(unit), _notes(port.residuals()["notes"])

    def state(name: str) -> str:
        if name in asking:
            return "asks"
        if name in port.output.failed:
            return "waits"
        return "answered" if name in with_answers else "ported"

    states = {name: state(name) for name in own}
    defined = {name: _definition(unit, name, states[name], uses, notes) for name in own}
    components = _components(graph, defined)
    number = {d.name: c.number for c in components for d in c.definitions}
    waiting = {name for name in own if states[name] == "waits"}
    items = [
        _item(a, number.get(_top(a)), a.key in answered, len(_waiting_for(graph, _top(a)) & waiting))
        for a in sorted(asked, key=lambda a: (number.get(_top(a), 0), a.file, a.region.start))
    ]
    return Plan(
        source=unit.file,
        files=tuple(_files(unit, sources, list(defined.values()))),
        components=tuple(components),
        items=tuple(items),
        left=tuple(_left(port.residuals()["residuals"], asked)),
    )


def _top(asked: Asked) -> str:
    return asked.request.subject.function.split(".")[0]


def _waiting_for(graph: nx.DiGraph, name: str) -> set[str]:
    return nx.ancestors(graph, name) if name in graph else set()


def _graph(code: str, own: Collection[str]) -> nx.DiGraph:
    """Definitions, with edges to what they read."""
    graph = nx.DiGraph()
    graph.add_nodes_from(own)
    found = names_read(code)
    graph.add_edges_from((name, other) for name in own for other in sorted(found.get(name, set()) & {*own} - {name}))
    return graph


def _notes(notes: Iterable[Mapping[str, Any]]) -> Counter[tuple[str, int]]:
    return Counter((note["file"], note["line"]) for note in notes)


def _definition(unit: Unit, name: str, state: str, uses: list[Use], notes: Counter[tuple[str, int]]) -> Definition:
    node = unit.classes.get(name) or unit.functions[name]
    span = unit.span(node)
    last = span.end_line or span.line
    symbols = Counter(use.symbol for use in uses if use.owner == name)
    return Definition(
        name=name,
        kind="class" if name in unit.classes else "function",
        file=span.file,
        line=span.line,
        lines=last - span.line + 1,
        uses=symbols.total(),
        symbols=dict(sorted(symbols.items(), key=lambda entry: (-entry[1], entry[0]))),
        notes=sum(notes[span.file, line] for line in range(span.line, last + 1)),
        state=state,  # type: ignore[arg-type]
    )


def _components(graph: nx.DiGraph, defined: Mapping[str, Definition]) -> list[Component]:
    """The graph's strongly connected components, leaf to root; among equals in the order of the source."""
    places = {name: place for place, name in enumerate(defined)}
    condensed = nx.condensation(graph)
    first = {n: min(places[name] for name in condensed.nodes[n]["members"]) for n in condensed}
    ordered = list(nx.lexicographical_topological_sort(condensed.reverse(), key=first.__getitem__))
    number = {n: i for i, n in enumerate(ordered, 1)}
    members = {n: sorted(condensed.nodes[n]["members"], key=places.__getitem__) for n in ordered}
    asks = {n for n in ordered if any(defined[name].state == "asks" for name in members[n])}
    return [
        Component(
            number=number[n],
            definitions=tuple(defined[name] for name in members[n]),
            after=tuple(sorted(number[other] for other in condensed.successors(n))),
            waits_for=tuple(sorted(number[other] for other in nx.descendants(condensed, n) & asks)),
        )
        for n in ordered
    ]


def _files(unit: Unit, sources: Mapping[str, str], defined: list[Definition]) -> Iterator[File]:
    linked = {file.path: file for file in unit.linked.files} if unit.linked is not None else {}
    modules = {file.module: path for path, file in linked.items()}
    for path, text in sources.items():
        imported = (
            {modules.get(i.module) or modules.get(f"{i.module}.{i.name}") for i in linked[path].imports}
            if linked
            else set()
        )
        here = [definition for definition in defined if definition.file == path]
        yield File(
            path=path,
            digest=digest(text),
            imports=tuple(sorted(p for p in imported if p is not None and p != path)),
            definitions=len(here),
            ported=sum(d.state in ("ported", "answered") for d in here),
        )


def _item(asked: Asked, component: int | None, answered: bool, waiting: int) -> Item:
    subject = asked.request.subject
    symbols = tuple(dict.fromkeys(cause.symbol for cause in subject.causes))
    return Item(
        key=asked.key,
        function=subject.function,
        file=asked.file,
        line=asked.place["line"],
        component=component,
        statement=subject.region,
        symbols=symbols,
        settles=asked.settles,
        why=tuple(
            dict.fromkeys(f"{c.symbol}: {why}" for c, why in zip(subject.causes, asked.request.reasons, strict=True))
        ),
        risks=tuple(_risks(asked, waiting)),
        state="answered" if answered else "open",
        input_tokens=-(
            -len(prompt.text(asked.request, None, pages.for_prompt(pages.own(), symbols))) // _CHARACTERS_PER_TOKEN
        ),
        output_tokens=_REPLY + -(-2 * len(subject.region) // _CHARACTERS_PER_TOKEN),
    )


def _risks(asked: Asked, waiting: int) -> Iterator[str]:
    subject = asked.request.subject
    if not asked.request.facts:
        yield "no run of the original tells shapes and dtypes there"
    if len(subject.region.splitlines()) > _LONG_STATEMENT:
        yield f"the statement has {len(subject.region.splitlines())} lines"
    if len(subject.definition.splitlines()) > _LONG_DEFINITION:
        yield f"the definition has {len(subject.definition.splitlines())} lines, all of which are shown"
    if len(subject.causes) > 1:
        yield f"{len(subject.causes)} places in one statement have no rule"
    if subject.function.split(".")[-1] in ("train_step", "test_step") or "GradientTape" in subject.definition:
        yield "it is training code: an error shows in the training step alone"
    if asked.after:
        yield f"what it uses is open, too: {', '.join(asked.after)}"
    if waiting:
        yield f"{waiting} definition{'s' if waiting > 1 else ''} that {'are' if waiting > 1 else 'is'} ported by rules stay TensorFlow until it is settled"


def _left(residuals: Iterable[Mapping[str, object]], asked: Iterable[Asked]) -> Iterator[Left]:
    placed = {(a.file, r["line"], r["column"]) for a in asked for r in a.residuals}
    for r in residuals:
        if not str(r["reason"]).startswith(WAITS) and (r["file"], r["line"], r["column"]) not in placed:
            yield Left(file=str(r["file"]), line=int(str(r["line"])), symbol=str(r["symbol"]), why=str(r["reason"]))
