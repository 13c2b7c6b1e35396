"""What the entry of a unit gives: one model, or a tuple, list or dict of several."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Mapping
from typing import Any

from codemods.passes.modules import ModuleSpec
from codemods.passes.unit import Unit

Path = tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Root:
    """One model under test.

    Attributes:
      path: below the entry's value; empty for a lone model.
      object: its entry in trace.json.
      spec: the module that it became, if it is one of the file's.
    """

    path: Path
    object: Mapping[str, Any]
    spec: ModuleSpec | None


def roots(unit: Unit) -> list[Root]:
    """The models under test; none for a plain function, or where the original was not run."""
    return [Root(path, unit.trace.objects[i], _spec(unit, unit.trace.objects[i])) for path, i in unit.trace.roots]


def ported_call(call: str, found: list[Root]) -> str:
    """The call under test, without `training` where the port of a model takes none."""
    specs = {root.path: root.spec for root in found}
    tree = ast.parse(call, mode="eval")
    changed = False
    for node in ast.walk(tree):
        path = _path(node.func) if isinstance(node, ast.Call) else None
        spec = specs.get(path) if path is not None else None
        if spec is not None and not spec.mode:
            assert isinstance(node, ast.Call)
            kept = [keyword for keyword in node.keywords if keyword.arg != "training"]
            changed |= len(kept) < len(node.keywords)
            node.keywords = kept
    return ast.unparse(tree) if changed else call


def _path(node: ast.expr) -> Path | None:
    """`("0",)` for `model[0]`; None for anything but subscripts of `model`."""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        below = _path(node.value)
        return None if below is None else (*below, str(node.slice.value))
    return () if isinstance(node, ast.Name) and node.id == "model" else None


def _spec(unit: Unit, root: Mapping[str, Any]) -> ModuleSpec | None:
    """The module that an object of the trace became: its class, or the function or expression that made it."""
    if root.get("user") and root["class"] in unit.specs:
        return unit.specs[root["class"]]
    frames = root.get("site") or []
    for spec in unit.specs.values() if frames else ():
        span = unit.span(spec.node)
        place = (frames[-1]["file"], frames[-1]["line"], frames[-1]["column"])
        if spec.kind == "sequential" and (span.file, span.line, span.column) == place:
            return spec
    builders = [frame["function"] for frame in frames if frame["function"] in unit.specs]
    return unit.specs[builders[-1]] if builders else None
