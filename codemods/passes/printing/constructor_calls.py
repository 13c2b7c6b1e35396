"""Constructor calls of layers and modules, once all shapes are known."""

from __future__ import annotations

import inspect

import libcst as cst
import libcst.matchers as m

from codemods.engine.outcome import Residual
from codemods.engine.template import Arg, inline
from codemods.engine.walk import findall
from codemods.passes.calls.inputs import axis_names
from codemods.passes.modules import IN_FEATURES, LayerInstance, ModuleInstance, ModuleSpec
from codemods.passes.names import read_names
from codemods.passes.pieces import EQUAL
from codemods.passes.values import TensorType, Value, same_dim, text

#: Stands for a size that no constructor code gives; harmless where a body only asks for the rank.
INEXPRESSIBLE = cst.Name("__inexpressible__")


class ConstructorCalls:
    """What stands in the place of a marker."""

    def layer_code(self, layer: LayerInstance, spec: ModuleSpec) -> cst.BaseExpression | None:
        if layer.wrapped:
            return None
        if isinstance(layer.factory, ModuleInstance):
            layer.factory.in_dims = {IN_FEATURES: [tensor.last for tensor in layer.inputs]}
            return self.module_code(layer.factory, spec)
        make = layer.rule.make
        if make is None:
            return self.complete(layer, None, spec) if layer.alone else cst.Name("None")
        args = {name: self.argument(value) for name, value in layer.arguments.items()}
        for name, parameter in inspect.signature(make).parameters.items():
            if name == "rngs":
                args["rngs"] = Arg(cst.Name("rngs"))
            elif parameter.kind is parameter.KEYWORD_ONLY:
                args[name] = self.input_argument(layer, name, spec)
        found = inline(make, args, given=layer.given, symbol=layer.symbol, helpers=self.helpers_of(layer))
        if isinstance(found, Residual):
            self.unit.residuals.append((spec.source, Residual(layer.symbol, found.reason, layer.span)))
            return cst.Name("None")
        if INEXPRESSIBLE.value in read_names(found.code):
            reason = "a size of the input can't be expressed where the layer is made"
            self.unit.residuals.append((spec.source, Residual(layer.symbol, reason, layer.span)))
            return cst.Name("None")
        self.accept_helpers(found, layer.rule)
        self.unit.imports |= found.imports
        for call in findall(found.code, m.Call()):
            self.made_calls.append((call, found.ledgers.get(text(call.func), frozenset())))  # type: ignore[attr-defined]
        if layer.alone:
            return self.complete(layer, found.code if layer.makes else None, spec)
        return found.code

    def input_argument(self, layer: LayerInstance, name: str, spec: ModuleSpec) -> Arg:
        """Stands for an input of the layer in its constructor: dims as constructor code."""
        values = [bound[name] for bound in layer.calls if name in bound and isinstance(bound[name], Value)]
        if name != "x" and not values:
            first = next(iter(layer.calls[0]), None) if layer.calls else None
            if layer.calls and name != first:
                return Arg(cst.Name("None"), None)
        if name == "x" or not values:
            values = [next(iter(bound.values())) for bound in layer.calls if bound]
        if values and values[0].tensor is None and values[0].items:
            inner = [
                self.stand_in(layer, [v.items[i].tensor for v in values if v.items], spec)
                for i in range(len(values[0].items))
            ]
            return Arg(None, items=inner)
        return self.stand_in(layer, [v.tensor for v in values if v.tensor is not None], spec)

    def stand_in(self, layer: LayerInstance, tensors: list[TensorType | None], spec: ModuleSpec) -> Arg:
        shapes = [tensor.shape for tensor in tensors if tensor is not None]
        ranks = {len(shape) for shape in shapes if shape is not None}
        traced = self.unit.trace.inputs(self.unit.trace.made_at(layer.span))
        if not ranks:
            ranks = {len(shape) for shape in traced}
        rank = ranks.pop() if len(ranks) == 1 else None

        def dim(i: int) -> cst.BaseExpression | None:
            if spec.kind == "factory" and i == -1 and not shapes:
                spec.dims.setdefault(IN_FEATURES, spec.symbols.of_code(IN_FEATURES))
                return cst.Name(IN_FEATURES)
            dims = [shape[i] if shape is not None and -len(shape) <= i < len(shape) else None for shape in shapes]
            if dims and dims[0] is not None and all(d is not None and same_dim(d, dims[0]) for d in dims):
                code = spec.symbols.code(dims[0], self.later.get(layer.marker, ()))
                if code is not None:
                    return cst.parse_expression(code)
            found = {shape[i] for shape in traced if rank is None or len(shape) == rank}
            if len(found) == 1 and None not in found:
                size = found.pop()
                self.unit.notes_at(layer.span, f"the size {size} of this layer's input comes from the trace")
                return cst.Integer(str(size))
            return INEXPRESSIBLE

        return Arg(None, dim=dim, ndim=rank)

    def complete(self, layer: LayerInstance, made: cst.BaseExpression | None, spec: ModuleSpec) -> cst.BaseExpression:
        """A callable that does all that the layer did, for code that calls it unseen."""
        call = layer.rule.call
        assert call is not None
        parameters = list(inspect.signature(call).parameters.values())
        args: dict[str, Arg] = {}
        if layer.rule.kind == "layer":
            args[parameters[0].name] = Arg(cst.Name("__layer__"))
            parameters = parameters[1:]
        required = [p.name for p in parameters if p.kind is not p.KEYWORD_ONLY and p.default is p.empty]
        for name in required:
            args[name] = Arg(cst.Name(name))
        for p in parameters:
            if p.kind is p.KEYWORD_ONLY and p.name in layer.arguments:
                args[p.name] = self.argument(layer.arguments[p.name])
        if layer.rule.mode:
            args["training"] = Arg(cst.Name("training"))
        given = frozenset(args)
        self.fill_defaults(layer.rule, args)
        found = inline(call, args, given=given, symbol=layer.symbol, can_prelude=False)
        if isinstance(found, Residual):
            self.unit.residuals.append((spec.source, Residual(layer.symbol, found.reason, layer.span)))
            return cst.Name("None")
        if layer.rule.mode:
            reason = "called where it can't be seen whether the model is training"
            self.unit.residuals.append((spec.source, Residual(layer.symbol, reason, layer.span)))
        self.unit.imports |= found.imports
        if made is None:
            return self.as_function(required, found.code)
        inner = text(found.code)
        if inner == f"__layer__({', '.join(required)})":
            return made
        self.unit.imports.add("nnx")
        outer = cst.Lambda(cst.Parameters([cst.Param(cst.Name("x"))]), _applied_to(found.code, required))
        function: cst.BaseExpression = outer
        if (
            isinstance(found.code, cst.Call)
            and len(found.code.args) == 1
            and isinstance(found.code.args[0].value, cst.Call)
        ):
            if text(found.code.args[0].value) == f"__layer__({', '.join(required)})":
                function = found.code.func
        return cst.Call(cst.parse_expression("nnx.Sequential"), [cst.Arg(made), cst.Arg(function)])

    def as_function(self, names: list[str], code: cst.BaseExpression) -> cst.BaseExpression:
        """`lambda x: nnx.relu(x)` as `nnx.relu`, and with settings a partial of it."""
        params = cst.Parameters([cst.Param(cst.Name(name)) for name in names])
        if not isinstance(code, cst.Call) or set(names) & read_names(code.func):
            return cst.Lambda(params, code)
        own, settings = code.args[: len(names)], code.args[len(names) :]
        by_place = [arg.value.value for arg in own if isinstance(arg.value, cst.Name) and not (arg.star or arg.keyword)]
        fixed = all(arg.keyword is not None and not findall(arg.value, m.Call()) for arg in settings)
        if by_place != names or not fixed or any(set(names) & read_names(arg.value) for arg in settings):
            return cst.Lambda(params, code)
        if not settings:
            return code.func
        self.unit.imports.add("functools")
        return cst.Call(cst.parse_expression("functools.partial"), [cst.Arg(code.func), *settings])

    def module_code(self, module: ModuleInstance, spec: ModuleSpec) -> cst.BaseExpression:
        """`Name(in_features, ..., rngs=rngs)`."""
        args = []
        for name in module.spec.used_dims:
            args.append(cst.Arg(self.in_dim(module, name, spec)))
        names = [p.name.value for p in self.constructor_parameters(module.spec)]
        spread = next((keyword for keyword, _ in module.arguments if keyword in ("*", "**")), None)
        unseen = (
            module.spec.dropped
            - {keyword for keyword, _ in module.arguments if keyword}
            - set(names[: len(module.arguments) - 1])
        )
        if spread is not None and unseen:
            reason = f"`{spread}` may give {sorted(unseen)[0]}, which the port does not take"
            self.unit.residuals.append((spec.source, Residual(module.spec.source, reason, module.span)))
        for i, (keyword, value) in enumerate(module.arguments):
            if keyword in ("*", "**"):
                args.append(cst.Arg(value.code, star=keyword))
                continue
            if (keyword or (names[i] if i < len(names) else "")) in module.spec.dropped:
                continue
            args.append(
                cst.Arg(value.code, keyword=cst.Name(keyword) if keyword else None,
                        equal=EQUAL if keyword else cst.MaybeSentinel.DEFAULT)
            )  # fmt: skip
        if self.needs_rngs(module.spec):
            args.append(cst.Arg(cst.Name("rngs"), keyword=cst.Name("rngs"), equal=EQUAL))
        return cst.Call(cst.Name(module.spec.name), args)

    def needs_rngs(self, spec: ModuleSpec) -> bool:
        return spec.random or any("rngs" in read_names(statement) for statement in spec.init)

    def in_dim(self, module: ModuleInstance, name: str, spec: ModuleSpec) -> cst.BaseExpression:
        dims = module.in_dims.get(name, [])
        if dims and dims[0] is not None and all(d is not None and same_dim(d, dims[0]) for d in dims):
            code = spec.symbols.code(dims[0], self.later.get(module.marker, ()))
            if code is not None:
                return cst.parse_expression(code)
        trace = self.unit.trace
        made_here = trace.made_at(module.span)
        shapes = trace.inputs(made_here or list(trace.instances(module.spec.source)))
        axis = axis_of(name, {len(shape) for shape in shapes})
        sizes = {shape[axis] for shape in shapes if shape} if axis is not None else set()
        if len(sizes) == 1 and None not in sizes:
            size = sizes.pop()
            self.unit.notes_at(module.span, f"the size {size} of this module's input comes from the trace")
            return cst.Integer(str(size))
        what = "the last dimension" if name.startswith(IN_FEATURES) else f"a dimension ({name})"
        reason = f"{what} of the input of {module.spec.source} can't be expressed where it is made"
        self.unit.residuals.append((spec.source, Residual(module.spec.source, reason, module.span)))
        return cst.Name("None")


def axis_of(name: str, ranks: set[int]) -> int | None:
    """The axis of a module's first input that a parameter of its constructor tells the size of."""
    if name == IN_FEATURES:
        return -1
    names = axis_names(ranks.pop(), 0) if len(ranks) == 1 else []
    return names.index(name) + 1 if name in names else None


def _applied_to(code: cst.BaseExpression, required: list[str]) -> cst.BaseExpression:
    class Swap(cst.CSTTransformer):
        def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
            if isinstance(original_node.func, cst.Name) and original_node.func.value == "__layer__":
                return cst.Name("x")
            return updated_node

    return code.visit(Swap())  # type: ignore[return-value]
