"""A class's own `compile`: optimizers become arguments of its steps, losses code in them, other settings stay attributes."""

from __future__ import annotations

import dataclasses
from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine.walk import findall
from codemods.passes.frame import Frame
from codemods.passes.modules import ModuleSpec
from codemods.passes.names import read_names
from codemods.passes.training_trackers import Trackers
from codemods.passes.training_values import Compiled, Optimizer, OwnOptimizer
from codemods.passes.values import Value, text

_APPLY = m.OneOf(m.Name("apply_gradients"), m.Name("apply"), m.Name("minimize"))


@dataclasses.dataclass
class Setup:
    """What a class's own `compile` does.

    Attributes:
      given: code of each attribute that it sets.
      keras: what it hands to Keras's `compile`, by keyword.
      spreads: it hands on whatever else it is given.
      chosen: values of the attributes, from the call of `compile` in this file.
    """

    node: cst.FunctionDef
    given: dict[str, cst.BaseExpression] = dataclasses.field(default_factory=dict)
    keras: dict[str, cst.BaseExpression] = dataclasses.field(default_factory=dict)
    spreads: bool = False
    chosen: dict[str, Value] = dataclasses.field(default_factory=dict)
    call: cst.Call | None = None

    @property
    def parameters(self) -> list[cst.Param]:
        return [*self.node.params.params[1:], *self.node.params.kwonly_params]


class OwnCompile(Trackers):
    """Reads `compile` methods, and the calls of them."""

    def start(self) -> None:
        super().start()
        self.setups: dict[str, Setup | None] = {}
        self.own_links: dict[tuple[str, str], tuple[str, ...]] = {}

    # -- the method ----------------------------------------------------------------------------------

    def step_class(self, spec: ModuleSpec) -> cst.ClassDef | None:
        """The class that has a module's steps."""
        return spec.node if isinstance(spec.node, cst.ClassDef) else None

    def step_label(self, source: str) -> str:
        """What residuals in a module's steps belong to."""
        return source

    def setup(self, source: str) -> Setup | None:
        """The `compile` of a class, if it has one of its own that only sets attributes."""
        if source not in self.setups:
            spec = self.unit.specs.get(source)
            node = self.method_node(spec, "compile") if spec is not None and self.step_class(spec) else None
            self.setups[source] = self.read_setup(source, node) if node is not None else None
        return self.setups[source]

    def read_setup(self, source: str, node: cst.FunctionDef) -> Setup:
        found = Setup(node)
        own = node.params.params[0].name.value if node.params.params else "self"
        for statement in node.body.body:
            for small in statement.body if isinstance(statement, cst.SimpleStatementLine) else [statement]:
                if isinstance(small, cst.Expr) and isinstance(small.value, cst.SimpleString | cst.ConcatenatedString):
                    continue
                if isinstance(small, cst.Expr) and m.matches(small.value, _SUPER):
                    for i, arg in enumerate(small.value.args):  # type: ignore[attr-defined]
                        found.spreads |= arg.star == "**"
                        if not arg.star:
                            order = ("optimizer", "loss", "metrics")
                            found.keras[arg.keyword.value if arg.keyword else order[min(i, 2)]] = arg.value
                    continue
                target = small.targets[0].target if isinstance(small, cst.Assign) else None
                if isinstance(target, cst.Attribute) and m.matches(target.value, m.Name(own)):
                    found.given[target.attr.value] = small.value  # type: ignore[union-attr]
                    continue
                reason = "a `compile` that does more than set attributes"
                self.unit.residual(source, statement, f"{source}.compile", reason)
        return found

    def own_optimizers(self, spec: ModuleSpec) -> list[str]:
        """Attributes, other than `optimizer`, that the class's methods apply gradients with."""
        calls = findall(self.step_class(spec), m.Call(func=m.Attribute(m.Attribute(m.Name()), _APPLY)))
        names = [c.func.value.attr.value for c in calls]  # type: ignore[attr-defined]
        return [n for n in dict.fromkeys(names) if n != "optimizer"]

    def settings(self, spec: ModuleSpec) -> list[str]:
        """Attributes that stay: what is no optimizer, metric or loss."""
        setup = self.setup(spec.source)
        if setup is None:
            return []
        aside = {*self.own_optimizers(spec), *self.trackers.get(spec.source, {})}
        return [n for n in setup.given if n not in aside and not self.is_inlined(self.setting(setup, n))]

    def setting(self, setup: Setup, name: str) -> Value | None:
        return setup.chosen.get(name)

    def is_inlined(self, value: Value | None) -> bool:
        """Is this a function, or an object that steps call by its code?"""
        if value is None:
            return False
        function = isinstance(value.special, tuple) and value.special[0] == "function"
        return value.layer is not None or function

    def of_compile(self, spec: ModuleSpec, name: str) -> Value | None:
        """An attribute that `compile` sets, in a step."""
        setup = self.setup(spec.source)
        if setup is None or name not in setup.given or name in spec.attributes:
            return None
        value = self.setting(setup, name)
        if value is not None and self.is_inlined(value):
            if value.layer is not None:
                return value
            return Value(cst.Name(value.special[1]), special=value.special)
        return Value(cst.parse_expression(f"model.{name}"))

    def analyse_class(self, spec: ModuleSpec, inputs: Any) -> None:
        super().analyse_class(spec, inputs)
        self.own_compile(spec)

    def own_compile(self, spec: ModuleSpec) -> None:
        """Losses and metrics that a class's own `compile` always makes."""
        setup = self.setup(spec.source)
        if setup is None:
            return
        parameters = {p.name.value for p in setup.parameters}
        for name, code in setup.given.items():
            if isinstance(code, cst.Call) and not read_names(code) & parameters and self.unit.symbol(code.func):
                setup.chosen.setdefault(name, self.eval_raw(code, Frame(self.unit, f"{spec.source}.compile", "plain")))
                value = setup.chosen[name]
                if value.layer is not None:
                    spec.attributes[name] = value

    def emit_class(self, spec: ModuleSpec) -> cst.ClassDef:
        """`compile` stays with what is neither optimizer, loss nor metric."""
        setup = self.setup(spec.source)
        kept = self.settings(spec)
        if setup is not None and kept:
            node = setup.node
            reads = set().union(*[read_names(setup.given[name]) for name in kept])
            body = [s for s in node.body.body if _is_text(s) or _sets(s) in kept]
            params = [p for p in node.params.params[1:] if p.name.value in reads]
            kwonly = [p for p in node.params.kwonly_params if p.name.value in reads]
            plain = [p.with_changes(comma=cst.MaybeSentinel.DEFAULT) for p in [*node.params.params[:1], *params]]
            star: Any = node.params.star_arg if kwonly else cst.MaybeSentinel.DEFAULT
            new = cst.Parameters(params=plain, kwonly_params=kwonly, star_arg=star)
            ported = [item.node for s in body for item in self.statement(s, self.setup_frame(spec, setup)).call]
            spec.methods["compile"] = node.with_changes(params=new, body=node.body.with_changes(body=ported))
        return super().emit_class(spec)

    def setup_frame(self, spec: ModuleSpec, setup: Setup) -> Frame:
        frame = Frame(self.unit, f"{spec.source}.compile", "plain")
        frame.env = {p.name.value: Value(p.name) for p in setup.node.params.params}
        return frame

    # -- the call ------------------------------------------------------------------------------------

    def compile_model(self, base: Value, node: cst.Call, frame: Frame) -> Value:
        spec = base.module.spec if base.module is not None else None
        setup = self.setup(spec.source) if spec is not None and self.step_class(spec) else None
        if setup is None or spec is None:
            return super().compile_model(base, node, frame)
        bound = self.bound_setup(setup, node, frame)
        if bound is None:
            return Value(node)
        if setup.call is not None and setup.call is not node and _code(setup.call) != _code(node):
            frame.unit.residual(
                frame.function, node, f"{spec.source}.compile", "this class is compiled in several ways"
            )
        setup.call = node
        values = {name: self.of_setup(code, bound, frame) for name, code in setup.given.items()}
        setup.chosen.update(values)
        arguments = {name: self.of_setup(code, bound, frame) for name, code in setup.keras.items()}
        arguments |= {name: value for name, value in bound.items() if setup.spreads and name in _OF_COMPILE}
        if "metrics" in arguments and arguments["metrics"].items is None and arguments["metrics"].known is not None:
            raw = arguments["metrics"].code
            if isinstance(raw, cst.List | cst.Tuple):
                arguments["metrics"] = Value(raw, items=[self.eval_raw(e.value, frame) for e in raw.elements])
        own = {name: values[name] for name in self.own_optimizers(spec) if name in values}
        found = self.compiled.setdefault(id(node), Compiled(node, frame.function, text(base.code), spec, arguments))
        found.arguments, found.spec = arguments | own, spec
        self.check_inlined(values, node, frame)
        lines = []
        kept = self.settings(spec)
        if kept:
            reads = set().union(*[read_names(setup.given[name]) for name in kept])
            given = [
                (p.name.value, bound[p.name.value]) for p in setup.parameters if p.name.value in reads & bound.keys()
            ]
            given = [(n, v) for n, v in given if n in self.given_names(setup, node)]
            code = ", ".join(f"{n}={text(self.materialise(v, node, frame).code)}" for n, v in given)
            lines.append(f"{text(base.code)}.compile({code})")
        if id(node) in self.fitted or self.surveying:
            made = self.own_optimizer_lines(found, base, node, frame)
            if made is None:
                return Value(node)
            lines += made
        if not lines:
            return Value(node, special="dropped")
        return Value(node, special=("statements", [cst.parse_statement(line) for line in lines]))

    def given_names(self, setup: Setup, node: cst.Call) -> set[str]:
        positional = [p.name.value for p in setup.node.params.params[1:]]
        named = {a.keyword.value for a in node.args if a.keyword is not None}
        return named | set(positional[: sum(a.keyword is None for a in node.args)])

    def bound_setup(self, setup: Setup, node: cst.Call, frame: Frame) -> dict[str, Value] | None:
        """Values of the method's parameters, defaults included, and of what is handed on to Keras."""
        positional = [p.name.value for p in setup.node.params.params[1:]]
        names = {p.name.value for p in setup.parameters}
        bound: dict[str, Value] = {}
        for i, arg in enumerate(node.args):
            name = arg.keyword.value if arg.keyword is not None else positional[i] if i < len(positional) else None
            if arg.star or name is None or (name not in names and not setup.spreads):
                reason = "which arguments of the class's own `compile` these are is not known"
                frame.unit.residual(frame.function, arg, "Model.compile", reason)
                return None
            bound[name] = self.eval_raw(arg.value, frame)
        for p in setup.parameters:
            if p.name.value not in bound and p.default is not None:
                bound[p.name.value] = self.eval_raw(p.default, Frame(self.unit, frame.function, "plain"))
        return bound

    def of_setup(self, code: cst.BaseExpression, bound: dict[str, Value], frame: Frame) -> Value:
        if isinstance(code, cst.Name) and code.value in bound:
            return bound[code.value]
        return self.eval_raw(code, Frame(self.unit, frame.function, "plain", env=dict(bound)))

    def check_inlined(self, values: dict[str, Value], node: cst.Call, frame: Frame) -> None:
        """What steps call by its code must mean the same at module level."""
        for name, value in values.items():
            parts = value.layer.arguments.values() if value.layer is not None else ()
            unknown = self.not_global(set().union(*[read_names(v.code) for v in parts], set()))
            if unknown:
                reason = f"`{sorted(unknown)[0]}` belongs to a function, the step that uses it is made at module level"
                frame.unit.residual(frame.function, node, f"self.{name}", reason)

    def own_optimizer_lines(self, compiled: Compiled, base: Value, node: cst.Call, frame: Frame) -> list[str] | None:
        """`d_optimizer = nnx.Optimizer(gan.discriminator, ..., wrt=nnx.Param)` for each optimizer."""
        assert compiled.spec is not None
        source = compiled.spec.source
        lines = []
        for name in ["optimizer", *self.own_optimizers(compiled.spec)]:
            value = compiled.arguments.get(name)
            if value is None or (name == "optimizer" and "optimizer" not in self.step_needs(compiled)):
                continue
            models = self.own_links.get((source, name), () if name != "optimizer" else ("model",))
            if not models:
                if self.surveying:
                    continue
                reason = f"which weights `self.{name}` updates is not known"
                frame.unit.residual(frame.function, node, f"self.{name}", reason)
                return None
            transformation = self.transformation(value, node, frame)
            if transformation is None:
                return None
            places = [text(base.code) + model.removeprefix("model") for model in models]
            place = places[0] if len(places) == 1 else f"({', '.join(places)})"
            self.unit.imports |= {"nnx", "optax"}
            variable = self.own_variable(name, frame)
            lines.append(f"{variable} = nnx.Optimizer({place}, {transformation}, wrt=nnx.Param)")
        return lines

    def own_variable(self, name: str, frame: Frame) -> str:
        """The variable that a function keeps an optimizer in."""
        if name == "optimizer":
            return self.optimizer_name(frame)
        value = frame.env.get(name)
        return name if value is not None and isinstance(value.special, Optimizer) else self.local(name, frame)

    def optimizer_for(self, compiled: Compiled, base: Value, node: cst.Call, frame: Frame) -> str | None:
        if compiled.spec is None or not self.step_class(compiled.spec) or self.setup(compiled.spec.source) is None:
            return super().optimizer_for(compiled, base, node, frame)
        lines = self.own_optimizer_lines(compiled, base, node, frame)
        unknown = self.not_global(
            set().union(*[read_names(cst.parse_module(line)) for line in lines or ()], set()) - set(frame.env)
        )
        if lines is None or unknown - {text(base.code)}:
            reason = (
                "`compile` and `fit` are in different functions, and the optimizers need what is known in the first"
            )
            frame.unit.residual(frame.function, node, "Model.fit", reason)
            return None
        return "\n".join(lines)

    def call_function(self, name: str, node: cst.Call, frame: Frame) -> Value:
        """`self.loss_fn(...)`, where `compile` was given a function: a call of that function."""
        if not isinstance(node.func, cst.Name):
            node = node.with_changes(func=cst.Name(name))
        return super().call_function(name, node, frame)

    def updated_part(self, spec: ModuleSpec | None, model: str) -> str:
        found = self.own_links.get((spec.source, "optimizer"), ()) if spec is not None else ()
        places = [model + part.removeprefix("model") for part in found]
        return f"({', '.join(places)})" if len(places) > 1 else places[0] if places else model

    def link(self, optimizer: Value, models: Any) -> None:
        if isinstance(optimizer.special, OwnOptimizer):
            key = (optimizer.special.source, optimizer.special.attribute)
            self.own_links.setdefault(key, tuple(text(model.code) for model in models))
            return
        super().link(optimizer, models)


_SUPER = m.Call(func=m.Attribute(m.Call(func=m.Name("super")), m.Name("compile")))
_OF_COMPILE = frozenset({"optimizer", "loss", "metrics", "loss_weights", "weighted_metrics"})


def _code(node: cst.CSTNode) -> str:
    return cst.Module([]).code_for_node(node)


def _is_text(node: Any) -> bool:
    return isinstance(node, cst.SimpleStatementLine) and m.matches(
        node.body[0], m.Expr(m.SimpleString() | m.ConcatenatedString())
    )


def _sets(node: Any) -> str | None:
    """The attribute that a statement sets."""
    found = m.extract(
        node, m.SimpleStatementLine([m.Assign([m.AssignTarget(m.Attribute(attr=m.SaveMatchedNode(m.Name(), "name")))])])
    )
    return found["name"].value if found is not None else None  # type: ignore[union-attr]
