"""Classes that inherit from classes of the same file, and constructors that call own methods, as one class each.

Keras finds out widths when a layer is called; a Flax constructor is told. What a base's constructor has to be told
depends on what the derived class does with its layers, so a derived class gets the base's constructor and methods.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine.walk import findall
from codemods.passes.frame import Frame
from codemods.passes.freezing import Freezing
from codemods.passes.modules import ModuleSpec
from codemods.passes.names import assigned_names, read_names
from codemods.passes.values import UNKNOWN, Value

_CALLS = ("call", "__call__")
#: Arguments of constructors that only Keras reads.
_FOR_KERAS = frozenset({"name", "dtype", "trainable", "dynamic", "autocast"})


class Inheritance(Freezing):
    """Prepares the classes of a file."""

    def start(self) -> None:
        super().start()
        self.joined_classes: set[str] = set()
        #: By class, method, and the method of the base that it calls: the name that this has in the class.
        self.base_methods: dict[tuple[str, str, str], str] = {}
        self.maybe_none: set[tuple[str, str]] = set()
        for name in list(self.unit.classes):
            self.join_bases(name)
        self.absorbed = {name for name in sorted(self.joined_classes) if self.is_absorbed(name)}
        for name in sorted(self.absorbed):
            self.unit.note(self.unit.classes[name], f"{name} left out: the classes that inherit from it have all of it")

    def join_bases(self, name: str) -> cst.ClassDef:
        """A class with what it inherits from the file's modules; as it is where that can't be told."""
        node = self.unit.classes[name]
        if name in self.joined_classes or not self.unit.is_module_class(name):
            return node
        self.joined_classes.add(name)
        base = node.bases[0].value if len(node.bases) == 1 else None
        if isinstance(base, cst.Name) and base.value in self.unit.classes and base.value != name:
            new = self.merged_class(name, node, base.value, self.join_bases(base.value))
            node = new if new is not None else node
        self.unit.classes[name] = self.with_setup(node)
        return self.unit.classes[name]

    def is_absorbed(self, name: str) -> bool:
        """A base that is never made itself, and computes nothing: its classes have all of it."""
        if any(method in _methods(self.unit.classes[name]) for method in _CALLS):
            return False
        original = [s for s in self.unit.module.body if isinstance(s, cst.ClassDef)]
        derived = [s for s in original if any(m.matches(b.value, m.Name(name)) for b in s.bases)]
        left = [
            s.name.value
            for s in derived
            if any(m.matches(b.value, m.Name(name)) for b in self.unit.classes[s.name.value].bases)
        ]
        return bool(derived) and not left and not findall(self.unit.module, m.Call(func=m.Name(name)))

    # -- bases -----------------------------------------------------------------------------------------

    def merged_class(self, name: str, node: cst.ClassDef, base_name: str, base: cst.ClassDef) -> cst.ClassDef | None:
        own, inherited = _methods(node), _methods(base)
        body: list[Any] = []
        for statement in node.body.body:
            if (
                isinstance(statement, cst.FunctionDef)
                and statement.name.value == "__init__"
                and "__init__" in inherited
            ):
                new = self.with_base_constructor(statement, inherited["__init__"], base_name)
                if new is None:
                    return None
                statement = new
            body.append(statement)
        body = [s for s in body if not m.matches(s, m.SimpleStatementLine([m.Pass()]))]
        if "__init__" in inherited and "__init__" not in own:
            at = 1 if body and _is_text(body[0]) else 0
            body.insert(at, inherited["__init__"])
        set_by_own = set().union(*[assigned_names(s) for s in body if isinstance(s, cst.SimpleStatementLine)], set())
        for statement in base.body.body:
            if isinstance(statement, cst.FunctionDef) and statement.name.value not in {*own, "__init__"}:
                body.append(statement)
            elif isinstance(statement, cst.SimpleStatementLine) and not _is_text(statement):
                if assigned_names(statement) and not assigned_names(statement) & set_by_own:
                    body.insert(1 if body and _is_text(body[0]) else 0, statement)
        known = {key: new for key, new in self.base_methods.items() if key[0] == base_name}
        for (_, within, method), new in known.items():
            if within not in own:
                self.base_methods[(name, within, method)] = new
        for within, function in own.items():
            for method in sorted({c.func.attr.value for c in findall(function, _SUPER)} - {"__init__", "build"}):  # type: ignore
                if method not in inherited:
                    continue
                renamed = f"{_snake(base_name)}_{method.strip('_')}"
                self.base_methods[(name, within, method)] = renamed
                for (_, inner, called), new in known.items():
                    if inner == method:
                        self.base_methods[(name, renamed, called)] = new
                if all(s.name.value != renamed for s in body if isinstance(s, cst.FunctionDef)):
                    body.append(inherited[method].with_changes(name=cst.Name(renamed)))
        return node.with_changes(bases=base.bases, body=node.body.with_changes(body=body))

    def with_base_constructor(
        self, own: cst.FunctionDef, base: cst.FunctionDef, base_name: str
    ) -> cst.FunctionDef | None:
        """The derived class's constructor, with the base's in the place of the call of it."""
        for i, statement in enumerate(own.body.body):
            call = _init_call(statement, base_name)
            if call is None:
                continue
            args = call.args[1:] if m.matches(call.func, m.Attribute(m.Name(base_name))) else call.args
            bound = _bound(base, args, own, own.body.body[i + 1 :])
            if bound is None:
                return None
            inner = [s for s in base.body.body if not _is_text(s)]
            lines = [*bound, *inner]
            if lines and hasattr(lines[0], "leading_lines"):
                lines[0] = lines[0].with_changes(leading_lines=statement.leading_lines)  # type: ignore[attr-defined]
            body = [*own.body.body[:i], *lines, *own.body.body[i + 1 :]]
            return own.with_changes(body=own.body.with_changes(body=body))
        return own

    def call_super(self, node: cst.Call, frame: Frame) -> Value:
        assert isinstance(node.func, cst.Attribute)
        name = node.func.attr.value
        within = frame.function.rsplit(".", 1)[-1]
        renamed = self.base_methods.get((frame.spec.source, within, name)) if frame.spec is not None else None
        if renamed is None or frame.self_name is None:
            return super().call_super(node, frame)
        func = cst.Attribute(cst.Name(frame.self_name), cst.Name(renamed))
        return self.call_self_method(renamed, node.with_changes(func=func), frame)

    # -- constants of the class ------------------------------------------------------------------------

    def analyse_class(self, spec: ModuleSpec, inputs: Any) -> None:
        """`expansion = 4` in a class's body is configuration."""
        assert isinstance(spec.node, cst.ClassDef)
        for statement in spec.node.body.body:
            found = m.extract(statement, _CONSTANT)
            if found is not None:
                value = self.eval(found["value"], Frame(self.unit, spec.source, "plain"))  # type: ignore[arg-type]
                name = found["name"].value  # type: ignore[union-attr]
                if value.known is not UNKNOWN:
                    spec.attributes.setdefault(name, value.with_code(cst.parse_expression(f"self.{name}")))
        super().analyse_class(spec, inputs)

    # -- layers that there may be ----------------------------------------------------------------------

    def assign_attribute(
        self, target: cst.Attribute, value: Value, node: cst.Assign, frame: Frame
    ) -> tuple[list[Any], bool] | None:
        """`self.shortcut = None` in one branch, and a layer in the other: what is known of it is the layer."""
        name, spec = target.attr.value, frame.spec
        before = spec.attributes.get(name) if spec is not None else None
        made = super().assign_attribute(target, value, node, frame)
        if spec is None or frame.mode != "init":
            return made
        layer = before is not None and (before.layer is not None or before.module is not None)
        if value.known is None and layer and before is not None:
            spec.attributes[name] = before
            self.maybe_none.add((spec.source, name))
        elif before is not None and before.known is None and value.has_layers:
            self.maybe_none.add((spec.source, name))
        return made

    def _eval_Comparison(self, node: cst.Comparison, frame: Frame) -> Value:
        value = super()._eval_Comparison(node, frame)
        left = node.left
        if isinstance(left, cst.Attribute) and isinstance(left.value, cst.Name) and frame.spec is not None:
            own = frame.env.get(left.value.value)
            if own is not None and own.special == "self" and (frame.spec.source, left.attr.value) in self.maybe_none:
                return Value(value.code, staged=value.staged)
        return value

    # -- own methods in constructors -------------------------------------------------------------------

    def with_setup(self, node: cst.ClassDef) -> cst.ClassDef:
        """`self.build_layers()` in a constructor: what the method does."""
        for _ in range(8):
            methods = _methods(node)
            init = methods.get("__init__")
            found = self.setup_call(init, methods) if init is not None else None
            if init is None or found is None:
                return node
            i, method, lines = found
            body = [*init.body.body[:i], *lines, *init.body.body[i + 1 :]]
            new = init.with_changes(body=init.body.with_changes(body=body))
            others = [s for s in node.body.body if s is not init and s is not method]
            used = any(findall(s, m.Attribute(attr=m.Name(method.name.value))) for s in [new, *others])
            kept = [new if s is init else s for s in node.body.body if s is not method or used]
            node = node.with_changes(body=node.body.with_changes(body=kept))
        return node

    def setup_call(self, init: cst.FunctionDef, methods: dict[str, cst.FunctionDef]) -> Any:
        own = init.params.params[0].name.value if init.params.params else "self"
        for i, statement in enumerate(init.body.body):
            call = statement.body[0].value if m.matches(statement, _OWN_CALL) else None  # type: ignore[union-attr]
            name = call.func.attr.value if call is not None and m.matches(call.func.value, m.Name(own)) else ""
            method = methods.get(name)
            if method is None or method.decorators or method.params.params[0].name.value != own:
                continue
            if findall(method.body, m.Return(value=m.DoesNotMatch(m.Name("None")))):
                continue
            bound = _bound(method, call.args, init, init.body.body[i + 1 :])
            if bound is not None and not findall(method.body, m.Return()):
                lines = [*bound, *[s for s in method.body.body if not _is_text(s)]]
                if lines and hasattr(lines[0], "leading_lines"):
                    lines[0] = lines[0].with_changes(leading_lines=statement.leading_lines)  # type: ignore[union-attr]
                return i, method, lines
        return None


def _bound(
    function: cst.FunctionDef, args: Sequence[cst.Arg], caller: cst.FunctionDef, after: Sequence[Any]
) -> list[Any] | None:
    """Assignments that give a function's parameters their values; None where that would change what others read."""
    params = [*function.params.params[1:], *function.params.kwonly_params]
    positional = [p.name.value for p in function.params.params[1:]]
    names = {p.name.value for p in params}
    given: dict[str, cst.BaseExpression] = {}
    spread = function.params.star_kwarg is not None
    for i, arg in enumerate(args):
        name = arg.keyword.value if arg.keyword is not None else positional[i] if i < len(positional) else None
        if arg.star == "**" and (spread or not names):
            continue
        if arg.star or name is None:
            return None
        if name in names:
            given[name] = arg.value
        elif name not in _FOR_KERAS:
            return None
    inner = set().union(*[read_names(s) for s in function.body.body if not _is_super_init(s)], set())
    if spread and function.params.star_kwarg is not None and function.params.star_kwarg.name.value in inner:
        return None
    later = set().union(*[read_names(s) for s in after], set())
    taken = {p.name.value for p in [*caller.params.params, *caller.params.kwonly_params]} | assigned_names(caller.body)
    clash = (assigned_names(function.body) - names) & taken
    lines: list[Any] = []
    done: set[str] = set()
    if clash & later:
        return None
    for param in params:
        name = param.name.value
        value = given.get(name, param.default)
        if name not in inner or m.matches(value, m.Name(name)):  # type: ignore[arg-type]
            continue
        if value is None or (name in taken and name in later) or read_names(value) & done:
            return None
        lines.append(cst.SimpleStatementLine([cst.Assign([cst.AssignTarget(cst.Name(name))], value)]))
        done.add(name)
    return lines


def _methods(node: cst.ClassDef) -> dict[str, cst.FunctionDef]:
    return {s.name.value: s for s in node.body.body if isinstance(s, cst.FunctionDef)}


def _init_call(statement: Any, base: str) -> cst.Call | None:
    """`super().__init__(...)` or `Base.__init__(self, ...)`."""
    owner = m.Call(func=m.Name("super")) | m.Name(base)
    pattern = m.SimpleStatementLine([m.Expr(m.Call(func=m.Attribute(owner, m.Name("__init__"))))])
    return statement.body[0].value if m.matches(statement, pattern) else None


def _is_super_init(statement: Any) -> bool:
    return m.matches(
        statement,
        m.SimpleStatementLine([m.Expr(m.Call(func=m.Attribute(m.Call(m.Name("super")), m.Name("__init__"))))]),
    )


def _is_text(statement: Any) -> bool:
    return m.matches(statement, m.SimpleStatementLine([m.Expr(m.SimpleString() | m.ConcatenatedString())]))


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower().strip("_")


_CONSTANT = m.SimpleStatementLine([m.Assign([m.AssignTarget(m.SaveMatchedNode(m.Name(), "name"))],
                                            m.SaveMatchedNode(m.Integer() | m.Float() | m.SimpleString(), "value"))])  # fmt: skip
_SUPER = m.Call(func=m.Attribute(m.Call(func=m.Name("super")), m.Name()))
_OWN_CALL = m.SimpleStatementLine([m.Expr(m.Call(func=m.Attribute(m.Name(), m.Name())))])
