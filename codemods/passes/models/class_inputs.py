"""Parameters of constructors and calls: configuration, and inputs with sizes of their own."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import libcst as cst

from codemods.passes.calls.inputs import axis_names, dims_of_inputs
from codemods.passes.expressions.width_lists import Widths
from codemods.passes.frame import Frame
from codemods.passes.modules import IN_FEATURES, ModuleSpec
from codemods.passes.types import integer_parameters
from codemods.passes.values import UNKNOWN, TensorType, Value, is_int, text


class ClassInputs:
    """Types of parameters, by their uses, the first call and the trace."""

    def parameter(self, spec: ModuleSpec, param: cst.Param) -> Value:
        """A constructor parameter: configuration, an integer for all we know."""
        functions = self.given_parameter(spec.source, param)
        if functions is not None:
            return functions
        default: Any = UNKNOWN
        if param.default is not None:
            try:
                default = eval(text(param.default), {})
            except Exception:
                default = UNKNOWN
        dim = None
        if default is UNKNOWN or default is None or (isinstance(default, int) and not isinstance(default, bool)):
            dim = spec.symbols.of_code(param.name.value)
        given = self.module_parameters.get(spec.source, {}).get(param.name.value)
        if given is not None and given.module is not None:
            return Value(param.name, module=given.module)
        first = spec.first_arguments.get(param.name.value)
        sure = param.name.value in self.integers(spec)
        if not sure and first is not None and param.name.value not in self.other_than_ints(spec):
            sure = is_int(first)
        dim = dim if not sure else spec.symbols.of_code(param.name.value)
        element = self.element_type(first) if first is not None else None
        return Value(param.name, dim=dim, sure=sure, item=element)

    def element_type(self, first: Value) -> Value | None:
        """What elements of a sequence given as configuration look like: which are ints."""
        elements = first.items or (self.elements(first) if isinstance(first.known, list | tuple) else None)
        if not elements or any(element.is_tensor or element.has_layers for element in elements):
            return None
        return dataclasses.replace(self.element_of(first, Frame(self.unit, "", "plain")), code=cst.Name("_"))

    def other_than_ints(self, spec: ModuleSpec) -> frozenset[str]:
        """Parameters that some call or default gives anything but an int."""
        self.integers(spec)
        return self.other_names[id(spec)]

    def integers(self, spec: ModuleSpec) -> frozenset[str]:
        if id(spec) not in self.integer_names:
            node = spec.node if isinstance(spec.node, cst.FunctionDef) else self.method_node(spec, "__init__")
            params = [*node.params.params, *node.params.kwonly_params] if node is not None else []
            params = params[1:] if spec.kind == "class" else params
            self.integer_names[id(spec)], self.other_names[id(spec)] = integer_parameters(
                self.unit, spec.source, params
            )
        return self.integer_names[id(spec)]

    def call_arguments(
        self, spec: ModuleSpec, call_node: cst.FunctionDef | None, inputs: list[tuple[str | None, Value]] | None
    ) -> dict[str, Value]:
        """Values of the call's parameters: the caller's, with dims made the callee's own; else as traced."""
        if call_node is None:
            return {}
        names = [p.name.value for p in call_node.params.params[1:]]
        given: dict[str, Value] = {}
        if inputs is None:
            given = self.traced_arguments(spec, names)
        else:
            for i, (name, value) in enumerate(inputs):
                key = name or (names[i] if i < len(names) else None)
                if key is not None:
                    given[key] = value
            given = self.generalise(spec, given)
        return given

    def generalise(self, spec: ModuleSpec, given: dict[str, Value]) -> dict[str, Value]:
        """Input types whose dims are symbols of the callee: last dims get constructor parameters."""
        given = self.ranked(spec, given)
        names = iter([name for name, _ in dims_of_inputs(list(given.items()))])  # type: ignore[arg-type]

        def walk(value: Value, label: str) -> Value:
            tensor = value.tensor
            if tensor is not None:
                width = next(names, IN_FEATURES)
                if tensor.shape is not None and tensor.shape:
                    last = spec.symbols.of_code(width)
                    spec.dims[width] = last
                    dims = [spec.symbols.unknown("d") for _ in tensor.shape[:1]] if len(tensor.shape) > 1 else []
                    for axis in axis_names(len(tensor.shape), len(spec.input_shapes)):
                        spec.dims[axis] = spec.symbols.of_code(axis)
                        spec.symbols.optional.add(axis)
                        dims.append(spec.dims[axis])
                    tensor = TensorType((*dims, last), tensor.dtype)
                    spec.input_shapes[label] = (*dims, last)
                return Value(value.code, tensor=tensor)
            if isinstance(value.special, Widths) and value.item is not None:
                width = next(names, IN_FEATURES)
                spec.dims[width] = spec.symbols.of_code(width)
                item = dataclasses.replace(walk_item(value.item), code=value.code)
                return Value(value.code, item=item, special=Widths(width), staged=True)
            items = (
                [walk(item, f"{label}_{i}") for i, item in enumerate(value.items)] if value.items is not None else None
            )
            mapping = {k: walk(v, str(k)) for k, v in value.mapping.items()} if value.mapping is not None else None
            return Value(value.code, value.known, None, None, None, None, items, None, mapping, staged=value.staged)

        def walk_item(value: Value) -> Value:
            shape = value.tensor.shape if value.tensor is not None else None
            dims = tuple(spec.symbols.unknown("d") for _ in shape) if shape is not None else None
            return Value(value.code, tensor=TensorType(dims, value.tensor.dtype if value.tensor else None))

        return {name: walk(value, name) for name, value in given.items()}

    def ranked(self, spec: ModuleSpec, given: dict[str, Value]) -> dict[str, Value]:
        """Gives an input of unknown rank the rank that it had in the trace."""
        traced = iter(self.traced_arguments(spec, list(given)).values())
        result = {}
        for name, value in given.items():
            found = next(traced, None)
            unknown = value.tensor is not None and value.tensor.shape is None
            if unknown and found is not None and found.tensor is not None and found.tensor.shape is not None:
                dims = tuple(spec.symbols.unknown("d") for _ in found.tensor.shape)
                value = dataclasses.replace(value, tensor=TensorType(dims, found.tensor.dtype))
            result[name] = value
        return result

    def traced_arguments(self, spec: ModuleSpec, names: list[str]) -> dict[str, Value]:
        """Inputs as the original's run had them; the batch is left open."""
        for entry in self.unit.trace.instances(spec.source):
            call = self.unit.trace.input_tree(entry)
            if call is None:
                continue
            given = {}
            for name, tree in zip(names, call.get("inputs") or (), strict=False):
                given[name] = self.of_tree(tree, cst.Name(name), spec)
            for name, tree in (call.get("kwargs") or {}).items():
                if isinstance(tree, Mapping) and "shape" in tree:
                    given[name] = self.of_tree(tree, cst.Name(name), spec)
            return given
        return {}

    def of_tree(self, tree: Any, code: cst.BaseExpression, spec: ModuleSpec) -> Value:
        if isinstance(tree, Mapping) and "shape" in tree and "dtype" in tree:
            shape = list(tree["shape"])
            dims = [spec.symbols.unknown("batch") if i == 0 or d is None else d for i, d in enumerate(shape)]
            return Value(code, tensor=TensorType(tuple(dims), tree["dtype"]))
        if isinstance(tree, list):
            return Value(code, items=[self.of_tree(item, code, spec) for item in tree])
        if isinstance(tree, Mapping):
            return Value(code, mapping={key: self.of_tree(item, code, spec) for key, item in tree.items()})
        return Value(code)
