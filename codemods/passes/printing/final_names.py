"""Names of the attributes that keep layers."""

from __future__ import annotations

from collections import Counter
from typing import Any

from codemods.passes.modules import ModuleSpec


class FinalNames:
    """Readable, distinct names."""

    def final_names(self, spec: ModuleSpec) -> dict[str, str]:
        """Readable, distinct names: `conv`, or `conv1` and `conv2` where there are several."""
        parameters = {p.name.value for p in self.constructor_parameters(spec)} if spec.kind != "class" else set()
        taken = set(spec.attributes) | {"rngs"} | parameters
        local = self.call_names(spec)
        renames: dict[str, str] = {}
        self._name(spec, [p for p in spec.placements if p.list_marker is None], renames, taken)
        self._name(spec, [p for p in spec.placements if p.list_marker is not None], renames, taken | local)
        return renames

    def _name(self, spec: ModuleSpec, placements: list[Any], renames: dict[str, str], taken: set[str]) -> None:
        counts = Counter(placement.base for placement in placements)
        used: Counter[str] = Counter()
        for placement in placements:
            base = placement.base
            if placement.list_marker is not None:
                taken = taken - {name for name in renames.values() if name not in spec.attributes}
            if counts[base] <= 1 and base not in taken:
                name = base
            else:
                used[base] += 1
                name = _numbered(base, used[base])
                while name in taken:
                    used[base] += 1
                    name = _numbered(base, used[base])
                if counts[base] == 1 and f"{base}_layer" not in taken:
                    name = f"{base}_layer"
            taken.add(name)
            renames[placement.marker] = name

    def call_names(self, spec: ModuleSpec) -> set[str]:
        """Names that loop variables over layers must not shadow."""
        frame = self.staged_frames.get(id(spec))
        return set(frame.env) - {"self"} if frame is not None else set()


def _numbered(base: str, index: int) -> str:
    return f"{base}_{index}" if base[-1:].isdigit() else f"{base}{index}"
