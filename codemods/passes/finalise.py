"""Constructor code of layers and modules, once all shapes are known; final names of what is kept."""

from __future__ import annotations

import inspect
from collections import Counter
from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine.outcome import Residual
from codemods.engine.template import Arg, inline
from codemods.engine.walk import findall, identifiers
from codemods.passes.calls import axis_names
from codemods.passes.dead_code import without_unread
from codemods.passes.methods import Methods
from codemods.passes.modules import IN_FEATURES, LayerInstance, ModuleInstance, ModuleSpec, Thread
from codemods.passes.names import RenameMarkers, ReplaceNames, assigned_names, read_names, replaced
from codemods.passes.staging import call_side
from codemods.passes.values import TensorType, Value, same_dim, text

#: Stands for a size that no constructor code gives; harmless where a body only asks for the rank.
_INEXPRESSIBLE = cst.Name("__inexpressible__")
#: Constructor arguments that only Keras reads, where the code does not.
_KERAS_ONLY = frozenset({"name", "dtype"})
_EQUAL = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))


class Finalise(Methods):
    """Replaces markers by constructor calls and names."""

    def finalise(self, spec: ModuleSpec) -> None:
        if spec.done:
            return
        spec.done = True
        for module in spec.modules:
            self.finalise(module.spec)
        for layer in spec.layers:
            if isinstance(layer.factory, ModuleInstance):
                self.finalise(layer.factory.spec)
        new: dict[str, cst.BaseExpression] = {}
        spec.init = [self.as_lists(statement, spec) for statement in spec.init]
        for thread in spec.threads:
            spec.init = _flat(self.threaded(spec.init, thread, spec))
        for name, dim in spec.exposed.items():
            spec.init.append(cst.parse_statement(f"self.{name} = {spec.symbols.code(dim)}"))
        self.later = names_bound_later(spec.init)
        for layer in spec.layers:
            code = self.layer_code(layer, spec)
            if code is not None:
                new[layer.marker] = code
        for module in spec.modules:
            new[module.marker] = self.module_code(module, spec)
        renames = self.final_names(spec)
        spec.names = renames

        def settle(node: Any) -> Any:
            node = replaced(node, new)
            return node if identifiers(node).isdisjoint(renames) else node.visit(RenameMarkers(renames))

        spec.init = [settle(statement) for statement in spec.init if not self.makes_nothing_statement(statement, new)]
        spec.methods = {name: settle(node) for name, node in spec.methods.items()}
        for item in self.stage_items.get(id(spec), []):
            item.node = settle(item.node)
        for _, name, code in [entry for entry in self.held if entry[0] is spec]:
            assign = cst.Assign([cst.AssignTarget(cst.parse_expression(f"self.{name}"))], code)  # type: ignore[arg-type]
            spec.init.append(settle(cst.SimpleStatementLine([assign])))
        calls = set().union(*[read_names(item.node) for item in self.stage_items.get(id(spec), [])], set())
        if spec.kind != "class":
            spec.config_names = set().union(*[assigned_names(s) for s in spec.init], set()) - {*spec.tensor_parameters}
            body = without_unread(call_side(self.stage_items.get(id(spec), [])), (), spec.config_names | spec.aliases)
            calls = set().union(*[read_names(statement) for statement in body], set())
            spec.init = without_unread(spec.init, calls) if spec.kind != "factory" else spec.init
        reads = set().union(*[read_names(statement) for statement in spec.init], set())
        spec.used_dims = [name for name in spec.dims if name in reads | calls]
        names = {p.name.value for p in self.constructor_parameters(spec)}
        spec.dropped |= {name for name in names & _KERAS_ONLY if name not in reads | calls}
        if spec.kind == "helper":  # what was read only to name layers
            spec.dropped |= {name for name in names & read_names(spec.node.body) if name not in reads | calls}  # type: ignore[attr-defined]

    def as_lists(self, statement: Any, spec: ModuleSpec) -> Any:
        """`self.blocks = []` to `nnx.List()`, where layers are appended later."""
        if isinstance(statement, cst.SimpleStatementLine) and isinstance(statement.body[0], cst.Assign):
            assign = statement.body[0]
            target = assign.targets[0].target
            if (
                isinstance(target, cst.Attribute)
                and target.attr.value in spec.lists
                and isinstance(assign.value, cst.List)
            ):
                self.unit.imports.add("nnx")
                made = cst.parse_expression("nnx.List()")
                return statement.with_changes(body=[assign.with_changes(value=made)])
        return statement

    def threaded(self, init: list[cst.BaseStatement], thread: Thread, spec: ModuleSpec) -> list[cst.BaseStatement]:
        """Adds the variable that carries a width from layer to layer."""
        first = spec.symbols.code(thread.first)
        if first is None:
            sizes = self.first_size(thread, spec)
            first = str(sizes) if sizes is not None else None
        if first is None:
            reason = "the width before the first of these layers can't be expressed"
            self.unit.residuals.append(
                (spec.source, Residual(f"self.{thread.attribute}", reason, self.unit.span(spec.node)))
            )
            return init
        codes = {marker: spec.symbols.code(dim) for marker, dim in thread.after.items()}
        for code in codes.values():
            if code is None:
                reason = "the width after one of these layers can't be expressed"
                self.unit.residuals.append(
                    (spec.source, Residual(f"self.{thread.attribute}", reason, self.unit.span(spec.node)))
                )
                return init

        def walk(statements: Any) -> list[Any]:
            result = []
            for statement in statements:
                statement = self.spread(statement, thread)
                if isinstance(getattr(statement, "body", None), cst.IndentedBlock):
                    statement = statement.with_changes(body=statement.body.with_changes(body=walk(statement.body.body)))
                    if isinstance(getattr(statement, "orelse", None), cst.Else):
                        orelse = statement.orelse
                        new = orelse.body.with_changes(body=walk(orelse.body.body))
                        statement = statement.with_changes(orelse=orelse.with_changes(body=new))
                    result.append(statement)
                    continue
                result.append(statement)
                for marker in read_names(statement) & codes.keys():
                    if codes[marker] != thread.name:
                        result.append(cst.parse_statement(f"{thread.name} = {codes[marker]}"))
            return result

        start = next((i for i, s in enumerate(init) if read_names(s) & codes.keys()), 0)
        lead = cst.parse_statement(f"{thread.name} = {first}")
        same = first == thread.name
        return [*init[:start], *([] if same else [lead]), *walk(init[start:])]

    def spread(self, statement: Any, thread: Thread) -> Any:
        """A comprehension of layers whose width changes becomes a loop."""
        if not isinstance(statement, cst.SimpleStatementLine) or not isinstance(statement.body[0], cst.Assign):
            return statement
        value = statement.body[0].value
        if isinstance(value, cst.Call) and value.args and isinstance(value.args[0].value, cst.ListComp):
            value = value.args[0].value
        if not isinstance(value, cst.ListComp) or not read_names(value.elt) & thread.after.keys():
            return statement
        if value.for_in.inner_for_in is not None or value.for_in.ifs:
            return statement
        append = cst.parse_statement(f"self.{thread.attribute}.append(_)").visit(ReplaceNames({"_": value.elt}))
        loop = cst.For(value.for_in.target, value.for_in.iter, cst.IndentedBlock([append]))  # type: ignore[list-item]
        made = statement.body[0].with_changes(value=cst.parse_expression("nnx.List()"))
        body = [cst.If(cst.Name("True"), cst.IndentedBlock([statement.with_changes(body=[made]), loop]))]
        return body[0].with_changes(test=cst.Name("__flat__"))

    def first_size(self, thread: Thread, spec: ModuleSpec) -> int | None:
        """The width before the first layer, from the trace."""
        for instance in [*spec.layers, *spec.modules]:
            if instance.marker in thread.after:
                entries = self.unit.trace.made_at(instance.span)
                sizes = {shape[-1] for shape in self.unit.trace.inputs(entries[:1]) if shape}
                return sizes.pop() if len(sizes) == 1 else None
        return None

    def makes_nothing_statement(self, statement: cst.BaseStatement, new: dict[str, cst.BaseExpression]) -> bool:
        """`self.NAME = MARKER` for a layer that makes no object."""
        if not isinstance(statement, cst.SimpleStatementLine) or not isinstance(statement.body[0], cst.Assign):
            return False
        value = statement.body[0].value
        return isinstance(value, cst.Name) and value.value in new and text(new[value.value]) == "None"

    # -- layers ---------------------------------------------------------------------------------

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
        if _INEXPRESSIBLE.value in read_names(found.code):
            reason = "a size of the input can't be expressed where the layer is made"
            self.unit.residuals.append((spec.source, Residual(layer.symbol, reason, layer.span)))
            return cst.Name("None")
        self.accept_helpers(found, layer.rule)
        self.unit.imports |= found.imports
        for call in findall(found.code, m.Call()):
            self.made_calls.append((call, found.ledgers.get(text(call.func), frozenset())))  # type: ignore[attr-defined]
        if layer.alone:
            return self.complete(layer, found.code, spec)
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
            return _INEXPRESSIBLE

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
        found = inline(call, args, given=frozenset(args), symbol=layer.symbol, can_prelude=False)
        if isinstance(found, Residual):
            self.unit.residuals.append((spec.source, Residual(layer.symbol, found.reason, layer.span)))
            return cst.Name("None")
        if layer.rule.mode:
            reason = "called where it can't be seen whether the model is training"
            self.unit.residuals.append((spec.source, Residual(layer.symbol, reason, layer.span)))
        self.unit.imports |= found.imports
        if made is None:
            params = cst.Parameters([cst.Param(cst.Name(name)) for name in required])
            return cst.Lambda(params, found.code)
        inner = text(found.code)
        if inner == f"__layer__({', '.join(required)})":
            return made
        self.unit.imports.add("nnx")
        outer = cst.Lambda(cst.Parameters([cst.Param(cst.Name("x"))]), _apply(found.code, required))
        function: cst.BaseExpression = outer
        if (
            isinstance(found.code, cst.Call)
            and len(found.code.args) == 1
            and isinstance(found.code.args[0].value, cst.Call)
        ):
            if text(found.code.args[0].value) == f"__layer__({', '.join(required)})":
                function = found.code.func
        return cst.Call(cst.parse_expression("nnx.Sequential"), [cst.Arg(made), cst.Arg(function)])

    # -- modules --------------------------------------------------------------------------------

    def module_code(self, module: ModuleInstance, spec: ModuleSpec) -> cst.BaseExpression:
        """`Name(in_features, ..., rngs=rngs)`."""
        args = []
        for name in module.spec.used_dims:
            args.append(cst.Arg(self.in_dim(module, name, spec)))
        names = [p.name.value for p in self.constructor_parameters(module.spec)]
        spread = next((keyword for keyword, _ in module.arguments if keyword in ("*", "**")), None)
        if spread is not None and module.spec.dropped:
            reason = f"`{spread}` may give {sorted(module.spec.dropped)[0]}, which the port does not take"
            self.unit.residuals.append((spec.source, Residual(module.spec.source, reason, module.span)))
        for i, (keyword, value) in enumerate(module.arguments):
            if keyword in ("*", "**"):
                args.append(cst.Arg(value.code, star=keyword))
                continue
            if (keyword or (names[i] if i < len(names) else "")) in module.spec.dropped:
                continue
            args.append(
                cst.Arg(value.code, keyword=cst.Name(keyword) if keyword else None,
                        equal=_EQUAL if keyword else cst.MaybeSentinel.DEFAULT)
            )  # fmt: skip
        if self.needs_rngs(module.spec):
            args.append(cst.Arg(cst.Name("rngs"), keyword=cst.Name("rngs"), equal=_EQUAL))
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

    # -- names ----------------------------------------------------------------------------------

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


def axis_of(name: str, ranks: set[int]) -> int | None:
    """The axis of a module's first input that a parameter of its constructor tells the size of."""
    if name == IN_FEATURES:
        return -1
    names = axis_names(ranks.pop(), 0) if len(ranks) == 1 else []
    return names.index(name) + 1 if name in names else None


def _flat(statements: list[Any]) -> list[Any]:
    """Takes apart the blocks that only hold several statements together."""
    result = []
    for statement in statements:
        if (
            isinstance(statement, cst.If)
            and isinstance(statement.test, cst.Name)
            and statement.test.value == "__flat__"
        ):
            result.extend(statement.body.body)
        else:
            result.append(statement)
    return result


def names_bound_later(init: list[cst.BaseStatement]) -> dict[str, set[str]]:
    """For every name read in a constructor, the local names that are bound only after its first read."""
    every = set().union(*[assigned_names(statement) for statement in init], set())
    bound: set[str] = set()
    later: dict[str, set[str]] = {}

    def walk(statements: Any) -> None:
        for statement in statements:
            body = getattr(statement, "body", None)
            if isinstance(statement, cst.For):
                bound.update(assigned_names(cst.Assign([cst.AssignTarget(statement.target)], cst.Name("_"))))
            if isinstance(body, cst.IndentedBlock):
                walk(body.body)
                orelse = getattr(statement, "orelse", None)
                while orelse is not None:
                    walk(orelse.body.body)
                    orelse = getattr(orelse, "orelse", None)
                continue
            for name in read_names(statement):
                later.setdefault(name, every - bound)
            bound.update(assigned_names(statement))

    walk(init)
    return later


def _numbered(base: str, index: int) -> str:
    return f"{base}_{index}" if base[-1:].isdigit() else f"{base}{index}"


def _apply(code: cst.BaseExpression, required: list[str]) -> cst.BaseExpression:
    class Swap(cst.CSTTransformer):
        def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
            if isinstance(original_node.func, cst.Name) and original_node.func.value == "__layer__":
                return cst.Name("x")
            return updated_node

    return code.visit(Swap())  # type: ignore[return-value]
