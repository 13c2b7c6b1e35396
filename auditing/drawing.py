"""The part of the graph that reaches TensorFlow: as DOT, and as SVG with one column per layer."""

from __future__ import annotations

import networkx as nx

from auditing.graph import TO_MIGRATE
from auditing.result import Audit

#: With more nodes than this, targets are drawn together by package.
_LEGIBLE = 250
_WIDTH, _HEIGHT, _GAP = 190, 26, 90


def migration_graph(result: Audit) -> nx.DiGraph:
    """Targets that reach TensorFlow and what they depend on among these; by package where they are many.

    Nodes have `wave`, `direct` and `size` (targets that the node stands for).
    """
    rows = {label: row for label, row in result.rows.items() if row.standing.transitive in TO_MIGRATE}
    by_package = len(rows) > _LEGIBLE
    graph = nx.DiGraph()
    for label, row in rows.items():
        name = _group(label, by_package)
        if name not in graph:
            graph.add_node(name, wave=0, direct="free", size=0)
        node = graph.nodes[name]
        node["size"] += 1
        node["wave"] = max(node["wave"], row.standing.wave)
        if row.standing.direct in TO_MIGRATE:
            node["direct"] = row.standing.direct
    for label, row in rows.items():
        for dep in row.target.deps:
            if dep in rows and _group(dep, by_package) != _group(label, by_package):
                graph.add_edge(_group(label, by_package), _group(dep, by_package))
    return graph


def _group(label: str, by_package: bool) -> str:
    return label.partition(":")[0] if by_package else label


def as_dot(graph: nx.DiGraph) -> str:
    """Graphviz source, sorted."""
    lines = ["digraph migration {", "  rankdir=LR;", "  node [shape=box, fontname=sans];"]
    for name in sorted(graph):
        node = graph.nodes[name]
        more = f" ({node['size']})" if node["size"] > 1 else ""
        wave = f"\\nwave {node['wave']}" if node["wave"] else ""
        lines.append(f'  "{name}" [label="{name}{more}{wave}", class="{node["direct"]}"];')
    lines += [f'  "{a}" -> "{b}";' for a, b in sorted(graph.edges)]
    return "\n".join([*lines, "}"]) + "\n"


def layers(graph: nx.DiGraph) -> list[list[str]]:
    """Nodes by the longest path to a leaf, in an order within each layer that keeps edges short."""
    condensed = nx.condensation(graph)
    depth: dict[int, int] = {}
    for node in reversed(list(nx.topological_sort(condensed))):
        depth[node] = 1 + max((depth[dep] for dep in condensed.successors(node)), default=-1)
    found: list[list[str]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for node in condensed:
        found[depth[node]].extend(condensed.nodes[node]["members"])
    found = [sorted(layer) for layer in found]
    for _ in range(4):
        place = {name: i / max(1, len(layer)) for layer in found for i, name in enumerate(layer)}

        def middle(name: str, place: dict[str, float] = place) -> tuple[float, str]:
            near = [place[other] for other in nx.all_neighbors(graph, name)]
            return sum(near) / len(near) if near else place[name], name

        found = [sorted(layer, key=middle) for layer in found]
    return found


def boxes(graph: nx.DiGraph) -> tuple[dict[str, tuple[int, int]], int, int]:
    """Upper left corners by node, and the drawing's width and height, in pixels; leaves on the left."""
    columns = layers(graph)
    corners = {
        name: (column * (_WIDTH + _GAP) + 10, row * (_HEIGHT + 10) + 10)
        for column, names in enumerate(columns)
        for row, name in enumerate(names)
    }
    height = max((len(names) for names in columns), default=0) * (_HEIGHT + 10) + 20
    return corners, len(columns) * (_WIDTH + _GAP) + 20, height


def as_svg(graph: nx.DiGraph) -> str:
    """A drawing whose colours come from the classes `tensorflow`, `mixed` and `free` of its style."""
    corners, width, height = boxes(graph)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">',
        "<style>.edge{fill:none;stroke:#8a94a6;stroke-opacity:.45}.box{fill:#e8ecf3;stroke:#8a94a6}"
        ".tensorflow .box{fill:#ffd8a8;stroke:#e8590c}.mixed .box{fill:#d0bfff;stroke:#6741d9}"
        "text{font:12px system-ui,sans-serif;fill:#1c2431}</style>",
    ]
    for a, b in sorted(graph.edges):
        (ax, ay), (bx, by) = corners[a], corners[b]
        start, end = (bx + _WIDTH, by + _HEIGHT // 2), (ax, ay + _HEIGHT // 2)
        bend = (start[0] + end[0]) // 2
        parts.append(
            f'<path class="edge" d="M{start[0]} {start[1]}C{bend} {start[1]} {bend} {end[1]} {end[0]} {end[1]}"/>'
        )
    for name, (x, y) in sorted(corners.items()):
        node = graph.nodes[name]
        title = f"{name}: {node['direct']}, wave {node['wave']}" if node["wave"] else name
        label = name if len(name) <= 27 else "…" + name[-26:]
        parts.append(
            f'<g class="{node["direct"]}"><title>{_escaped(title)}</title>'
            f'<rect class="box" x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="4"/>'
            f'<text x="{x + 8}" y="{y + 17}">{_escaped(label)}</text></g>'
        )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
