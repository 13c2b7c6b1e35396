"""The audit as one HTML page that needs nothing else."""

from __future__ import annotations

import pathlib

import jinja2
import markupsafe

from auditing.burn_down import Point
from auditing.drawing import as_svg, migration_graph
from auditing.result import Audit

_HERE = pathlib.Path(__file__).parent


def as_html(result: Audit) -> str:
    """Counts, waves, graph, findings, history and a table of all targets."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    graph = migration_graph(result)
    worst = sorted(result.rows.items(), key=lambda item: (-item[1].standing.blocks, -item[1].standing.alone, item[0]))
    return environment.get_template("page.html.jinja").render(
        audit=result,
        css=markupsafe.Markup((_HERE / "page.css").read_text(encoding="utf-8")),
        graph=markupsafe.Markup(as_svg(graph)) if graph else "",
        history=markupsafe.Markup(_chart(result.history)) if len(result.history) > 1 else "",
        blockers=[(label, row) for label, row in worst if row.standing.wave][:10],
        rows=sorted(result.rows.items(), key=lambda item: (item[1].standing.wave == 0, item[1].standing.wave, item[0])),
    )


def _chart(points: tuple[Point, ...], width: int = 720, height: int = 180) -> str:
    """Two lines over the commits, the larger count at the top."""
    top = max([1, *[max(p.tensorflow, p.jax) for p in points]])

    def line(values: list[int], name: str) -> str:
        places = [
            f"{10 + i * (width - 60) / (len(values) - 1):.1f},{height - 25 - v * (height - 45) / top:.1f}"
            for i, v in enumerate(values)
        ]
        end = places[-1].split(",")
        return (
            f'<polyline class="line {name}" points="{" ".join(places)}"/>'
            f'<text class="{name}" x="{float(end[0]) + 5}" y="{float(end[1]) + 4}">{values[-1]}</text>'
        )

    return (
        f'<svg class="history" viewBox="0 0 {width} {height}" role="img">'
        f"{line([p.tensorflow for p in points], 'tensorflow')}{line([p.jax for p in points], 'jax')}"
        f'<text class="axis" x="10" y="{height - 5}">{points[0].date}</text>'
        f'<text class="axis" x="{width - 120}" y="{height - 5}">{points[-1].date}</text></svg>'
    )
