"""Evaluates calls: rules, layers, ported modules, the user's own functions."""

from __future__ import annotations

import dataclasses
import inspect
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatch
from types import FunctionType
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import libcst as cst
import libcst.matchers as m

from codemods.engine import rule as rules
from codemods.engine.handled import handled
from codemods.engine.outcome import Residual, Rewritten
from codemods.engine.template import DYNAMIC, Arg, inline
from codemods.engine.walk import findall, names_in
from codemods.passes import abstract
from codemods.passes.frame import Frame
from codemods.passes.layer_names import layer_name
from codemods.passes.modules import IN_FEATURES, OUT_FEATURES, LayerInstance, ModuleInstance, ModuleSpec, Placement
from codemods.passes.names import ReplaceNames, assigned_names
from codemods.passes.values import UNKNOWN, Symbols, TensorType, Value, is_int, join, literal, same_dim, text
from codemods.passes.width_lists import Widths
from codemods.policy.lookup import reason

if TYPE_CHECKING:
    from codemods.passes.unit import Unit

#: Layers over several tensors of one shape.
MERGES = frozenset(
    f"tf.keras.layers.{name}" for name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")
)

#: Kinds of values that are functions.
_FUNCTIONS = frozenset({"function", "lambda", "local_function", "self_method", "class"})

#: A module that is called on every step of a sequence by itself.
EACH_STEP = ("each_step",)

Argument = tuple[str | None, Value]
#: `special` of a function that gives what has the shape of its argument.
ELEMENTWISE = "elementwise"
_ELEMENTWISE_MAKERS = frozenset({"tf.keras.activations.get", "tf.keras.activations.deserialize"})


#: The same as functions, and operators on elements: all sizes that meet are the same.
_ON_ELEMENTS = frozenset(
    [f"tf.keras.layers.{n}" for n in ("add", "subtract", "multiply", "average", "maximum", "minimum")]
    + [
        f"tf.{m}.{n}"
        for m in ("math", "keras.ops")
        for n in ("add", "subtract", "multiply", "maximum", "minimum", "divide")
    ]
)
#: Functions that join tensors: all sizes but those on the axis are the same.
_JOINS = frozenset(
    {"tf.concat", "tf.keras.layers.concatenate", "tf.keras.ops.concatenate", "tf.keras.backend.concatenate"}
)

_JOINED = _ON_ELEMENTS | _JOINS


class Calls:
    """Calls. `unit` and the other expression kinds come from the classes that extend this one."""

    unit: Unit
    annotations = handled(
        "tf.Tensor",
        "tf.Variable",
        "tf.types.experimental.TensorLike",
        becomes="jax.Array",
        only="in type tests",
        shows="isinstance(x, jax.Array)",
        sample="""
        def f(x):
            return tf.abs(x) if isinstance(x, SYMBOL) else x
        """,
    )

    # -- helpers ----------------------------------------------------------------------------

    def drop_trial(self, function: str, residuals: list[Any], imports: set[str]) -> None:
        """Forgets what a trial evaluation of `function` reported; what it found out of others stays."""
        kept = [entry for entry in self.unit.residuals if entry in residuals or entry[0] != function]
        self.unit.residuals[:] = kept
        self.unit.imports = imports | self.unit.imports

    def import_names(self, code: cst.CSTNode) -> set[str]:
        found: set[str] = set()

        class Collect(cst.CSTVisitor):
            def visit_Name(self, node: cst.Name) -> None:
                if node.value in rules.IMPORTS:
                    found.add(node.value)

        code.visit(Collect())
        return found

    def constant_of(self, symbol: str) -> Any:
        code = rules.CONSTANTS[symbol]
        if code.startswith("jnp."):
            dtype = getattr(jnp, code.removeprefix("jnp."), None)
            try:
                return str(jnp.dtype(dtype)) if dtype is not None else UNKNOWN
            except TypeError:
                return UNKNOWN
        try:
            return eval(code, {})
        except Exception:
            return UNKNOWN

    def callable_of(self, symbol: str) -> Any:
        return UNKNOWN

    def join(self, a: Value, b: Value, frame: Frame) -> Value:
        symbols = frame.spec.symbols if frame.spec else self.plain_symbols
        return join(a, b, symbols)

    def elements(self, value: Value) -> list[Value] | None:
        """The elements of a sequence of known length."""
        if value.items is not None:
            return value.items
        if value.mapping is not None:
            return [Value(literal(key), known=key) for key in value.mapping]
        if isinstance(value.known, list | tuple | str | range):
            return [self.of_known(item) for item in value.known]
        return None

    def of_known(self, item: Any) -> Value:
        dim = item if isinstance(item, int) and not isinstance(item, bool) else None
        items = [self.of_known(part) for part in item] if isinstance(item, list | tuple) else None
        return Value(literal(item), known=item, dim=dim, items=items)

    def element_of(self, value: Value, frame: Frame) -> Value:
        """What a loop over `value` binds its target to."""
        if value.item is not None:
            return value.item
        elements = self.elements(value)
        if elements:
            joined = elements[0]
            for item in elements[1:]:
                joined = self.join(joined, item, frame)
            return _any_of(joined)
        if value.tensor is not None and value.tensor.shape:
            return Value(value.code, tensor=TensorType(value.tensor.shape[1:], value.tensor.dtype))
        return Value(cst.Name("_"), staged=value.is_tensor)

    def bound_once(self, name: str, spec: ModuleSpec) -> bool:
        """Does a local name keep one value, so that it can stand for it anywhere later?"""
        if id(spec) not in self.bindings:
            counts: Counter[str] = Counter()

            class Count(cst.CSTVisitor):
                def visit_Assign(self, node: cst.Assign) -> None:
                    counts.update(assigned_names(node))

                def visit_AugAssign(self, node: cst.AugAssign) -> None:
                    counts.update(assigned_names(node))

                def visit_For(self, node: cst.For) -> None:
                    counts.update(2 * [*assigned_names(cst.Assign([cst.AssignTarget(node.target)], cst.Name("_")))])

            spec.node.visit(Count())
            self.bindings[id(spec)] = counts
        return self.bindings[id(spec)][name] == 1

    def bind_target(self, target: cst.BaseExpression, value: Value, frame: Frame) -> None:
        """Binds names (or a tuple of names) to a value's abstract parts."""
        if isinstance(target, cst.Name):
            dim = value.dim
            known = value.known
            if (
                dim is None
                and frame.spec is not None
                and not value.is_tensor
                and not value.has_layers
                and known is UNKNOWN
            ):
                dim = frame.spec.symbols.of_code(target.value)
            elif dim is not None and not isinstance(dim, int) and frame.spec is not None and not value.is_tensor:
                if self.bound_once(target.value, frame.spec):
                    frame.spec.symbols.prefer(dim, target.value)
            frame.env[target.value] = dataclasses.replace(value, code=target, dim=dim)
        elif isinstance(target, cst.Tuple | cst.List):
            items = self.elements(value)
            if items is None and value.tensor is not None and value.tensor.shape:
                rest = TensorType(value.tensor.shape[1:], value.tensor.dtype)
                items = [Value(value.code, tensor=rest) for _ in target.elements]
            for i, element in enumerate(target.elements):
                part = items[i] if items is not None and i < len(items) else None
                of_name = isinstance(value.code, cst.Name) and value.code.value != "_"
                if part is None and of_name and frame.spec is not None and not value.is_tensor:
                    code = cst.Subscript(value.code, [cst.SubscriptElement(cst.Index(literal(i)))])
                    part = Value(code, dim=frame.spec.symbols.of_code(text(code)))
                if part is None and isinstance(value.special, Widths) and value.item is not None:
                    part = self.of_width(value.item, f"{value.special.code}[{i}]", frame)  # type: ignore[attr-defined]
                if isinstance(element, cst.StarredElement):
                    part = Value(element.value, staged=value.is_tensor)
                self.bind_target(element.value, part or Value(element.value, staged=value.is_tensor), frame)

    # -- the call ---------------------------------------------------------------------------

    def _eval_Call(self, node: cst.Call, frame: Frame) -> Value:
        if _is_super(node.func):
            return self.call_super(node, frame)
        callee = self.eval_raw(node.func, frame)  # type: ignore[attr-defined]
        if callee.symbol is not None:
            return self.call_symbol(callee.symbol, node, frame)
        if callee.layer is not None:
            return self.call_layer(callee, self.arguments(node, frame), node, frame)
        if callee.module is not None:
            return self.call_module(callee, self.arguments(node, frame), node, frame)
        if isinstance(callee.special, tuple):
            kind = callee.special[0]
            if kind == "method":
                return self.call_method(callee, node, frame)
            if kind == "class":
                return self.call_class(callee.special[1], node, frame)
            if kind == "function":
                return self.call_function(callee.special[1], node, frame)
            if kind == "self_method":
                return self.call_self_method(callee.special[1], node, frame)
        if callee.special is not None and not isinstance(callee.special, tuple):
            handled = self.call_special(callee, node, frame)
            if handled is not None:
                return handled
        return self.plain_call(callee, node, frame)

    def call_super(self, node: cst.Call, frame: Frame) -> Value:
        """`super().METHOD(...)`: of a framework class it has no counterpart."""
        assert isinstance(node.func, cst.Attribute)
        name = node.func.attr.value
        if name in ("__init__", "build", "__setattr__"):
            return Value(node, special="dropped")
        frame.unit.residual(frame.function, node, f"super().{name}", f"`super().{name}` of the framework's base class")
        return Value(node)

    def arguments(self, node: cst.Call, frame: Frame) -> list[Argument] | None:
        """Evaluated arguments; None (and a residual) when there are starred ones that can't be placed."""
        found: list[Argument] = []
        for arg in node.args:
            value = self.eval(arg.value, frame)  # type: ignore[attr-defined]
            if arg.star == "*" and value.items is not None:
                found.extend((None, item) for item in value.items)
            elif arg.star:
                frame.unit.residual(
                    frame.function,
                    arg,
                    self.unit.symbol(node.func) or text(arg.value),
                    f"`{arg.star}{text(arg.value)}`: which arguments these are is not known",
                )
                return None
            else:
                found.append((arg.keyword.value if arg.keyword else None, self.read_variable(value)))
        return found

    def read_variable(self, value: Value) -> Value:
        """A variable handed to a function: its array, `self.w[...]`."""
        if value.special != "variable" or not isinstance(value.code, cst.Attribute | cst.Name | cst.Subscript):
            return value
        whole = cst.Subscript(value.code, [cst.SubscriptElement(cst.Index(cst.Ellipsis()))])
        return dataclasses.replace(value, code=whole, special=None)

    def plain_call(self, callee: Value, node: cst.Call, frame: Frame) -> Value:
        """A call of something the port knows nothing of: only its arguments are rewritten."""
        args, values = [], []
        for arg in node.args:
            value = self.read_variable(self.eval(arg.value, frame))  # type: ignore[attr-defined]
            self.escape(value)
            values.append(value)
            args.append(arg.with_changes(value=value.code))
        code = node.with_changes(func=callee.code, args=args)
        staged = callee.is_tensor or any(value.is_tensor for value in values)
        if callee.special == ELEMENTWISE and values:
            return Value(code, tensor=values[0].tensor, staged=staged)
        name = text(node.func)
        known: Any = UNKNOWN
        dim = None
        if name in ("int", "float") and len(values) == 1 and node.args[0].star == "":
            known, dim = values[0].known, values[0].dim if name == "int" and (values[0].sure or staged) else None
            if name == "int" and dim is None and known is UNKNOWN and not staged and frame.spec is not None:
                if values[0].dim is not None and values[0].shape_of is None and _is_size(values[0].dim, frame.spec):
                    return dataclasses.replace(values[0], known=UNKNOWN, sure=True)
                else:
                    dim = frame.spec.symbols.of_code(text(code))
                return Value(code, dim=dim, sure=True)
            if values[0].dim is not None and not values[0].is_tensor:
                code = values[0].code if name == "int" and isinstance(node.args[0].value, cst.Subscript) else code
        elif name == "len" and len(values) == 1:
            elements = self.elements(values[0])
            known = len(elements) if elements is not None and values[0].shape_of is not None else UNKNOWN
            dim = known if known is not UNKNOWN else None
            if dim is None and frame.spec is not None and not staged:
                dim = frame.spec.symbols.of_code(text(code))
            staged = staged and values[0].shape_of is None
        elif name in ("list", "tuple", "reversed", "sorted") and len(values) == 1:
            items = self.elements(values[0])
            if items is not None and name != "sorted":
                items = list(reversed(items)) if name == "reversed" else items
                return Value(code, items=items, staged=staged)
            return Value(code, item=values[0].item, staged=staged)
        elif name == "enumerate" and values:
            return Value(code, item=self._pair(values[0], frame), items=self._enumerated(values[0]), staged=staged)
        elif name == "zip" and values:
            parts = [self.element_of(value, frame) for value in values]
            return Value(code, item=Value(code, items=parts), staged=staged)
        elif name == "range":
            return Value(code, item=Value(code, sure=True), staged=staged)
        return Value(code, known=known, dim=dim, staged=staged)

    def _pair(self, value: Value, frame: Frame) -> Value:
        return Value(value.code, items=[Value(value.code, sure=True), self.element_of(value, frame)])

    def _enumerated(self, value: Value) -> list[Value] | None:
        items = self.elements(value)
        if items is None:
            return None
        return [Value(value.code, items=[self.of_known(i), item]) for i, item in enumerate(items)]

    def escape(self, value: Value) -> None:
        """A layer handed to code we do not see must be complete by itself."""
        if value.layer is not None:
            value.layer.alone = True
        for item in [*(value.items or ()), *([value.item] if value.item else ())]:
            self.escape(item)

    # -- rules ------------------------------------------------------------------------------

    def call_symbol(self, symbol: str, node: cst.Call, frame: Frame) -> Value:
        handler = self.handlers.get(symbol)
        if handler is not None:
            return handler(self, symbol, node, frame)
        if symbol in rules.OBJECTS:
            return self.make_object(rules.OBJECTS[symbol], symbol, node, frame)
        if symbol in rules.RULES:
            arguments = self.arguments(node, frame)
            if arguments is None:
                return Value(node)
            value = self.apply_rule(rules.RULES[symbol], symbol, arguments, node, frame)
            return dataclasses.replace(value, special=ELEMENTWISE) if symbol in _ELEMENTWISE_MAKERS else value
        for arg in node.args:
            self.eval(arg.value, frame)  # type: ignore[attr-defined]  # its residuals are listed too
        frame.unit.residual(frame.function, node, symbol, reason(symbol))
        return Value(node)

    handlers: Mapping[str, Any] = {}

    def bind(
        self, signature: inspect.Signature, arguments: Sequence[Argument], what: str, node: cst.CSTNode, frame: Frame
    ) -> inspect.BoundArguments | None:
        names = [name for name, _ in arguments if name is not None]
        if len(set(names)) != len(names):
            frame.unit.residual(frame.function, node, what, "an argument is given twice")
            return None
        try:
            return signature.bind(
                *[value for name, value in arguments if name is None],
                **{name: value for name, value in arguments if name},
            )
        except TypeError as error:
            frame.unit.residual(frame.function, node, what, f"the call does not fit the signature of {what}: {error}")
            return None

    def apply_rule(
        self, entry: rules.Rule, symbol: str, arguments: Sequence[Argument], node: cst.BaseExpression, frame: Frame
    ) -> Value:
        bound = self.bind(entry.signature, arguments, symbol, node, frame)
        if bound is None:
            return Value(node)
        args = {name: self.argument(value) for name, value in bound.arguments.items()}
        for value in bound.arguments.values():
            for part in value if isinstance(value, tuple) else (value,):
                self.escape(part)
        taken = frozenset(frame.env)
        found = inline(entry.function, args, given=frozenset(args), symbol=symbol, taken=taken, helpers=entry.helpers)
        if isinstance(found, Residual):
            frame.unit.residual(frame.function, node, symbol, found.reason)
            return Value(node)
        code = self.accept(found, entry, node, frame)
        flat: dict[str, Value] = {}
        for name, value in bound.arguments.items():
            parts = value if isinstance(value, tuple) else (value,)
            flat |= {name if part is value else f"{name}_{i}": part for i, part in enumerate(parts)}
        return self.rule_value(entry, flat, code, frame, bound)

    def accept(self, found: Rewritten, entry: Any, node: cst.CSTNode, frame: Frame) -> cst.BaseExpression:
        """Takes over a rewrite: its imports, prelude and notes; returns the code."""
        frame.unit.imports |= found.imports
        frame.prelude.extend(found.prelude)
        for note in found.notes:
            frame.unit.note(node, note)
        self.accept_helpers(found, entry)
        code = _applied(found.code)
        if "rngs" in names_in(code):
            code = self.with_rngs(code, frame)
        return code

    def with_rngs(self, code: cst.BaseExpression, frame: Frame) -> cst.BaseExpression:
        """Points the free name `rngs` at where keys come from here."""
        frame.flags.add("rngs")
        if (
            frame.spec is not None
            and frame.self_name is not None
            and frame.mode in ("call", "staged")
            and not frame.as_init
        ):
            frame.spec.random = True
            new = cst.parse_expression(f"{frame.self_name}.rngs")
            return code.visit(_ReplaceName("rngs", new))  # type: ignore[return-value]
        return code

    def argument(self, value: Value) -> Arg:
        if isinstance(value, tuple):
            return Arg(
                cst.Tuple([cst.Element(item.code) for item in value]), items=[self.argument(item) for item in value]
            )
        if isinstance(value, dict):
            return Arg(cst.Name("None"), None)
        if value.layer is not None and value.wrapped is not None:
            return Arg(value.code, value.wrapped)
        known = value.known if value.known is not UNKNOWN else DYNAMIC
        items = [self.argument(item) for item in value.items] if value.items is not None and known is DYNAMIC else None
        tensor = value.tensor
        if tensor is not None:
            rank = len(tensor.shape) if tensor.shape is not None else None
            return Arg(value.code, type=jax.Array, ndim=rank, dtype=tensor.dtype)
        kind: type | None = int if known is DYNAMIC and value.sure else None
        if isinstance(value.special, tuple) and value.special[0] in _FUNCTIONS:
            kind = FunctionType
        if items is not None and (
            not isinstance(value.code, cst.List | cst.Tuple) or len(value.code.elements) != len(items)
        ):
            items = None
        if kind is None and known is DYNAMIC and value.items is not None and items is None:
            kind = tuple
        return Arg(value.code, known, type=kind, items=items)

    def rule_value(
        self, entry: rules.Rule, arguments: Mapping[str, Value], code: cst.BaseExpression, frame: Frame,
        bound: inspect.BoundArguments,
    ) -> Value:  # fmt: skip
        if isinstance(code, cst.Attribute) and code.attr.value == "shape":
            for value in arguments.values():
                if value.tensor is not None:
                    return self.shape_value(code, value.tensor, frame)  # type: ignore[attr-defined]
        for value in arguments.values():
            if value.code is code and value.shape_of is None:
                return value
            if value.shape_of is not None and value.code is code:
                return value
        staged = any(isinstance(value, Value) and value.is_tensor for value in arguments.values())
        for listed in arguments.values():
            joined = self.joined_width(entry.symbols[0], listed, frame)  # type: ignore[attr-defined]
            if joined is not None and not _JOINED.isdisjoint(entry.symbols):
                return joined.with_code(code)
        value = self.shaped(entry, bound, code, frame)
        if not staged and not entry.random and frame.mode != "plain":
            # Made of configuration alone: it can be computed once, in the constructor.
            value = dataclasses.replace(value, special="constant_tensor")
        return value

    def shaped(self, entry: rules.Rule, bound: inspect.BoundArguments, code: cst.BaseExpression, frame: Frame) -> Value:
        """Type of a rule's result: its body run on shapes."""
        if entry.random:
            return self.random_value(bound, code)
        values = list(bound.arguments.values())
        attempts = [lambda value: value, self.unified(values, frame)]
        if not _ON_ELEMENTS.isdisjoint(entry.symbols):
            attempts.append(self.unified(values, frame, every=True))
        elif not _JOINS.isdisjoint(entry.symbols):
            axis = bound.arguments["axis"].known if "axis" in bound.arguments else -1
            attempts.append(self.unified(values, frame, every=True, apart=axis if isinstance(axis, int) else -1))
        for attempt in attempts:
            try:

                def concrete(value: Any, attempt: Any = attempt) -> Any:
                    if isinstance(value, tuple):
                        return [concrete(part) for part in value]
                    return abstract.concrete(attempt(value))

                kinds = entry.signature.parameters
                starred = [n for n in bound.arguments if kinds[n].kind is inspect.Parameter.VAR_POSITIONAL]
                if starred:
                    values = [concrete(v) for v in bound.args]
                    tree = abstract.evaluate(entry.function, values, {k: concrete(v) for k, v in bound.kwargs.items()})
                else:
                    tree = abstract.evaluate(entry.function, [], {n: concrete(v) for n, v in bound.arguments.items()})
                return abstract.result_value(code, tree)
            except abstract.NoShape:
                continue
        if not _ON_ELEMENTS.isdisjoint(entry.symbols):
            flat = [part for v in values if isinstance(v, Value) for part in (v.items or [v])]
            return Value(code, tensor=self.widest(flat))  # type: ignore[attr-defined]
        return Value(code, tensor=TensorType())

    def random_value(self, bound: inspect.BoundArguments, code: cst.BaseExpression) -> Value:
        shape = bound.arguments.get("shape")
        if not isinstance(shape, Value):
            return Value(code, tensor=TensorType())
        if shape.shape_of is not None:
            return Value(code, tensor=TensorType(shape.shape_of.shape, "float32"))
        dims = []
        for element in self.elements(shape) or ():
            dims.append(element.known if isinstance(element.known, int) else element.dim)
        if not dims or any(dim is None for dim in dims):
            return Value(code, tensor=TensorType())
        return Value(code, tensor=TensorType(tuple(dims), "float32"))

    def unified(self, values: Sequence[Any], frame: Frame, every: bool = False, apart: int | None = None) -> Any:
        """Tensors that meet in one operation have the same dims: one that can be expressed stands for one that can't.

        `every`: for an operation on elements, where the first size stands for all sizes that are not known to be
        the same; any other would be an error in the original. `apart`: the axis that is left as it is.
        """
        symbols = frame.spec.symbols if frame.spec else self.plain_symbols
        shapes: list[Any] = []

        def collect(value: Any) -> None:
            if isinstance(value, tuple):
                for part in value:
                    collect(part)
            elif isinstance(value, Value):
                if value.tensor is not None and value.tensor.shape is not None:
                    shapes.append(value.tensor.shape)
                for item in value.items or ():
                    collect(item)

        collect(tuple(values))
        width = max((len(shape) for shape in shapes), default=0)
        best: dict[int, Any] = {}

        def usable(dim: Any) -> bool:
            return symbols.code(dim) is not None and not symbols.is_local(dim) and not symbols.at_call(dim)

        inputs = {name for dim in frame.spec.dims.values() for name in symbols.names(dim)} if frame.spec else set()

        def rank(dim: Any) -> int:
            """What the constructor was told to make says more than what it was given."""
            if isinstance(dim, int):
                return 0
            if not usable(dim):
                return 3
            return 2 if symbols.names(dim) & inputs else 1

        for axis in range(-width, 0):
            dims = [s[axis] for s in shapes if len(s) >= -axis and not same_dim(s[axis], 1)]
            if dims:
                best[axis] = min(dims, key=rank)

        def replaced(value: Any) -> Any:
            if not isinstance(value, Value):
                return value
            tensor = value.tensor
            if tensor is not None and tensor.shape is not None:
                length = len(tensor.shape)
                kept = apart % length if apart is not None and length else None
                dims = tuple(
                    best.get(i - length, d) if i != kept and not same_dim(d, 1) and (every or not usable(d)) else d
                    for i, d in enumerate(tensor.shape)
                )
                tensor = TensorType(dims, tensor.dtype)
            items = [replaced(item) for item in value.items] if value.items is not None else None
            return dataclasses.replace(value, tensor=tensor, items=items)

        return replaced

    # -- layers -----------------------------------------------------------------------------

    def make_object(self, entry: rules.ObjectRule, symbol: str, node: cst.Call, frame: Frame) -> Value:
        """A constructor call of a layer, loss or metric."""
        cached = self.made.get((id(node), frame.function))
        arguments = self.arguments(node, frame.child(as_init=True) if frame.mode == "staged" else frame)
        if arguments is None:
            return Value(node)
        signature = _constructor_signature(entry)
        plain = [
            (name, value) for name, value in arguments
            if entry.kind != "layer" or not self.common(name, value, signature, symbol, node, frame)
        ]  # fmt: skip
        if entry.kind != "layer":
            plain = [(name, value) for name, value in plain if name != "name" or "name" in signature.parameters]
        bound = self.bind(signature, plain, symbol, node, frame)
        if bound is None:
            return Value(node)
        values = {name: value for name, value in bound.arguments.items() if isinstance(value, Value)}
        if symbol == "tf.keras.layers.TimeDistributed" and values["layer"].module is not None:
            return dataclasses.replace(values["layer"], special=EACH_STEP)
        if cached is not None and cached.layer is not None:
            # Evaluated again, as in a loop: what is known of the arguments may have changed.
            for name in entry.wraps:
                if name in values and values[name].layer is not None:
                    values[name] = dataclasses.replace(values[name], wrapped=self.wrap(values[name].layer))
            cached.layer.arguments = values
            return cached
        instance = LayerInstance(
            entry, values, frozenset(values), frame.unit.span(node), frame.unit.fresh("layer"), symbol,
            name=next((layer_name(arg.value, frame) for arg in node.args if arg.keyword and arg.keyword.value == "name"), None),
        )  # fmt: skip
        for name in entry.wraps:
            if name in values and values[name].layer is not None:
                inner = values[name].layer
                inner.wrapped = True
                values[name] = dataclasses.replace(values[name], wrapped=self.wrap(inner))
        instance.makes = self.makes_object(instance)
        if not instance.makes and frame.mode == "staged" and not entry.wraps:
            # Nothing is made: what the layer was given is read where it is called, from the tensors there.
            residuals = list(self.unit.residuals)
            there = {name: value for name, value in self.arguments(node, frame) or [] if name}
            self.unit.residuals[:] = residuals
            instance.arguments = {
                name: there[name] if name in there and there[name].is_tensor else value
                for name, value in values.items()
            }
        hint = {name: value for name, value in arguments if name in ("input_shape", "batch_input_shape", "input_dim")}
        value = Value(cst.Name(instance.marker), layer=instance, special=("input_hint", hint) if hint else None)
        if frame.spec is not None:
            frame.spec.layers.append(instance)
        self.made[(id(node), frame.function)] = value
        return value

    def common(
        self, name: str | None, value: Value, signature: inspect.Signature, symbol: str, node: cst.Call, frame: Frame
    ) -> bool:
        """Is this an argument every layer takes, and settled here?"""
        if name is None:
            return False
        entry = next(
            (common for pattern, common in rules.COMMON_LAYER_ARGUMENTS.items() if fnmatch(name, pattern)), None
        )
        if entry is None:
            return False
        required = signature.parameters.get(name)
        if required is not None and required.default is inspect.Parameter.empty:
            return False
        if entry.accepted is None or (value.known is not UNKNOWN and value.known in entry.accepted):
            return True
        frame.unit.residual(frame.function, node, symbol, f"`{name}`: {entry.why}")
        return True

    def wrap(self, inner: LayerInstance) -> rules.Wrapped:
        """A layer given to another layer's constructor."""
        arguments: dict[str, Any] = {
            name: parameter.default
            for name, parameter in _constructor_signature(inner.rule).parameters.items()
            if parameter.default is not inspect.Parameter.empty
        }
        arguments |= {name: self.argument(value) for name, value in inner.arguments.items()}
        return rules.Wrapped(inner.rule, arguments)

    def makes_object(self, instance: LayerInstance) -> bool:
        make = instance.rule.make
        if make is None:
            return False
        args = {name: self.argument(value) for name, value in instance.arguments.items()}
        for name, parameter in inspect.signature(make).parameters.items():
            if parameter.kind is parameter.KEYWORD_ONLY:
                args[name] = Arg(cst.Name("rngs")) if name == "rngs" else Arg(None, dim=lambda i: cst.Name("_"))
        found = inline(make, args, given=instance.given, symbol=instance.symbol, helpers=self.helpers_of(instance))
        return isinstance(found, Residual) or not (isinstance(found.code, cst.Name) and found.code.value == "None")

    def call_layer(self, callee: Value, arguments: list[Argument] | None, node: cst.Call, frame: Frame) -> Value:
        instance = callee.layer
        assert instance is not None
        entry = instance.rule
        if arguments is None:
            return Value(node)
        if entry.call is None:
            frame.unit.residual(frame.function, node, instance.symbol, f"{instance.symbol} can't be called here")
            return Value(node)
        callee = self.place(callee, frame)
        signature = inspect.signature(entry.call)
        parameters = list(signature.parameters.values())
        positional = [p for p in parameters if p.kind is not p.KEYWORD_ONLY]
        keyword_only = {p.name for p in parameters if p.kind is p.KEYWORD_ONLY}
        takes_layer = entry.kind == "layer"
        inputs = positional[1:] if takes_layer else positional
        training = next((value for name, value in arguments if name == "training"), None)
        rest = [(name, value) for name, value in arguments if name != "training"]
        bound = self.bind(signature.replace(parameters=inputs), rest, instance.symbol, node, frame)
        if bound is None:
            return Value(node)
        args = {name: self.argument(value) for name, value in bound.arguments.items()}
        given = set(args)
        if takes_layer:
            args[positional[0].name] = Arg(callee.code)
            given.add(positional[0].name)
        for name in keyword_only - {"training"}:
            if name in instance.arguments:
                args[name] = self.argument(self.in_call(instance.arguments[name], frame))
                given.add(name)
        if "training" in keyword_only:
            args["training"] = self.training_argument(training, frame)
            given.add("training")
        first = next(iter(bound.arguments.values()), None)
        first_tensor = first.tensor if isinstance(first, Value) else None
        if first is not None and first_tensor is None and isinstance(first, Value) and first.items:
            first_tensor = first.items[0].tensor
        if frame.emit:
            instance.calls.append(dict(bound.arguments))
            if first_tensor is not None:
                instance.inputs.append(first_tensor)
        self.fill_defaults(entry, args)
        found = inline(
            entry.call, args, given=frozenset(given), symbol=instance.symbol, helpers=self.helpers_of(instance)
        )
        if isinstance(found, Residual):
            frame.unit.residual(frame.function, node, instance.symbol, found.reason)
            return Value(node)
        code = self.accept(found, entry, node, frame)
        return self.layer_result(instance, bound.arguments, code, frame)

    def layer_result(
        self, instance: LayerInstance, inputs: Mapping[str, Any], code: cst.BaseExpression, frame: Frame
    ) -> Value:
        """Type of a layer's output: by the rule's shape function, else as traced."""
        first = next(iter(inputs.values()), None)
        shape = instance.rule.shape
        if instance.rule.kind != "layer":
            return Value(code, tensor=TensorType())
        if "function" in instance.arguments and isinstance(first, Value):
            return self.applied_result(instance, first, frame).with_code(code)
        if shape is None and isinstance(first, Value) and first.tensor is not None:
            return Value(code, tensor=first.tensor)
        if isinstance(first, Value) and first.item is not None:
            joined = self.joined_width(instance.symbol, first, frame)
            if joined is not None:
                return joined.with_code(code)
        try:
            assert shape is not None
            if instance.symbol in MERGES and isinstance(first, Value):
                first = self.unified([first], frame, every=True)(first)
            x = _Shaped.of(first)
            names = inspect.signature(shape).parameters
            config = {}
            for name in list(names)[1:]:
                if name in instance.arguments:
                    config[name] = self.size_argument(instance.arguments[name], frame)
                elif isinstance(inputs.get(name), Value) and inputs[name].tensor is not None:
                    config[name] = _Shaped.of(inputs[name])
                elif isinstance(inputs.get(name), Value):
                    config[name] = abstract.concrete(inputs[name])
                elif name not in _constructor_signature(instance.rule).parameters:
                    continue
                elif names[name].default is inspect.Parameter.empty:
                    config[name] = _constructor_signature(instance.rule).parameters[name].default
            return self.of_shape(code, shape(x, **config), first)
        except Exception:
            guessed = self.guessed_result(instance, first, frame)
            return guessed.with_code(code) if guessed is not None else self.traced_result(instance, code, frame)

    def guessed_result(self, instance: LayerInstance, first: Any, frame: Frame) -> Value | None:
        """Where part of a layer's configuration is not known: the dims of its output that don't depend on it.

        The rule's shape function is asked twice, with two guesses; what differs between them is left open.
        """
        shape, symbols = instance.rule.shape, symbols_of(frame, self.plain_symbols)
        defaults = _constructor_signature(instance.rule).parameters
        found = []
        for padding in ("valid", "same"):
            config: dict[str, Any] = {}
            try:
                assert shape is not None
                for name in list(inspect.signature(shape).parameters)[1:]:
                    value = instance.arguments.get(name)
                    if value is None:
                        config[name] = defaults[name].default
                        continue
                    try:
                        config[name] = self.size_argument(value, frame)
                    except abstract.NoShape:
                        config[name] = padding if name == "padding" else symbols.unknown("guess")
                result = shape(_Shaped.of(first), **config)
            except Exception:
                return None
            if not isinstance(result, tuple) or any(isinstance(dim, tuple | list) for dim in result):
                return None
            found.append(result)
        if len(found[0]) != len(found[1]):
            return None
        dims = tuple(a if same_dim(a, b) else symbols.unknown("d") for a, b in zip(*found, strict=True))
        return self.of_shape(cst.Name("_"), dims, first)

    def applied_result(self, instance: LayerInstance, first: Value, frame: Frame) -> Value:
        """Type of what the function of a Lambda layer gives for a tensor."""
        function = instance.arguments["function"].special
        more = instance.arguments["arguments"].mapping if "arguments" in instance.arguments else None
        result = Value(cst.Name("_"), tensor=TensorType())
        if isinstance(function, tuple) and function[0] == "lambda":
            _, node, outer = function
            inner = frame.child(env=dict(outer.env), emit=False, extra=[], prelude=[])
            names = [param.name.value for param in node.params.params]
            inner.env |= {name: value.with_code(cst.Name(name)) for name, value in (more or {}).items()}
            inner.env[names[0]] = first.with_code(cst.Name(names[0]))
            residuals = list(self.unit.residuals)
            result = self.eval(node.body, inner)  # type: ignore[attr-defined]
            self.unit.residuals[:] = residuals
        elif isinstance(function, tuple) and function[0] == "function":
            arguments = [(None, first), *(more or {}).items()]
            result = self.plain_result(function[1], arguments, frame)  # type: ignore[attr-defined]
        if result.tensor is not None and result.tensor.shape is not None:
            return Value(result.code, tensor=result.tensor)
        given = instance.arguments.get("output_shape")
        dims = self.shape_dims(given, frame) if given is not None and frame.spec is not None else None  # type: ignore[attr-defined]
        if dims is not None and frame.spec is not None:
            return Value(result.code, tensor=TensorType((frame.spec.symbols.unknown("batch"), *dims), "float32"))
        return self.traced_result(instance, result.code, frame)

    def size_argument(self, value: Value, frame: Frame) -> Any:
        """As `concrete_argument`; code of the constructor that gives a number stands for itself."""
        try:
            return self.concrete_argument(value)
        except abstract.NoShape:
            called = isinstance(value.code, cst.Call) and value.layer is None and value.items is None
            if not called or value.is_tensor or frame.spec is None or frame.mode != "staged":
                raise
            return frame.spec.symbols.of_code(text(value.code))

    def concrete_argument(self, value: Value) -> Any:
        """A constructor argument for a shape function."""
        if value.wrapped is None or value.layer is None:
            return abstract.concrete(value)
        arguments = {
            name: parameter.default
            for name, parameter in _constructor_signature(value.layer.rule).parameters.items()
            if parameter.default is not inspect.Parameter.empty
        }
        for name, argument in value.layer.arguments.items():
            try:
                arguments[name] = self.concrete_argument(argument)
            except abstract.NoShape:
                continue
        return rules.Wrapped(value.layer.rule, arguments)

    def of_shape(self, code: cst.BaseExpression, shape: Any, first: Any) -> Value:
        dtype = first.tensor.dtype if isinstance(first, Value) and first.tensor else None
        dtype = dtype if dtype in ("float32", "bfloat16", "float16", "float64") else "float32"
        if isinstance(shape, list) or (isinstance(shape, tuple) and shape and isinstance(shape[0], tuple | list)):
            parts = [self.of_shape(code, part, first) for part in shape]
            return Value(code, items=parts)
        return Value(code, tensor=TensorType(tuple(shape), dtype))

    def traced_result(self, instance: LayerInstance, code: cst.BaseExpression, frame: Frame) -> Value:
        entries = frame.unit.trace.made_under(instance.span)
        ranks = set()
        for entry in entries:
            for call in entry.get("calls", ()):
                outputs = call.get("outputs")
                if isinstance(outputs, Mapping) and "shape" in outputs:
                    ranks.add(len(outputs["shape"]))
        if len(ranks) != 1 or frame.spec is None:
            return Value(code, tensor=TensorType())
        rank = ranks.pop()
        dims = tuple(frame.spec.symbols.unknown("d") for _ in range(rank))
        width = instance.arguments.get("units", instance.arguments.get("filters"))
        if width is not None and width.dim is not None:
            dims = (*dims[:-1], width.dim)
        return Value(code, tensor=TensorType(dims, "float32"))

    def training_argument(self, training: Value | None, frame: Frame) -> Arg:
        if training is not None and training.known is not None:
            return self.argument(training)
        if frame.mode in ("call", "staged"):
            frame.flags.add("training")
            return Arg(cst.Name("training"))
        return Arg(cst.Name("False"), False)

    def in_call(self, value: Value, frame: Frame) -> Value:
        """A constructor's argument, as code that works where the layer is called."""
        if value.known is not UNKNOWN or frame.spec is None or frame.mode == "plain":
            return value
        if frame.mode == "staged":
            return value
        names = names_in(value.code) & frame.spec_locals
        if not names:
            return value
        code = text(value.code)
        for name, attribute in frame.spec.attributes.items():
            if attribute.special == ("held", code) or (
                isinstance(attribute.special, tuple) and attribute.special == ("held", code)
            ):
                return value.with_code(cst.parse_expression(f"{frame.self_name}.{name}"))
        name = code if code.isidentifier() else "_".join(sorted(names))
        if name in frame.spec.attributes:
            name += "_value"
        frame.spec.attributes[name] = dataclasses.replace(value, special=("held", code))
        self.held.append((frame.spec, name, value.code))
        return value.with_code(cst.parse_expression(f"{frame.self_name}.{name}"))

    def fill_defaults(self, entry: rules.ObjectRule, args: dict[str, Arg]) -> None:
        """Configuration that a call body reads and the constructor was not given."""
        defaults = _constructor_signature(entry).parameters
        assert entry.call is not None
        for name, parameter in inspect.signature(entry.call).parameters.items():
            if parameter.kind is parameter.KEYWORD_ONLY and name not in args and name in defaults:
                default = defaults[name].default
                if default is not inspect.Parameter.empty:
                    args[name] = Arg(None, default)

    def accept_helpers(self, found: Rewritten, entry: Any) -> None:
        if not found.helpers:
            return
        known = {
            helper.__name__: helper
            for rule in (*rules.OBJECTS.values(), *rules.RULES.values())
            for helper in rule.helpers
        }
        for name in found.helpers:
            self.unit.helpers[name] = known[name]

    def helpers_of(self, layer: LayerInstance) -> list[Any]:
        """Helpers of a layer's rule and of the rules of the layers it wraps."""
        found = list(layer.rule.helpers)
        for value in layer.arguments.values():
            if value.wrapped is not None and value.layer is not None:
                found += self.helpers_of(value.layer)
        return found

    # -- modules ----------------------------------------------------------------------------

    def call_module(self, callee: Value, arguments: list[Argument] | None, node: cst.Call, frame: Frame) -> Value:
        instance = callee.module
        assert instance is not None
        if arguments is None:
            return Value(node)
        if callee.special == EACH_STEP and arguments:
            return self.call_each_step(callee, arguments, node, frame)
        callee = self.place(callee, frame)
        spec = instance.spec
        arguments = self.name_training(spec, arguments)
        training = next((value for name, value in arguments if name == "training"), None)
        inputs = [(name, value) for name, value in arguments if name not in ("training", "name")]
        result = self.enter_module(instance, inputs, node, frame)
        args = [
            cst.Arg(
                value.code,
                keyword=cst.Name(name) if name else None,
                equal=_EQUAL if name else cst.MaybeSentinel.DEFAULT,
            )
            for name, value in inputs
        ]
        if spec.mode:
            code = self.training_argument(training, frame).code
            required = spec.mode_required
            if required or not (isinstance(code, cst.Name) and code.value == "False"):
                args.append(cst.Arg(code, keyword=cst.Name("training"), equal=_EQUAL))
        return result.with_code(cst.Call(callee.code, args, lpar=node.lpar, rpar=node.rpar))

    def call_each_step(self, callee: Value, arguments: list[Argument], node: cst.Call, frame: Frame) -> Value:
        """A module under TimeDistributed: Keras calls it for one step after the other, statistics and all."""
        sequence = arguments[0][1]
        shape = sequence.tensor.shape if sequence.tensor is not None else None
        one = cst.parse_expression(f"{text(sequence.code)}[:, i]")
        step = Value(one, tensor=TensorType((shape[0], *shape[2:]), sequence.tensor.dtype) if shape else TensorType())  # type: ignore
        inner = dataclasses.replace(callee, special=None)
        result = self.call_module(inner, [(None, step), *arguments[1:]], node, frame)
        self.unit.imports.add("jnp")
        code = cst.parse_expression(f"jnp.stack([_ for i in range({text(sequence.code)}.shape[1])], axis=1)")
        tensor = result.tensor
        if tensor is not None and tensor.shape is not None and shape is not None:
            tensor = TensorType((tensor.shape[0], shape[1], *tensor.shape[1:]), tensor.dtype)
        return Value(code.visit(ReplaceNames({"_": result.code})), tensor=tensor or TensorType())  # type: ignore[arg-type]

    def name_training(self, spec: ModuleSpec, arguments: list[Argument]) -> list[Argument]:
        """`block(x, training)`: the mode is passed on by keyword."""
        if spec.kind != "class":
            return arguments
        method = self.method_node(spec, "call") or self.method_node(spec, "__call__")
        names = [p.name.value for p in method.params.params[1:]] if method is not None else []
        return [
            ("training", value) if name is None and i < len(names) and names[i] == "training" else (name, value)
            for i, (name, value) in enumerate(arguments)
        ]

    def enter_module(self, instance: ModuleInstance, inputs: list[Argument], node: cst.Call, frame: Frame) -> Value:
        """Analyses a module at its first call; returns the result's type in the caller's terms."""
        spec = instance.spec
        if not spec.analysed:
            spec.first_arguments = self.named_arguments(instance)
        self.analyse(spec, inputs, frame)
        widths = {
            name: symbols_of(frame, self.plain_symbols).of_code(dim.code) if isinstance(dim, Widths) else dim
            for name, dim in _dims_of_inputs(inputs)
        }
        if frame.emit:
            for name, dim in widths.items():
                instance.in_dims.setdefault(name, []).append(dim)
        if spec.result is None:
            return Value(cst.Name("_"), tensor=TensorType())
        known = self.by_symbol(spec, inputs)
        if frame.emit:
            for name, dim in known.items():
                if name in spec.dims and name not in widths:
                    instance.in_dims.setdefault(name, []).append(dim)
        return self.translate(spec.result, instance, known | widths, frame)

    def by_symbol(self, spec: ModuleSpec, inputs: list[Argument]) -> dict[str, Any]:
        """The caller's dims by the names of the symbols that stand for them in the callee's inputs."""
        found: dict[str, Any] = {}
        names = self.input_names(spec)
        for i, (name, value) in enumerate(inputs):
            label = name or (names[i] if i < len(names) else "")
            for part, tensor in _leaves_of(value, label):
                own = spec.input_shapes.get(part)
                if own is None or tensor.shape is None or len(own) != len(tensor.shape):
                    continue
                found |= {str(a): b for a, b in zip(own, tensor.shape, strict=True) if not isinstance(a, int)}
        return found

    def input_names(self, spec: ModuleSpec) -> list[str]:
        """Names of a module's inputs, in the order of its call."""
        if spec.kind == "class":
            method = self.method_node(spec, "call") or self.method_node(spec, "__call__")
            return [p.name.value for p in method.params.params[1:]] if method is not None else []
        return ["x"] if spec.kind == "sequential" else spec.tensor_parameters

    def foreign(self, value: Value, instance: ModuleInstance) -> Value:
        return dataclasses.replace(value, dim=None)

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
                inner = Value(v.code, tensor=_opened(v.item.tensor, symbols))
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
        if not names_in(node) or not names_in(node) <= named.keys():
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
        for i, (name, value) in enumerate(instance.arguments):
            if name in ("*", "**") or (name is None and i > spread):
                continue
            if name is not None:
                found[name] = value
            elif i < len(positions):
                found[positions[i].name.value] = value
        for p in positions:
            if p.name.value not in found and p.default is not None:
                if isinstance(p.default, cst.Name) and p.default.value in self.unit.globals:
                    found[p.name.value] = self.unit.globals[p.default.value]
                    continue
                try:
                    known = eval(text(p.default), {})
                except Exception:
                    continue
                found[p.name.value] = self.of_known(known)
        return found


_EQUAL = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))


def _is_super(node: cst.BaseExpression) -> bool:
    return (
        isinstance(node, cst.Attribute) and isinstance(node.value, cst.Call)
        and isinstance(node.value.func, cst.Name) and node.value.func.value == "super"
    )  # fmt: skip


def _opened(tensor: TensorType | None, symbols: Symbols) -> TensorType:
    """A tensor of the same rank, no size of which is known."""
    if tensor is None or tensor.shape is None:
        return TensorType(None, tensor.dtype if tensor is not None else None)
    return TensorType(tuple(symbols.unknown("d") for _ in tensor.shape), tensor.dtype)


def _any_of(value: Value) -> Value:
    """One element of a sequence, whichever: its type, not its value."""
    items = [_any_of(item) for item in value.items] if value.items is not None else None
    dim = None if value.tensor is None else value.dim
    return dataclasses.replace(value, known=UNKNOWN, dim=dim, items=items, sure=is_int(value))


def axis_names(rank: int, index: int) -> list[str]:
    """Constructor parameters for the sizes of an input between its batch and its last axis."""
    names = {3: ["length"], 4: ["height", "width"], 5: ["depth", "height", "width"]}
    suffix = "" if index == 0 else str(index + 1)
    return [f"in_{name}{suffix}" for name in names.get(rank, [f"size{i}" for i in range(1, rank - 1)])]


def symbols_of(frame: Frame, otherwise: Symbols) -> Symbols:
    return frame.spec.symbols if frame.spec is not None else otherwise


def _is_size(dim: Any, spec: ModuleSpec) -> bool:
    """Is this surely an int: an input's dimension, or made of these and ints?"""
    own = {name for size in spec.dims.values() for name in spec.symbols.names(size)}
    return isinstance(dim, int) or spec.symbols.names(dim) <= own


class _Shaped:
    """Stands for an input in a rule's shape function."""

    def __init__(self, shape: Any):
        self.shape = shape

    @staticmethod
    def of(value: Any) -> Any:
        if isinstance(value, Value) and value.tensor is not None and value.tensor.shape is not None:
            return _Shaped(value.tensor.shape)
        if isinstance(value, Value) and value.items:
            return [_Shaped.of(item) for item in value.items]
        raise abstract.NoShape


def _applied(code: cst.BaseExpression) -> cst.BaseExpression:
    """`(lambda s, i=0: s[i])(x)` to `x[0]`, where the arguments are names or constants."""
    if not isinstance(code, cst.Call) or not isinstance(code.func, cst.Lambda):
        return code
    params = code.func.params
    simple = not (
        params.kwonly_params or params.posonly_params or isinstance(params.star_arg, cst.Param) or params.star_kwarg
    )
    names = [p.name.value for p in params.params]
    given = {p.name.value: p.default for p in params.params if p.default is not None}
    for i, arg in enumerate(code.args):
        name = arg.keyword.value if arg.keyword is not None else names[i] if i < len(names) else None
        if name is None or arg.star:
            return code
        given[name] = arg.value
    body: Any = code.func.body
    for name, value in list(given.items()):
        if isinstance(value, cst.List | cst.Tuple):
            body = _unpacked(body, name, [element.value for element in value.elements])
            if name in names_in(body):
                return code
            given[name] = cst.Name(name)
    repeatable = all(isinstance(value, cst.Name | cst.BaseNumber | cst.BaseString) for value in given.values())
    if not simple or given.keys() != set(names) or not repeatable:
        return code
    result = body.visit(ReplaceNames(given))  # type: ignore[arg-type]
    assert isinstance(result, cst.BaseExpression)
    return result


def _unpacked(body: cst.BaseExpression, name: str, elements: list[cst.BaseExpression]) -> Any:
    """`pair[0] - pair[1]` with the elements put in, where each is read once."""
    reads: list[Any] = findall(body, m.Subscript(m.Name(name), [m.SubscriptElement(m.Index(m.Integer()))]))
    at = [read.slice[0].slice.value.evaluated_value for read in reads]
    if len(set(at)) != len(at) or any(index >= len(elements) for index in at):
        return body
    new = {text(read): elements[index] for read, index in zip(reads, at, strict=True)}

    class Put(cst.CSTTransformer):
        def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> cst.BaseExpression:
            return new.get(text(original_node), updated_node)

    return body.visit(Put())


class _ReplaceName(cst.CSTTransformer):
    def __init__(self, name: str, new: cst.BaseExpression):
        self.name, self.new = name, new

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.BaseExpression:
        return updated_node.with_changes(attr=original_node.attr)

    def leave_Arg(self, original_node: cst.Arg, updated_node: cst.Arg) -> cst.Arg:
        return updated_node.with_changes(keyword=original_node.keyword)

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        return self.new if original_node.value == self.name else updated_node


free_names = names_in
ReplaceName = _ReplaceName


def _constructor_signature(entry: rules.ObjectRule) -> inspect.Signature:
    """The constructor's signature: `make`'s, or, where nothing is made, the call's configuration."""
    if entry.make is not None:
        signature = inspect.signature(entry.make)
        kept = [p for p in signature.parameters.values() if p.kind is not p.KEYWORD_ONLY]
        return signature.replace(parameters=kept)
    assert entry.call is not None
    kept = [
        p.replace(kind=p.POSITIONAL_OR_KEYWORD)
        for p in inspect.signature(entry.call).parameters.values()
        if p.kind is p.KEYWORD_ONLY and p.name != "training"
    ]
    required = [p for p in kept if p.default is p.empty]
    return inspect.Signature([*required, *[p for p in kept if p.default is not p.empty]])


constructor_signature = _constructor_signature


def _leaves_of(value: Value, label: str) -> Iterator[tuple[str, TensorType]]:
    """The tensors in a value, labelled as `generalise` labels them."""
    if value.tensor is not None:
        yield label, value.tensor
        return
    for i, item in enumerate(value.items or ()):
        yield from _leaves_of(item, f"{label}_{i}")
    for key, item in (value.mapping or {}).items():
        yield from _leaves_of(item, str(key))


def _dims_of_inputs(inputs: Sequence[Argument]) -> list[tuple[str, Any]]:
    """(constructor parameter, last dim) of every tensor input, in order."""
    widths: list[Any] = []

    def walk(value: Value) -> None:
        if value.tensor is not None:
            widths.append(value.tensor.last)
        if isinstance(value.special, Widths):
            widths.append(value.special)
        for item in value.items or ():
            walk(item)
        for item in (value.mapping or {}).values():
            walk(item)

    for _, value in inputs:
        walk(value)
    names: list[tuple[str, Any]] = []
    for width in widths:
        same = next((name for name, dim in names if dim is not None and same_dim(dim, width)), None)
        count = len({name for name, _ in names})
        names.append((same or (IN_FEATURES if count == 0 else f"{IN_FEATURES}{count + 1}"), width))
    return names


dims_of_inputs = _dims_of_inputs
__all__ = ["Calls", "Placement", "ModuleSpec", "same_dim"]
