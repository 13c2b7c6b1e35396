"""Keeps host code: whole functions as they were, and single calls within ported ones.

TensorFlow is imported by the function that needs it. Ported code reads what host code gives as NumPy arrays.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine import rule as rules
from codemods.engine.walk import children, findall
from codemods.passes.expressions.parts import map_children
from codemods.passes.frame import Frame
from codemods.passes.host_code import HostCode, kept
from codemods.passes.names import assigned_names, read_names
from codemods.passes.placing.staging import Item, Staged
from codemods.passes.questions import Questions
from codemods.passes.training_values import Model
from codemods.passes.values import Lasting, Value
from codemods.policy.lookup import host_entry, reason

#: Methods of a dataset whose result is no dataset.
_ENDS = frozenset({"as_numpy_iterator", "cardinality", "get_single_element", "reduce", "save", "__len__"})
#: Functions that go through what they are given.
_ITERATE = frozenset({"enumerate", "zip", "iter", "list", "tuple", "tqdm", "trange", "sorted", "next"})
#: Methods by which a pipeline of arrays in memory becomes `Batches` (`training_data.py`).
_SIMPLE = frozenset({"shuffle", "batch", "prefetch", "cache"})
_IN_MEMORY = "tf.data.Dataset.from_tensor_slices"


@dataclasses.dataclass(frozen=True)
class Hosted(Lasting):
    """What host code gave: a `dataset`, which ported code iterates as NumPy arrays, a `layer`, which gives tensors
    where it is called, or a `value` of any kind."""

    gives: str


class Hosting(Questions):
    """Host code in its functions, and where ported code calls it."""

    def start(self) -> None:
        super().start()
        self._host: HostCode | None = None
        self._simple: bool | None = None
        self.within_host = 0

    @property
    def host(self) -> HostCode:
        if self._host is None:
            self._host = HostCode(self.unit, set())  # while kinds of functions are asked for
            kinds = {name: super(Hosting, self).function_kind(name) for name in self.unit.functions}
            programs = {name for name, kind in kinds.items() if kind == "helper" and self._host.uses_policy(name)}
            makes = {name for name, kind in kinds.items() if kind != "plain"} - programs
            self._host = HostCode(self.unit, makes)
            for name in self._host.shared:
                symbol = "tf.data" if name in self._host.handed else name
                why = (
                    f"`{name}` is used by the input pipeline, which stays TensorFlow, and by the model: make two of it"
                )
                self.unit.residual(name.split(".")[0], self._host.node(name).name, symbol, why)
        return self._host

    def function_kind(self, name: str) -> str:
        if self.host.is_host(name):
            return "plain"
        kind = super().function_kind(name)
        # A program that reads data and applies a layer, not a function that makes one for its caller.
        return "plain" if kind == "helper" and self.host.uses_policy(name) else kind

    # -- whole functions -----------------------------------------------------------------------------

    def port_body(self, node: cst.FunctionDef, name: str) -> tuple[list[Any], cst.FunctionDef]:
        if not self.host.is_host(name):
            return super().port_body(node, name)
        self.host_imports.pop(name, None)
        body = [self.verbatim(statement, node, name) for statement in node.body.body]
        body = self.with_host_imports(name, body)
        decorators = [d for d in node.decorators if self.decorator_symbol(d) is None]
        self.unit.note(node, f"{name} stays as it is: host code, which imports TensorFlow when it runs")
        return [], node.with_changes(body=node.body.with_changes(body=body), decorators=decorators)

    def verbatim(self, node: Any, function: cst.FunctionDef | None, label: str) -> Any:
        """Code as it is, with the framework's names bound by imports that the function will have."""
        own = assigned_names(function.body) if function is not None else set()
        return node.visit(_Verbatim(self, label, own))

    def host_name(self, node: cst.BaseExpression, label: str) -> cst.BaseExpression:
        """A name of the framework in host code, and the import that it needs."""
        symbol = self.unit.symbol(node)
        if isinstance(node, cst.Name) and symbol in rules.CONSTANTS and self.unit.names.via_assignment(node):
            return node  # `AUTOTUNE`, which the ported module has, too
        root = node
        while isinstance(root, cst.Attribute):
            root = root.value
        line = self.import_of(root.value) if isinstance(root, cst.Name) else None
        self.host_imports.setdefault(label, set()).add(line or "import tensorflow as tf")
        return node if line is not None or symbol is None else cst.parse_expression(symbol)

    def call_plain_function(self, name: str, node: cst.Call, frame: Frame) -> Value:
        if not self.host.is_host(name) or frame.mode != "plain":
            return super().call_plain_function(name, node, frame)
        args = [arg.with_changes(value=self.host_argument(arg.value, frame)) for arg in node.args]
        return self.given_by_host(node.with_changes(args=args), self.gives(name, set()), frame)

    def gives(self, name: str, seen: set[str]) -> str:
        """What a host function returns, as far as its `return`s tell."""
        definition = self.host.node(name)
        locals_: dict[str, str] = {}
        kinds = set()
        for part in _own_statements(definition.body):
            if isinstance(part, cst.Return):
                kinds.add(self.kind_of(part.value, locals_, {*seen, name}) if part.value is not None else "value")
            elif isinstance(part.targets[0].target, cst.Name):
                locals_[part.targets[0].target.value] = self.kind_of(part.value, locals_, {*seen, name})
        return kinds.pop() if len(kinds) == 1 else "value"

    def kind_of(self, node: cst.BaseExpression, known: dict[str, str], seen: set[str]) -> str:
        """`dataset`, `tensor`, or `value` where that can't be told from the code."""
        if isinstance(node, cst.Name):
            return known.get(node.value, "value")
        if isinstance(node, cst.Tuple | cst.List) and node.elements:
            kinds = {self.kind_of(e.value, known, seen) for e in node.elements}
            return "tree" if kinds <= {"tensor", "tree"} else kinds.pop() if len(kinds) == 1 else "value"
        if isinstance(node, cst.BinaryOperation):
            kinds = {self.kind_of(node.left, known, seen), self.kind_of(node.right, known, seen)}
            return "tensor" if kinds & {"tensor", "tree"} else "value"
        if not isinstance(node, cst.Call):
            return "value"
        symbol = self.unit.symbol(node.func)
        if symbol is not None:
            entry = kept(symbol)
            return entry.gives if entry is not None else "tensor" if symbol in rules.RULES else "value"
        if isinstance(node.func, cst.Attribute):
            method = self.host.method(node.func.attr.value)
            if method is not None and method not in seen:
                return self.gives(method, seen)
            base = self.kind_of(node.func.value, known, seen)
            return base if base == "dataset" and node.func.attr.value not in _ENDS else "value"
        if isinstance(node.func, cst.Name) and self.host.is_host(node.func.value) and node.func.value not in seen:
            return self.gives(node.func.value, seen)
        return "value"

    # -- single calls --------------------------------------------------------------------------------

    def call_symbol(self, symbol: str, node: cst.Call, frame: Frame) -> Value:
        if frame.mode in ("init", "staged"):
            found = self.in_constructor(symbol, node, frame)
            return found if found is not None else super().call_symbol(symbol, node, frame)
        entry = kept(symbol) if frame.mode == "plain" else None
        if entry is None or symbol.startswith("tf.keras.datasets.") or (symbol == _IN_MEMORY and self.simple_pipelines):
            return super().call_symbol(symbol, node, frame)
        if self.is_compiled(frame.function):
            why = f"host code in a function that is compiled: return the value, and do this where it is called; {entry.recipe}"
            frame.unit.residual(frame.function, node, symbol, why)
            return Value(node)
        args = [arg.with_changes(value=self.host_argument(arg.value, frame, symbol)) for arg in node.args]
        frame.unit.note(node, f"{symbol} stays: host code, imported when it runs. Without TensorFlow: {entry.recipe}")
        code = node.with_changes(func=self.host_name(node.func, frame.function), args=args)
        return self.given_by_host(code, entry.gives, frame)

    def in_constructor(self, symbol: str, node: cst.Call, frame: Frame) -> Value | None:
        """Host code that configures a model: a file that exists, a list of words. None where it computes."""
        entry = kept(symbol)
        if entry is None or entry.gives != "value":
            return None
        values = [self.eval(arg.value, frame) for arg in node.args]
        if any(value.is_tensor or value.has_layers or value.special is not None for value in values):
            return None
        args = [arg.with_changes(value=value.code) for arg, value in zip(node.args, values, strict=True)]
        frame.unit.note(node, f"{symbol} stays: host code, imported when it runs. Without TensorFlow: {entry.recipe}")
        return Value(node.with_changes(func=self.host_name(node.func, frame.function), args=args))

    def imports_of(self, name: str) -> list[str]:
        """Imports that host code in a class of the port needs, in its methods."""
        found = [lines for label, lines in self.host_imports.items() if label.split(".")[0] == name]
        return sorted(set().union(*found, set()))

    def given_by_host(self, code: cst.BaseExpression, gives: str, frame: Frame) -> Value:
        if gives == "layer":
            return Value(code, special=Hosted("layer"))
        if gives in ("tensor", "tree") and not self.within_host:
            self.unit.imports |= {"np"} if gives == "tensor" else {"np", "jax"}
            form = "np.asarray(_)" if gives == "tensor" else "jax.tree.map(np.asarray, _)"
            return Value(_put(form, code), staged=True)
        return Value(code, special=Hosted("dataset" if gives == "dataset" else "value"))

    def host_argument(self, node: cst.BaseExpression, frame: Frame, symbol: str = "tf.data") -> cst.BaseExpression:
        """An argument of host code: the framework's names in it stay, what is ported is ported."""
        self.within_host += 1
        try:
            return self.in_host(node, frame, symbol)
        finally:
            self.within_host -= 1

    def in_host(self, node: cst.BaseExpression, frame: Frame, symbol: str) -> cst.BaseExpression:
        if self.unit.symbol(node) is not None:
            return self.host_name(node, frame.function)
        if isinstance(node, cst.Lambda):
            return self.verbatim(node, None, frame.function)
        if isinstance(node, cst.List | cst.Tuple | cst.Dict | cst.Element | cst.DictElement | cst.Set):
            return map_children(node, lambda part: self.in_host(part, frame, symbol))
        if isinstance(node, cst.Call) and self.unit.symbol(node.func) is not None and not self.ported_in(node, frame):
            args = [arg.with_changes(value=self.in_host(arg.value, frame, symbol)) for arg in node.args]
            return node.with_changes(func=self.host_name(node.func, frame.function), args=args)
        if isinstance(node, cst.Name) and node.value in self.unit.functions:
            return node
        value = self.read_variable(self.eval(node, frame))
        if value.module is not None or value.layer is not None or isinstance(value.special, Model):
            why = f"a model is given to host code, which does not know JAX's: {host_or_reason(symbol)}"
            frame.unit.residual(frame.function, node, symbol, why)
        return value.code

    def ported_in(self, node: cst.BaseExpression, frame: Frame) -> bool:
        """Does an expression read something that is JAX's, now?"""
        values = [frame.env[name] for name in read_names(node) if name in frame.env]
        return any(v.module is not None or v.layer is not None or (v.is_tensor and v.special is None) for v in values)

    def is_compiled(self, function: str) -> bool:
        node = self.unit.functions.get(function)
        return node is not None and self.is_jitted(node)

    def materialise(self, value: Value, node: cst.BaseExpression, frame: Frame) -> Value:
        symbol = value.symbol
        entry = kept(symbol) if symbol is not None else None
        if entry is not None and frame.mode == "plain":
            return Value(self.host_name(node, frame.function), special=Hosted("value"))
        if entry is not None and frame.mode in ("init", "staged") and entry.gives == "constant":
            return Value(self.host_name(node, frame.function))
        return super().materialise(value, node, frame)

    # -- what host code gave -------------------------------------------------------------------------

    def call_method(self, callee: Value, node: cst.Call, frame: Frame) -> Value:
        _, base, name = callee.special
        method = self.host.method(name)
        plain = base.special is None and base.tensor is None and base.module is None and not base.is_tensor
        if method is not None and plain and frame.mode == "plain":
            args = [arg.with_changes(value=self.host_argument(arg.value, frame)) for arg in node.args]
            code = node.with_changes(func=callee.code, args=args)
            return self.given_by_host(code, self.gives(method, set()), frame)
        if not isinstance(base.special, Hosted):
            return super().call_method(callee, node, frame)
        args = [arg.with_changes(value=self.host_argument(arg.value, frame)) for arg in node.args]
        code = node.with_changes(func=callee.code, args=args)
        kept = base.special.gives == "dataset" and name not in _ENDS
        return Value(code, special=Hosted("dataset" if kept else "value"))

    def call_special(self, callee: Value, node: cst.Call, frame: Frame) -> Value | None:
        if not isinstance(callee.special, Hosted) or frame.mode != "plain":
            return super().call_special(callee, node, frame)
        args = [arg.with_changes(value=self.host_argument(arg.value, frame)) for arg in node.args]
        code = node.with_changes(func=callee.code, args=args)
        return self.given_by_host(code, "tensor" if callee.special.gives == "layer" else "value", frame)

    def bind_target(self, target: cst.BaseExpression, value: Value, frame: Frame) -> None:
        if isinstance(value.special, Hosted) and isinstance(target, cst.Tuple | cst.List):
            for element in target.elements:
                self.bind_target(element.value, dataclasses.replace(value, code=element.value), frame)
            return
        super().bind_target(target, value, frame)

    def _exec_For(self, node: cst.For, frame: Frame) -> Any:
        return super()._exec_For(node.with_changes(iter=self.iterated(node.iter, frame)), frame)

    def _eval_ListComp(self, node: Any, frame: Frame) -> Value:
        iterated = self.iterated(node.for_in.iter, frame)
        if iterated is not node.for_in.iter:
            node = node.with_changes(for_in=node.for_in.with_changes(iter=iterated))
        return super()._eval_ListComp(node, frame)

    def plain_call(self, callee: Value, node: cst.Call, frame: Frame) -> Value:
        name = node.func.value if isinstance(node.func, cst.Name) else ""
        if name in _ITERATE and frame.mode == "plain":
            args = [arg.with_changes(value=self.iterated(arg.value, frame)) for arg in node.args]
            node = node.with_changes(args=args)
        return super().plain_call(callee, node, frame)

    def iterated(self, node: cst.BaseExpression, frame: Frame) -> cst.BaseExpression:
        """What is gone through: a dataset gives NumPy arrays."""
        if frame.mode != "plain" or not self.is_dataset(node, frame):
            return node
        return cst.Call(cst.Attribute(node, cst.Name("as_numpy_iterator")))

    def is_dataset(self, node: cst.BaseExpression, frame: Frame) -> bool:
        if isinstance(node, cst.Name):
            value = frame.env.get(node.value) or self.unit.globals.get(node.value)
            return value is not None and isinstance(value.special, Hosted) and value.special.gives == "dataset"
        if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and self.unit.symbol(node.func) is None:
            if self.host.method(node.func.attr.value) is not None:
                return self.kind_of(node, {}, set()) == "dataset"
            return node.func.attr.value not in _ENDS and self.is_dataset(node.func.value, frame)
        return isinstance(node, cst.Call) and self.kind_of(node, {}, set()) == "dataset" and not self.is_simple(node)

    # -- functions within functions --------------------------------------------------------------------

    def _exec_FunctionDef(self, node: cst.FunctionDef, frame: Frame) -> Staged:
        if frame.mode != "plain" or node.name.value not in self.host.handed or not self.uses_tensorflow(node):
            return super()._exec_FunctionDef(node, frame)
        frame.env[node.name.value] = Value(node.name, special=Hosted("value"))
        decorators = [d for d in node.decorators if self.decorator_symbol(d) is None]
        kept = self.verbatim(node, node, frame.function).with_changes(decorators=decorators)
        return Staged([], [Item(kept, config=False)])

    def is_host_value(self, value: Value) -> bool:
        return isinstance(value.special, Hosted) and value.special.gives != "dataset"

    def is_host_dataset(self, value: Value) -> bool:
        return isinstance(value.special, Hosted) and value.special.gives == "dataset"

    def uses_tensorflow(self, node: cst.CSTNode) -> bool:
        return any(self.unit.symbol(part) is not None for part in findall(node, m.Name() | m.Attribute()))

    # -- arrays in memory --------------------------------------------------------------------------------

    @property
    def simple_pipelines(self) -> bool:
        """Do all pipelines of the file only shuffle and batch arrays in memory?"""
        if self._simple is None:
            calls: Sequence[cst.Call] = findall(self.unit.module, m.Call())
            symbols = {s for c in calls if (s := self.unit.symbol(c.func)) is not None and s.startswith("tf.data.")}
            methods = {
                c.func.attr.value for c in calls
                if isinstance(c.func, cst.Attribute) and self.unit.symbol(c.func) is None and self.on_dataset(c.func.value)
            }  # fmt: skip
            self._simple = symbols <= {_IN_MEMORY} and methods <= _SIMPLE and "batch" in methods
        return self._simple

    def on_dataset(self, node: cst.BaseExpression) -> bool:
        """Is this a dataset, or a name that one is assigned to somewhere in the file?"""
        while (
            isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and self.unit.symbol(node.func) is None
        ):
            node = node.func.value
        if isinstance(node, cst.Call):
            return self.unit.symbol(node.func) == _IN_MEMORY
        return isinstance(node, cst.Name) and node.value in self.dataset_names

    @property
    def dataset_names(self) -> set[str]:
        found: set[str] = set()
        for assign in findall(self.unit.module, m.Assign([m.AssignTarget(m.Name())], m.Call())):
            node: Any = assign.value
            while isinstance(node, cst.Call):
                if self.unit.symbol(node.func) == _IN_MEMORY:
                    found.add(assign.targets[0].target.value)
                node = node.func.value if isinstance(node.func, cst.Attribute) else None
        return found

    def is_simple(self, node: cst.BaseExpression) -> bool:
        return self.simple_pipelines and self.on_dataset(node)


def _own_statements(node: cst.CSTNode) -> Iterator[Any]:
    """Assignments and returns of a function's body, those of functions within it aside."""
    for part in children(node):
        if isinstance(part, cst.Assign | cst.Return):
            yield part
        elif not isinstance(part, cst.FunctionDef | cst.Lambda):
            yield from _own_statements(part)


class _Verbatim(cst.CSTTransformer):
    """Keeps code, but for names of the framework that the port does not bind at module level."""

    def __init__(self, hosting: Hosting, label: str, own: set[str]):
        self.hosting, self.label, self.own = hosting, label, own

    def on_visit(self, node: cst.CSTNode) -> bool:
        return not (isinstance(node, cst.Attribute | cst.Name) and self._symbol(node) is not None)

    def on_leave(self, original_node: Any, updated_node: Any) -> Any:
        if isinstance(original_node, cst.Attribute | cst.Name) and self._symbol(original_node) is not None:
            return self.hosting.host_name(original_node, self.label)
        return super().on_leave(original_node, updated_node)

    def _symbol(self, node: cst.BaseExpression) -> str | None:
        root = node
        while isinstance(root, cst.Attribute):
            root = root.value
        if isinstance(root, cst.Name) and root.value in self.own:
            return None  # an import or alias of its own
        return self.hosting.unit.symbol(node)


def host_or_reason(symbol: str) -> str:
    entry = host_entry(symbol)
    return entry.recipe if entry is not None else reason(symbol)


def _put(form: str, code: cst.BaseExpression) -> cst.BaseExpression:
    """`form` with code in the place of `_`."""
    return cst.parse_expression(form).visit(_Fill(code))  # type: ignore[return-value]


class _Fill(cst.CSTTransformer):
    def __init__(self, code: cst.BaseExpression):
        self.code = code

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        return self.code if original_node.value == "_" else updated_node
