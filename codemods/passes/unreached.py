"""Classes that nothing in the file calls, and no trace reaches: their inputs' rank is found by trial.

Most layers read one tensor and use its last dimension alone, so their code is the same for every rank; others
fix the rank themselves (a convolution). A class is evaluated with each rank, and ported where all ranks that it
accepts give one result.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine.walk import findall
from codemods.passes.calls.inputs import Argument
from codemods.passes.modules import ModuleSpec
from codemods.passes.training import Training
from codemods.passes.values import TensorType, Value, text

_RANKS = (4, 3, 2, 5)
_DIMS = re.compile(r"\.layers\.[A-Za-z]*([123])D(Transpose)?$")
_DTYPES = ("float32", "int32")


class Unreached(Training):
    """Finds inputs for classes that only code elsewhere calls."""

    def analyse_unreached(self, spec: ModuleSpec) -> None:
        """Analyses a class without a caller.

        Where no rank is accepted, the residuals are those of the first one; where two ranks give different
        code, that is the residual.
        """
        traced = spec.kind == "class" and list(self.unit.trace.instances(spec.source))
        if spec.kind not in ("class", "helper") or traced or not self.tensor_inputs(spec):
            self.analyse(spec, None, None)
            return
        results: dict[tuple[int, str], str] = {}
        implied = self.implied_ranks(spec.source, set())
        ranks = tuple(implied) if len(implied) == 1 else _RANKS
        for dtype in _DTYPES:
            for rank in ranks:
                found = self.trial(spec.source, rank, dtype)
                if found is not None:
                    results[rank, dtype] = found
            if results:
                break
        rank, dtype = next(iter(results), (_RANKS[0], _DTYPES[0]))
        if len(set(results.values())) > 1:
            ranks = ", ".join(str(rank) for rank, _ in sorted(results))
            reason = f"nothing calls it here, and its code depends on the rank of its input ({ranks}): give an entry that reaches it"
            self.unit.residual(spec.source, self.definition(spec.source).name, spec.source, reason)
        self.analyse_with(spec, rank, dtype)

    def implied_ranks(self, name: str, seen: set[str]) -> set[int]:
        """The ranks of tensors that layers of a helper, and of those that it calls, are named after: 4 for Conv2D."""
        node = self.unit.functions.get(name)
        if node is None or name in seen:
            return set()
        seen.add(name)
        found: set[int] = set()
        for call in findall(node.body, m.Call()):
            dims = _DIMS.search(self.unit.symbol(call.func) or "")
            if dims is not None:
                found.add(int(dims[1]) + 2)
            elif isinstance(call.func, cst.Name):
                found |= self.implied_ranks(call.func.value, seen)
        return found

    def analyse_with(self, spec: ModuleSpec, rank: int, dtype: str) -> None:
        """Analyses a class or a helper as if called with tensors of one rank."""
        inputs = self.stand_ins(spec, rank, dtype)
        if spec.kind == "helper":
            spec.tensor_parameters = [str(name) for name, _ in inputs]
        self.analyse(spec, inputs, None)

    def definition(self, name: str) -> Any:
        return self.unit.classes.get(name) or self.unit.functions[name]

    def tensor_inputs(self, spec: ModuleSpec) -> list[str]:
        """Parameters of the call that every caller gives."""
        if spec.kind == "helper":
            return self.given_to_layers(spec)
        node = self.method_node(spec, "call") or self.method_node(spec, "__call__")
        params = node.params.params[1:] if node is not None else ()
        return [p.name.value for p in params if p.default is None and p.name.value not in ("training", "mask")]

    def given_to_layers(self, spec: ModuleSpec) -> list[str]:
        """Parameters of a helper that it gives to layers, or to other helpers in the place of a tensor."""
        assert isinstance(spec.node, cst.FunctionDef)
        found: set[str] = set()
        for call in findall(spec.node.body, m.Call()):
            names = [arg.value for arg in call.args]
            if isinstance(call.func, cst.Call) and self.makes_layer(call.func):
                found |= {n.value for arg in names for n in [arg, *elements_of(arg)] if isinstance(n, cst.Name)}
            elif self.is_helper_call(call):
                tensors = self.given_to_layers(self.spec_for(call.func.value, "helper"))
                params = [p.name.value for p in self.unit.functions[call.func.value].params.params]
                for i, arg in enumerate(call.args):
                    target = arg.keyword.value if arg.keyword else params[i] if i < len(params) else ""
                    if target in tensors and isinstance(arg.value, cst.Name):
                        found.add(arg.value.value)
        return [p.name.value for p in spec.node.params.params if p.name.value in found]

    def stand_ins(self, spec: ModuleSpec, rank: int, dtype: str) -> list[Argument]:
        symbols = spec.symbols
        return [
            (name, Value(cst.Name(name), tensor=TensorType(tuple(symbols.unknown("d") for _ in range(rank)), dtype)))
            for name in self.tensor_inputs(spec)
        ]

    def trial(self, source: str, rank: int, dtype: str) -> str | None:
        """The code that a class comes to; None where such inputs leave residuals."""
        with self.undone():
            self.unit.specs = {name: s for name, s in self.unit.specs.items() if s.analysed}
            before, known = len(self.unit.residuals), set(self.unit.specs)
            spec = self.spec_for(source, "class" if source in self.unit.classes else "helper")
            self.analyse_with(spec, rank, dtype)
            if len(self.unit.residuals) > before:
                return None
            new = [s for name, s in sorted(self.unit.specs.items()) if name not in known]
            return "\n".join(text(part) for s in new for part in [*s.init, *s.methods.values()])

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Everything that a trial learns is forgotten after it."""
        owners = (self, self.unit)
        saved = [{name: _copied(value) for name, value in vars(owner).items()} for owner in owners]
        objects = [dict(vars(owner)) for owner in owners]
        try:
            yield
        finally:
            for owner, values, before in zip(owners, saved, objects, strict=True):
                vars(owner).clear()
                vars(owner).update(before)
                for name, value in values.items():
                    _refill(vars(owner)[name], value)


def elements_of(node: cst.BaseExpression) -> list[cst.BaseExpression]:
    return [element.value for element in node.elements] if isinstance(node, cst.List | cst.Tuple) else []


def _copied(value: Any) -> Any:
    """A copy of a container, and of the containers in it; anything else is kept."""
    if isinstance(value, dict):
        return {k: list(v) if isinstance(v, list) else dict(v) if isinstance(v, dict) else v for k, v in value.items()}
    return type(value)(value) if isinstance(value, list | set) else value


def _refill(target: Any, value: Any) -> None:
    """Puts back what a container held; other objects may hold the container itself."""
    if isinstance(target, list):
        target[:] = value
    elif isinstance(target, dict | set):
        target.clear()
        target.update(value)
