"""What a module gives, in its caller's terms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import libcst as cst

from codemods.engine.walk import names_in
from codemods.passes.expressions.width_lists import Widths
from codemods.passes.frame import Frame
from codemods.passes.modules import OUT_FEATURES, ModuleInstance
from codemods.passes.values import UNKNOWN, Symbols, TensorType, Value, text


class ModuleResults:
    """Replaces the callee's symbolic sizes by the caller's."""

    def translate(self, value: Value, instance: ModuleInstance, widths: Mapping[str, Any], frame: Frame) -> Value:
        """A callee's value with the callee's symbols replaced by the caller's."""
        spec = instance.spec
        symbols = frame.spec.symbols if frame.spec else self.plain_symbols
        named = self.named_arguments(instance)
        by_code: dict[str, Any] = dict(widths)
        for name, argument in named.items():
            found = self.size_of(argument, symbols)
            if found is not None:
                by_code[name] = found

        def settled(d: Any) -> bool:
            for name in spec.symbols.names(d) - by_code.keys():
                code = spec.symbols.code_of(name)
                if code is None or name in spec.symbols.changed:
                    return False
                if code not in by_code:
                    found = self.resolved(code, named, frame)
                    if found is None:
                        return False
                    by_code[code] = found
            return True

        leaves = 0

        def dim(d: Any, attribute: str | None) -> Any:
            if isinstance(d, int):
                return d
            if settled(d):
                return spec.symbols.substitute(d, by_code, by_code)
            holder = self.constructor_ref(instance, frame)
            if attribute is None or holder is None or spec.symbols.code(d) is None:
                return symbols.unknown("d")
            spec.exposed[attribute] = d
            return symbols.of_code(f"{holder}.{attribute}")

        def walk(v: Value) -> Value:
            nonlocal leaves
            tensor = v.tensor
            if tensor is not None:
                leaves += 1
            if tensor is not None and tensor.shape:
                attribute = OUT_FEATURES if leaves == 1 else f"{OUT_FEATURES}{leaves}"
                dims = [dim(d, None) for d in tensor.shape[:-1]]
                tensor = TensorType((*dims, dim(tensor.last, attribute)), tensor.dtype)
            items = [walk(item) for item in v.items] if v.items is not None else None
            mapping = {key: walk(item) for key, item in v.mapping.items()} if v.mapping is not None else None
            if isinstance(v.special, Widths) and v.item is not None:
                leaves += 1
                attribute = OUT_FEATURES if leaves == 1 else f"{OUT_FEATURES}{leaves}"
                listed = dim(spec.symbols.of_code(v.special.code), attribute)
                inner = Value(v.code, tensor=opened(v.item.tensor, symbols))
                return Value(v.code, item=inner, staged=True, special=Widths(symbols.code(listed) or "_"))
            if tensor is None and items is None and mapping is None and v.dim is not None and not v.is_tensor:
                size = dim(v.dim, v.code.value if isinstance(v.code, cst.Name) else None)
                if symbols.code(size) is not None:
                    return Value(v.code, dim=size, sure=v.sure)
            return Value(v.code, tensor=tensor, items=items, mapping=mapping, staged=True)

        return walk(value)

    def size_of(self, argument: Value, symbols: Any) -> Any:
        """An argument of a constructor as a size."""
        if argument.dim is not None:
            return argument.dim
        if isinstance(argument.known, int):
            return argument.known
        if argument.known is UNKNOWN and argument.items is None and not argument.is_tensor and not argument.has_layers:
            return symbols.of_code(text(argument.code))
        return None

    def resolved(self, code: str, named: Mapping[str, Value], frame: Frame) -> Any:
        """A piece of the callee's constructor code (`filters[0]`) as a size, from the caller's arguments."""
        node = cst.parse_expression(code)
        if not names_in(node) or not names_in(node) <= named.keys() | self.unit.lasting:
            return None
        inner = frame.child(env=dict(named), emit=False, extra=[], prelude=[])
        residuals = list(self.unit.residuals)
        value = self.eval(node, inner)  # type: ignore[attr-defined]
        if len(self.unit.residuals) > len(residuals):
            self.unit.residuals[:] = residuals
            return None
        if isinstance(value.known, int) and not isinstance(value.known, bool):
            return value.known
        return value.dim

    def constructor_ref(self, instance: ModuleInstance, frame: Frame) -> str | None:
        """Code that reads an instance in the caller's constructor, just after it was made."""
        placement = instance.placement
        if placement is None or frame.mode != "staged":
            return None
        if placement.list_marker is not None:
            return f"{self.list_ref(placement)}[-1]"  # type: ignore[attr-defined]
        return f"self.{placement.marker}" if placement.path == (placement.marker,) else None

    def named_arguments(self, instance: ModuleInstance) -> dict[str, Value]:
        """Constructor arguments by parameter name, defaults included."""
        parameters = self.constructor_parameters(instance.spec)
        found: dict[str, Value] = {}
        positions = [p for p in parameters if not p.star]
        spread = next((i for i, (name, _) in enumerate(instance.arguments) if name == "*"), len(instance.arguments))
        unseen = False  # what is spread over the arguments may give any parameter
        for i, (name, value) in enumerate(instance.arguments):
            if name == "**" and value.mapping is not None and all(isinstance(key, str) for key in value.mapping):
                found |= value.mapping
                continue
            unseen = unseen or name in ("*", "**")
            if name in ("*", "**") or (name is None and i > spread):
                continue
            if name is not None:
                found[name] = value
            elif i < len(positions):
                found[positions[i].name.value] = value
        for p in positions:
            if p.name.value not in found and p.default is not None and not unseen:
                if isinstance(p.default, cst.Name) and p.default.value in self.unit.globals:
                    found[p.name.value] = self.unit.globals[p.default.value]
                    continue
                try:
                    known = eval(text(p.default), {})
                except Exception:
                    continue
                found[p.name.value] = self.of_known(known)
        return found


def opened(tensor: TensorType | None, symbols: Symbols) -> TensorType:
    """A tensor of the same rank, no size of which is known."""
    if tensor is None or tensor.shape is None:
        return TensorType(None, tensor.dtype if tensor is not None else None)
    return TensorType(tuple(symbols.unknown("d") for _ in tensor.shape), tensor.dtype)
