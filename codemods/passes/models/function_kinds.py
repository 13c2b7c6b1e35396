"""Which functions of the file build models, make layers, or only compute."""

from __future__ import annotations

import functools
from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine import rule as rules
from codemods.engine.frame import parsed
from codemods.engine.walk import findall

_BUILDING = frozenset({"tf.keras.Input", "tf.keras.Model", "tf.keras.Sequential"})


class FunctionKinds:
    """Tells functions apart."""

    def function_kind(self, name: str) -> str:
        """`builder`, `helper`, `factory` (see ModuleSpec) or `plain`."""
        if name in self.kinds:
            return self.kinds[name]
        self.kinds[name] = "plain"
        node = self.unit.functions[name]
        apart = uncalled(node)
        calls = [call for call in findall(node.body, m.Call()) if id(call) not in apart]
        made = [call for call in calls if self.makes_layer(call)]  # type: ignore[arg-type]
        if not any(self.keeps_something(call) for call in made):  # type: ignore[arg-type]
            made = []
        given = [call for call in calls if self.makes_given(name, call)]  # type: ignore[arg-type]
        made += given
        building = [call for call in calls if self.unit.symbol(call.func) in _BUILDING]  # type: ignore[attr-defined]
        trains = any(
            m.matches(call, m.Call(func=m.Attribute(attr=m.Name("fit") | m.Name("apply_gradients")))) for call in calls
        )
        kind = "plain"
        if building and not trains:
            kind = "builder"
        elif made and not trains:
            applied = [call for call in calls if isinstance(call.func, cst.Call) and self.makes_layer(call.func)]  # type: ignore
            local = self.layer_locals(node)
            applied += [c for c in calls if isinstance(c.func, cst.Name) and c.func.value in local]  # type: ignore[attr-defined]
            applied += [c for c in calls if self.is_helper_call(c)]  # type: ignore[arg-type]
            applied += given
            kind = "helper" if applied else "factory" if self.returns_layer(node) else "plain"
        self.kinds[name] = kind
        return kind

    def returns_layer(self, node: cst.FunctionDef) -> bool:
        """Does a function only make a layer and return it?"""
        local = self.layer_locals(node)
        uses = [name for name in findall(node.body, m.Name()) if name.value in local]  # type: ignore[attr-defined]
        for item in findall(node.body, m.Return()):
            value = item.value  # type: ignore[attr-defined]
            if isinstance(value, cst.Call) and self.makes_layer(value):
                return True
            if isinstance(value, cst.Name) and value.value in local and len(uses) == 2 * len(local):
                return True
        return False

    def makes_layer(self, call: cst.Call) -> bool:
        """Is this a constructor call of a layer, of the framework's or the user's?"""
        symbol = self.unit.symbol(call.func)
        if symbol is not None:
            return symbol in rules.OBJECTS and rules.OBJECTS[symbol].kind == "layer"
        if isinstance(call.func, cst.Name):
            name = call.func.value
            if name in self.unit.classes:
                bases = self.unit.bases(name)
                return bool(bases) and bases[0] in ("tf.keras.layers.Layer", "tf.keras.Layer")
            if name in self.unit.functions:
                return self.function_kind(name) in ("helper", "factory")
        return False

    def keeps_something(self, call: cst.Call) -> bool:
        """Does a layer have weights or state, so that a module has to keep it?"""
        symbol = self.unit.symbol(call.func)
        return symbol is None or not makes_nothing(symbol)

    def is_helper_call(self, call: cst.Call) -> bool:
        name = call.func.value if isinstance(call.func, cst.Name) else ""
        return name in self.unit.functions and self.function_kind(name) == "helper"

    def makes_given(self, name: str, call: cst.Call) -> bool:
        """Does a function call one of its parameters, to which functions are given that make layers?"""
        called = call.func.value if isinstance(call.func, cst.Name) else ""
        return any(self.makes_layers(candidate) for candidate in self.given_sources.slots.get((name, called), ()))

    def layer_locals(self, node: cst.FunctionDef) -> set[str]:
        found = set()
        for assign in findall(node.body, m.Assign(targets=[m.AssignTarget(m.Name())], value=m.Call())):
            if self.makes_layer(assign.value):  # type: ignore[attr-defined]
                found.add(assign.targets[0].target.value)  # type: ignore[attr-defined]
        return found


@functools.cache
def makes_nothing(symbol: str) -> bool:
    """Is a layer no more than its call, whatever it is given?"""
    entry = rules.OBJECTS[symbol]
    if entry.make is None:
        return True
    returns: list[Any] = findall(parsed(entry.make), m.Return())
    return bool(returns) and all(isinstance(r.value, cst.Name) and r.value.value == "None" for r in returns)


def uncalled(node: cst.FunctionDef) -> set[int]:
    """Calls in functions inside this one that it does not call itself, but hands on or returns."""
    found: set[int] = set()
    for inner in findall(node.body, m.FunctionDef()):
        own = {id(call) for call in findall(inner.body, m.Call())}
        called = findall(node.body, m.Call(func=m.Name(inner.name.value)))
        if all(id(call) in own for call in called):
            found |= own
    return found
