"""The user's own functions and classes, where they are called."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine import rule as rules
from codemods.engine.frame import parsed
from codemods.engine.walk import findall
from codemods.passes.calls import Argument
from codemods.passes.frame import Frame
from codemods.passes.modules import ModuleInstance, ModuleSpec
from codemods.passes.placing import camel
from codemods.passes.statements import Statements
from codemods.passes.values import UNKNOWN, Lasting, TensorType, Value

_BUILDING = frozenset({"tf.keras.Input", "tf.keras.Model", "tf.keras.Sequential"})


class Functions(Statements):
    """Calls of module-level functions and classes of the file."""

    # -- kinds --------------------------------------------------------------------------------

    def function_kind(self, name: str) -> str:
        """`builder`, `helper`, `factory` (see ModuleSpec) or `plain`."""
        if name in self.kinds:
            return self.kinds[name]
        self.kinds[name] = "plain"
        node = self.unit.functions[name]
        calls = findall(node.body, m.Call())
        made = [call for call in calls if self.makes_layer(call)]  # type: ignore[arg-type]
        if not any(self.keeps_something(call) for call in made):  # type: ignore[arg-type]
            made = []
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

    def layer_locals(self, node: cst.FunctionDef) -> set[str]:
        found = set()
        for assign in findall(node.body, m.Assign(targets=[m.AssignTarget(m.Name())], value=m.Call())):
            if self.makes_layer(assign.value):  # type: ignore[attr-defined]
                found.add(assign.targets[0].target.value)  # type: ignore[attr-defined]
        return found

    # -- specs --------------------------------------------------------------------------------

    def spec_for(self, name: str, kind: str) -> ModuleSpec:
        if name not in self.unit.specs:
            node: Any = self.unit.classes.get(name) or self.unit.functions[name]
            output = name if kind in ("class", "factory") else self.free_name(camel(name), name)
            self.unit.specs[name] = ModuleSpec(output, name, kind, node)
        return self.unit.specs[name]

    def free_name(self, name: str, source: str = "") -> str:
        """A class name that nothing else has; `source` is the function that the class takes the place of."""
        taken = set(self.unit.classes) | set(self.unit.functions) | {s.name for s in self.unit.specs.values()}
        taken -= {source}
        while name in taken:
            name += "Module"
        return name

    def constructor_parameters(self, spec: ModuleSpec) -> list[cst.Param]:
        """Parameters of the original's constructor (self left out), or of the function."""
        if spec.kind == "class":
            init = self.method_node(spec, "__init__")
            if init is None:
                return []
            return [*init.params.params[1:], *init.params.kwonly_params]
        if spec.kind == "sequential":
            return [cst.Param(cst.Name(name)) for name in spec.locals_used]
        assert isinstance(spec.node, cst.FunctionDef)
        names = [*spec.node.params.params, *spec.node.params.kwonly_params]
        return [p for p in names if p.name.value not in spec.tensor_parameters]

    def method_node(self, spec: ModuleSpec, name: str) -> cst.FunctionDef | None:
        """A method of a class, or of its nearest user base that has it."""
        node: Any = spec.node
        while node is not None:
            for statement in node.body.body:
                if isinstance(statement, cst.FunctionDef) and statement.name.value == name:
                    return statement
            bases = [
                b.value.value
                for b in node.bases
                if isinstance(b.value, cst.Name) and b.value.value in self.unit.classes
            ]
            node = self.unit.classes[bases[0]] if bases else None
        return None

    # -- calls --------------------------------------------------------------------------------

    def call_class(self, name: str, node: cst.Call, frame: Frame) -> Value:
        if not self.unit.is_module_class(name):
            return self.plain_call(Value(node.func), node, frame)
        return self.instantiate(self.spec_for(name, "class"), node, frame)

    def instantiate(self, spec: ModuleSpec, node: cst.Call, frame: Frame) -> Value:
        key = (id(node), frame.function)
        arguments = self.constructor_arguments(node, frame)
        if arguments is None:
            return Value(node)
        names = {p.name.value for p in self.constructor_parameters(spec)} | {"*", "**"}
        kept = [(name, value) for name, value in arguments if name is None or name in names or name not in _NAMING]
        for name, value in kept:
            if name is not None and name not in names:
                frame.unit.residual(frame.function, node, spec.source, f"`{name}` is no parameter of {spec.source}")
            self.escape(value)
        if key in self.made and self.made[key].module is not None:
            self.made[key].module.arguments = kept  # type: ignore[union-attr]
            return self.made[key]
        instance = ModuleInstance(spec, kept, frame.unit.span(node), frame.unit.fresh("module"))
        value = Value(cst.Name(instance.marker), module=instance)
        if frame.spec is not None:
            frame.spec.modules.append(instance)
        else:
            self.loose.append((frame.function, instance))
        self.prepare(spec, frame)
        self.made[key] = value
        return value

    def constructor_arguments(self, node: cst.Call, frame: Frame) -> list[Argument] | None:
        """Arguments for a constructor; where ordinary code spreads a sequence or dict over them, so does the port."""
        if frame.mode == "plain" and any(arg.star for arg in node.args):
            values = [self.eval(arg.value, frame) for arg in node.args]
            return [
                (arg.star or (arg.keyword.value if arg.keyword else None), self.read_variable(value))
                for arg, value in zip(node.args, values, strict=True)
            ]
        return self.arguments(node, frame.child(as_init=True) if frame.mode == "staged" else frame)

    def call_function(self, name: str, node: cst.Call, frame: Frame) -> Value:
        kind = self.function_kind(name)
        if kind == "plain":
            return self.call_plain_function(name, node, frame)
        spec = self.spec_for(name, kind)
        if kind == "builder":
            return self.instantiate(spec, node, frame)
        if kind == "factory":
            return self.call_factory(spec, node, frame)
        return self.call_helper(spec, node, frame)

    def call_helper(self, spec: ModuleSpec, node: cst.Call, frame: Frame) -> Value:
        """`x = block(x, filters)`: a module made in the constructor and called on the tensors."""
        arguments = self.arguments(node, frame)
        if arguments is None:
            return Value(node)
        assert isinstance(spec.node, cst.FunctionDef)
        parameters = [p.name.value for p in spec.node.params.params]
        named = [
            (name or (parameters[i] if i < len(parameters) else None), name, value)
            for i, (name, value) in enumerate(arguments)
        ]
        tensors = {full for full, _, value in named if value.is_tensor and full is not None}
        if not spec.analysed:
            spec.tensor_parameters = [p for p in parameters if p in tensors] + [
                p.name.value for p in spec.node.params.kwonly_params if p.name.value in tensors
            ]
        elif set(spec.tensor_parameters) != tensors:
            frame.unit.residual(
                frame.function, node, spec.source, "called with tensors here that are no tensors elsewhere"
            )
        key = (id(node), frame.function)
        as_init = self.arguments(node, frame.child(as_init=True)) or []
        config = [
            (name, value)
            for i, (name, value) in enumerate(as_init)
            if (name or (parameters[i] if i < len(parameters) else None)) not in tensors
        ]
        if key in self.made and self.made[key].module is not None:
            self.made[key].module.arguments = config  # type: ignore[union-attr]
        else:
            instance = ModuleInstance(spec, config, frame.unit.span(node), frame.unit.fresh("module"))
            self.made[key] = Value(cst.Name(instance.marker), module=instance)
            if frame.spec is not None:
                frame.spec.modules.append(instance)
        callee = self.made[key]
        if frame.mode == "plain":
            frame.unit.residual(frame.function, node, spec.source, "makes layers where it is called")
            return Value(node)
        first_given = [full for full, _, value in named if full in tensors]
        inputs = [
            (None if name is None and first_given[: i + 1] == spec.tensor_parameters[: i + 1] else full, value)
            for i, (full, name, value) in enumerate(entry for entry in named if entry[0] in tensors)
        ]
        return self.call_module(callee, inputs, node, frame)

    def call_factory(self, spec: ModuleSpec, node: cst.Call, frame: Frame) -> Value:
        """`conv(filters, 3)`: a function that makes a layer; it stays one and learns the input's width."""
        key = (id(node), frame.function)
        arguments = self.arguments(node, frame.child(as_init=True) if frame.mode == "staged" else frame)
        if arguments is None:
            return Value(node)
        self.prepare(spec, frame)
        made = spec.result
        if made is None or made.layer is None:
            frame.unit.residual(frame.function, node, spec.source, f"what {spec.source} returns is not known")
            return Value(node)
        instance = ModuleInstance(spec, arguments, frame.unit.span(node), frame.unit.fresh("module"))
        named = self.named_arguments(instance)
        values = {}
        for parameter, value in made.layer.arguments.items():
            code = value.code
            if isinstance(code, cst.Name) and code.value in named:
                values[parameter] = named[code.value]
            elif value.known is not UNKNOWN:
                values[parameter] = value
            else:
                by_code = {n: v.dim for n, v in named.items() if v.dim is not None}
                dim = value.dim
                if dim is not None and spec.symbols.parts(dim) <= by_code.keys() and frame.spec is not None:
                    dim = spec.symbols.substitute(dim, by_code)
                values[parameter] = dataclasses.replace(value, dim=dim)
        cached = self.made.get(key)
        if cached is not None and cached.layer is not None:
            cached.layer.arguments, cached.layer.factory = values, instance
            return cached
        layer = dataclasses.replace(
            made.layer, arguments=values, span=frame.unit.span(node), marker=frame.unit.fresh("layer"), inputs=[],
            calls=[], factory=instance, placement=None,
        )  # fmt: skip
        if frame.spec is not None:
            frame.spec.layers.append(layer)
        value = Value(cst.Name(layer.marker), layer=layer)
        self.made[key] = value
        return value

    def call_plain_function(self, name: str, node: cst.Call, frame: Frame) -> Value:
        arguments = self.arguments(node, frame)
        if arguments is None:
            return self.plain_call(Value(node.func), node, frame)
        result = self.plain_result(name, arguments, frame)
        args = [arg.with_changes(value=value.code) for arg, (_, value) in zip(node.args, arguments, strict=True)]
        info = self.function_flags.get(name, set())
        if "rngs" in info:
            args.append(cst.Arg(self.with_rngs(cst.Name("rngs"), frame), keyword=cst.Name("rngs"), equal=_EQUAL))
        symbols = frame.spec.symbols if frame.spec is not None else self.plain_symbols
        if result.dim is not None and symbols.code(result.dim) is None:
            result = dataclasses.replace(result, dim=None)  # made of the function's own variables
        return dataclasses.replace(result, code=node.with_changes(args=args))

    def plain_result(self, name: str, arguments: list[Any], frame: Frame) -> Value:
        """Type of what a tensor function returns, by evaluating its body."""
        staged = any(value.is_tensor for _, value in arguments)
        for _, value in arguments:
            self.escape(value)
        if frame.depth > 4 or name in self.active:
            return Value(cst.Name("_"), tensor=TensorType() if staged else None)
        node = self.unit.functions[name]
        inner = Frame(self.unit, name, "plain", spec=None, emit=False, depth=frame.depth + 1)
        inner.spec = None
        parameters = [*node.params.params, *node.params.kwonly_params]
        for param in parameters:
            default = self.default_value(param)
            inner.env[param.name.value] = dataclasses.replace(default, code=param.name)
        for i, (keyword, value) in enumerate(arguments):
            target = keyword or (node.params.params[i].name.value if i < len(node.params.params) else None)
            if target is not None:
                inner.env[target] = Value(
                    cst.Name(target), value.known, value.dim, value.tensor, None, value.module, value.items,
                    value.item, value.mapping, None, value.shape_of,
                    value.special if value.module or isinstance(value.special, Lasting) else None, value.staged,
                )  # fmt: skip
        residuals = list(self.unit.residuals)
        self.active.add(name)
        outer_symbols = self.plain_symbols
        if frame.spec is not None:
            self.plain_symbols = frame.spec.symbols
        try:
            self.run(node.body.body, inner)  # type: ignore[arg-type]
        finally:
            self.active.discard(name)
            self.plain_symbols = outer_symbols
            self.drop_trial(name, residuals, self.unit.imports)
        self.function_flags.setdefault(name, set()).update(inner.flags)
        self.seen_arguments.setdefault(name, arguments)
        if not inner.returns:
            return Value(cst.Name("_"), staged=False)
        joined = inner.returns[0]
        for value in inner.returns[1:]:
            joined = self.join(joined, value, frame)
        lasting = isinstance(joined.special, Lasting) or joined.special in ("constant_tensor", "variable")
        special = joined.special if lasting else None
        return Value(joined.code, joined.known, joined.dim, joined.tensor, joined.layer, joined.module, joined.items,
                     joined.item, joined.mapping, None, joined.shape_of, special, joined.staged)  # fmt: skip

    def default_value(self, param: cst.Param) -> Value:
        if param.default is None:
            return Value(param.name)
        try:
            known = eval(cst.Module([]).code_for_node(param.default), {})
        except Exception:
            return Value(param.name)
        return dataclasses.replace(self.of_known(known), known=UNKNOWN)


@functools.cache
def makes_nothing(symbol: str) -> bool:
    """Is a layer no more than its call, whatever it is given?"""
    entry = rules.OBJECTS[symbol]
    if entry.make is None:
        return True
    returns: list[Any] = findall(parsed(entry.make), m.Return())
    return bool(returns) and all(isinstance(r.value, cst.Name) and r.value.value == "None" for r in returns)


_EQUAL = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
#: Constructor keywords that only Keras reads.
_NAMING = frozenset({"name", "dtype", "dynamic", "input_shape"})
