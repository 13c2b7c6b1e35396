"""The weights map: where every variable of the original is kept in the port."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from codemods.engine import rule as rules
from codemods.engine.outcome import Span
from codemods.passes.modules import LayerInstance, ModuleInstance, ModuleSpec
from codemods.passes.porter import Porter

Entry = dict[str, Any]


class WeightsMap:
    """Walks the traced objects from the root and the ported modules side by side."""

    def __init__(self, porter: Porter, model: Any):
        """`model` is the ported module's instance, made abstractly: it tells how long its lists are."""
        self.porter = porter
        self.trace = porter.unit.trace
        self.model = model
        self.entries: list[Entry] = []
        self.problems: list[str] = []

    def add_root(self, spec: ModuleSpec | None, root: Mapping[str, Any], path: tuple[str, ...] = ()) -> None:
        """A model under test; `path` leads to it where there are several."""
        if spec is None:
            for variable in self._all_variables(root):
                self._add(variable, ".".join((*path, variable["attr"])), ())
        else:
            self._object(root, spec, path)

    def sorted_entries(self) -> list[Entry]:
        """All entries, in the order of the file."""
        return sorted(self.entries, key=lambda entry: (entry["source"], entry["target"]))

    # -- modules ----------------------------------------------------------------------------------

    def _object(self, entry: Mapping[str, Any], spec: ModuleSpec, path: tuple[str, ...]) -> None:
        if spec.kind == "class":
            for variable in entry["variables"]:
                self._add(variable, ".".join((*path, variable["attr"])), ())
            for name, child in entry["attrs"].items():
                self._attribute(child, spec, (*path, name), spec.attributes.get(name))
            hoisted = [o for o in self.trace.objects if self._made_in(o, entry, spec)]
            if hoisted and spec.placements:
                self._sites(hoisted, spec, path, lambda o: len(o["site"]) - 1)
            return
        site = self._frames(entry)
        if spec.kind == "sequential" or not site:
            children = [child for child in self._children(entry) if self._frames(child)]
            self._sites(children, spec, path, lambda o: len(self._frames(o)) - 1)
            return
        invocation = site[-1]["invocation"]
        self._function(spec, invocation, path)
        self._given(entry, spec, invocation, path)

    def _given(self, entry: Mapping[str, Any], spec: ModuleSpec, invocation: int, path: tuple[str, ...]) -> None:
        """Models that a builder was given and made its own of: `make_siamese(embedding)`."""
        made_here = {id(o) for o in self.trace.objects if invocation in [f["invocation"] for f in self._frames(o)]}
        others = [child for child in self._children(entry) if id(child) not in made_here]
        for name, value in self.porter.module_parameters.get(spec.source, {}).items():
            assert value.module is not None
            inner = value.module.spec
            fitting = [child for child in others if inner.source in (child["class"], self._builder_of(child))]
            if len(fitting) == 1:
                self._object(fitting[0], inner, (*path, name))
            elif fitting:
                self.problems.append(f"{'.'.join((*path, name))}: which model of the original this is, is not known")

    def _builder_of(self, entry: Mapping[str, Any]) -> str | None:
        frames = self._frames(entry)
        return frames[-1]["function"] if frames else None

    def _made_in(self, entry: Mapping[str, Any], owner: Mapping[str, Any], spec: ModuleSpec) -> bool:
        """Was this object made inside the owner's call?"""
        frames = self._frames(entry)
        return bool(frames) and frames[-1]["function"] == f"{spec.source}.call"

    def _function(self, spec: ModuleSpec, invocation: int, path: tuple[str, ...]) -> None:
        """Objects made by one execution of a builder or helper function."""
        found = []
        for entry in self.trace.objects:
            frames = self._frames(entry)
            index = next((i for i, frame in enumerate(frames) if frame["invocation"] == invocation), None)
            if index is not None:
                found.append((entry, index))
        places = {id(entry): index for entry, index in found}
        self._sites([entry for entry, _ in found], spec, path, lambda entry: places[id(entry)])

    def _sites(self, entries: list[Mapping[str, Any]], spec: ModuleSpec, path: tuple[str, ...], index_of: Any) -> None:
        """Matches objects with the constructor calls they come from, the k-th with the k-th."""
        places = {(x.span.line, x.span.column): x for x in [*spec.modules, *spec.layers] if x.placement is not None}
        seen: dict[tuple[int, int], list[Any]] = {}
        for entry in entries:
            frames = self._frames(entry)
            index = index_of(entry)
            frame = frames[index]
            place = (frame["line"], frame["column"])
            instance = places.get(place)
            if instance is None:
                continue
            last = index == len(frames) - 1
            if not last and not isinstance(instance, LayerInstance) and instance.spec.kind == "class":
                continue  # what its constructor makes is reached through the object itself
            key = entry["id"] if last else frames[index + 1]["invocation"]
            order = seen.setdefault(place, [])
            if key in order:
                continue
            order.append(key)
            target = (*path, *self._resolve(path, instance, spec, len(order) - 1))
            if isinstance(instance, LayerInstance):
                self._layer(entry, instance.rule, target)
            elif last:
                self._object(entry, instance.spec, target)
            elif instance.spec.kind == "helper":
                self._function(self.porter.given_function(instance.spec, frames[index + 1]), key, target)
            else:
                inner = self._builder_result(key) or entry
                self._object(inner, instance.spec, target)

    def _builder_result(self, invocation: int) -> Mapping[str, Any] | None:
        """The model that an execution of a builder made last."""
        made = [
            o for o in self.trace.objects
            if self._frames(o) and self._frames(o)[-1]["invocation"] == invocation
            and o["class"] in ("tf.keras.Functional", "tf.keras.Sequential", "tf.keras.Model")
        ]  # fmt: skip
        return made[-1] if made else None

    def _resolve(self, path: tuple[str, ...], instance: Any, spec: ModuleSpec, order: int) -> tuple[str, ...]:
        """A placement's path with list indices filled in: the k-th item that is there."""
        parts = [spec.names.get(part, part) for part in instance.placement.path]
        if "*" not in parts:
            return tuple(parts)
        holder = self._get((*path, parts[0]))
        places = [index for index, item in _leaves(holder, parts.count("*")) if item is not None]
        if order >= len(places):
            self.problems.append(f"{'.'.join((*path, *parts))}: the original made more of these than the port")
            return tuple(parts)
        return (parts[0], *places[order])

    def _get(self, path: tuple[str, ...]) -> Any:
        value = self.model
        for part in path:
            value = (
                value[int(part)]
                if part.isdigit()
                else value[part]
                if isinstance(value, Mapping)
                else getattr(value, part)
            )
        return value

    # -- layers -----------------------------------------------------------------------------------

    def _attribute(self, child: Any, spec: ModuleSpec, path: tuple[str, ...], value: Any) -> None:
        """An attribute that holds an object, or a list or dict of them."""
        if isinstance(child, list):
            for i, item in enumerate(child):
                self._attribute(item, spec, (*path, str(i)), None)
        elif isinstance(child, dict):
            for key, item in child.items():
                self._attribute(item, spec, (*path, str(key)), None)
        elif child is not None:
            self._any(self.trace.objects[child], spec, path)

    def _any(self, entry: Mapping[str, Any], spec: ModuleSpec, path: tuple[str, ...]) -> None:
        specs = self.porter.unit.specs
        if entry.get("user") and entry["class"] in specs:
            self._object(entry, specs[entry["class"]], path)
            return
        if entry["class"] in rules.OBJECTS:
            self._layer(entry, rules.OBJECTS[entry["class"]], path)
            return
        frames = self._frames(entry)
        if frames:
            made = next(
                (m for m in spec.modules if (m.span.line, m.span.column) == (frames[-1]["line"], frames[-1]["column"])),
                None,
            )
            inner = made.spec if made is not None else specs.get(frames[-1]["function"])
            if inner is not None:
                self._object(entry, inner, path)

    def _layer(self, entry: Mapping[str, Any], rule: rules.ObjectRule, path: tuple[str, ...]) -> None:
        """The variables of one framework layer, and of the layers it wraps."""
        for attribute, below in rule.children.items():
            child = entry["attrs"].get(attribute)
            if child is not None:
                inner = self.trace.objects[child]
                if inner["class"] in rules.OBJECTS:
                    tail = tuple(below.split(".")) if below else ()
                    self._layer(inner, rules.OBJECTS[inner["class"]], (*path, *tail))
        for name, variable in self._below(entry, ""):
            targets = rule.weights.get(name)
            if targets is None:
                continue
            for weight in [targets] if isinstance(targets, rules.Weight) else targets:
                self._add(variable, ".".join((*path, weight.target)), weight.steps)

    def _below(self, entry: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for variable in entry["variables"]:
            yield f"{prefix}{variable['attr']}", variable
        for name, child in entry["attrs"].items():
            if isinstance(child, int):
                yield from self._below(self.trace.objects[child], f"{prefix}{name}.")

    def _children(self, entry: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        layers = entry["attrs"].get("layers", [])
        return [self.trace.objects[index] for index in layers if isinstance(index, int)]

    def _all_variables(self, entry: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        for _, variable in self._below(entry, ""):
            yield variable

    def _frames(self, entry: Mapping[str, Any]) -> list[dict[str, Any]]:
        """User frames of the constructor call; a comprehension counts as the function it stands in."""
        frames: list[dict[str, Any]] = []
        for frame in entry.get("site") or ():
            name = frame["function"].rsplit(".", 1)[-1]
            if name in ("<listcomp>", "<dictcomp>", "<genexpr>", "<setcomp>") and frames:
                outer = frames.pop()
                frame = {**frame, "invocation": outer["invocation"], "function": outer["function"]}
            frames.append(dict(frame))
        return frames

    def _add(self, variable: Mapping[str, Any], target: str, steps: Any) -> None:
        shape = variable["shape"]
        settled = []
        for step in steps:
            step = list(step)
            if step[0] == "reshape":
                step[1] = _settle(step[1], shape)
            settled.append([_plain(part) for part in step])
            shape = _after(shape, settled[-1])
        self.entries.append({"source": variable["index"], "path": variable["path"], "target": target, "steps": settled})


def _leaves(value: Any, depth: int) -> list[tuple[tuple[str, ...], Any]]:
    if depth == 0:
        return [((), value)]
    return [((str(i), *rest), leaf) for i, item in enumerate(value) for rest, leaf in _leaves(item, depth - 1)]


def _plain(value: Any) -> Any:
    return [_plain(part) for part in value] if isinstance(value, tuple | list) else value


def _settle(wanted: Any, shape: list[int]) -> list[int]:
    """A rule's reshape with 0 (keep) and -1 (what is left) filled in."""
    dims = [shape[i] if d == 0 else d for i, d in enumerate(wanted)]
    if -1 in dims:
        total, rest = 1, 1
        for d in shape:
            total *= d
        for d in dims:
            rest *= d if d != -1 else 1
        dims[dims.index(-1)] = total // rest
    return dims


def _after(shape: list[int], step: list[Any]) -> list[int]:
    if step[0] == "transpose":
        return [shape[axis] for axis in step[1]]
    if step[0] == "reshape":
        return list(step[1])
    if step[0] == "take":
        return shape[: step[1]] + shape[step[1] + 1 :]
    return shape


__all__ = ["Span", "WeightsMap", "ModuleInstance"]
