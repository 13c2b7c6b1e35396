"""Ordinary functions and module-level code: what they are given, where their randomness comes from."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine.handled import handled
from codemods.engine.walk import findall, names_in
from codemods.passes.frame import Frame
from codemods.passes.names import ReplaceNames, assigned_names, read_names
from codemods.passes.printing.layout import tight
from codemods.passes.training_seeds import _EQUAL, _MODULE, Seeds, _all_parameters, _has_tape
from codemods.passes.training_values import SEED, Optimizer, Tracker
from codemods.passes.values import Value, text
from codemods.policy.lookup import reason

#: Methods and attributes by which Keras's objects are known.
_LEFT = frozenset(
    {
        "apply_gradients",
        "update_state",
        "reset_states",
        "reset_state",
        "trainable_variables",
        "trainable_weights",
        "add_loss",
        "train_on_batch",
        "test_on_batch",
        "predict_on_batch",
        "fit_generator",
        "compiled_loss",
        "compiled_metrics",
        "save_weights",
        "load_weights",
        "assign_sub",
        "assign_add",
        "numpy",
        "as_list",
        "get_shape",
    }  # fmt: skip
)


_ASSIGN = m.Call(func=m.Attribute(attr=m.Name("assign")), args=[m.Arg(keyword=None), m.ZeroOrMore()])
_JITTED = handled(
    "tf.function",
    becomes="nnx.jit; arguments that are flags become static",
    only="as a decorator",
    shows="@nnx.jit",
    sample="""
    @SYMBOL
    def f(x):
        return tf.abs(x)
    """,
)
_DROPPED = handled(
    "tf.autograph.experimental.do_not_convert",
    becomes="left out",
    only="as a decorator",
    sample="""
    @SYMBOL
    def f(x):
        return tf.abs(x)
    """,
)


class Host(Seeds):
    """Functions that make no modules, in the order of the file; see `survey`."""

    def start(self) -> None:
        """State of this pass."""
        self.surveyed = self.surveying = False
        self.host_imports: dict[str, set[str]] = {}
        self.seeds: dict[str, str] = {}
        self.seeded: dict[str, str] = {}
        self.given: dict[str, dict[str, Value]] = {}
        self.captured: dict[str, list[str]] = {}
        self.globals_order: list[str] = []
        self.needy: list[int] = []
        self.module_seed = "0"
        self.at_top = False

    def survey(self) -> None:
        """Ports everything once without keeping it, to learn what functions are given and need."""
        if self.surveyed:
            return
        self.surveyed = self.surveying = True
        saved = list(self.unit.residuals), list(self.unit.notes), set(self.unit.imports)
        differences = dict(self.unit.differences)
        for _ in range(2):
            env: dict[str, Value] = {}
            for statement in self.unit.module.body:
                if not isinstance(statement, cst.ClassDef | cst.FunctionDef):
                    frame = Frame(self.unit, _MODULE, "plain", env=env)
                    self.at_top = isinstance(statement, cst.SimpleStatementLine)
                    new = [item.node for item in self.run([statement], frame).call]
                    env = frame.env
                    self.survey_statement(statement, new)
                    if self.reads_rngs(new) and id(statement) not in self.needy:
                        self.needy.append(id(statement))
            self.keep_globals(env)
            for name, node in self.unit.functions.items():
                if self.function_kind(name) == "plain":
                    self.port_body(node, name)
            for name in self.unit.classes:
                self.survey_class(name)
        self.unit.residuals[:], self.unit.notes[:], self.unit.imports = saved
        self.unit.differences = differences
        self.surveying = False

    def survey_statement(self, statement: cst.BaseStatement, new: list[Any]) -> None:
        """Keeps what a module-level statement needs."""

    def survey_class(self, name: str) -> None:
        """Methods that become functions are ported, too."""

    def keep_globals(self, env: dict[str, Value]) -> None:
        """Models, optimizers and metrics at module level are known to every function."""
        for name, value in env.items():
            if value.module is not None or isinstance(value.special, Optimizer | Tracker):
                self.unit.globals[name] = value
                if name not in self.globals_order:
                    self.globals_order.append(name)
        self.capture()

    def capture(self) -> None:
        """Jitted functions take the models and optimizers that they found at module level as arguments,
        and so do the functions that they call."""
        reads = {name: read_names(node.body) for name, node in self.unit.functions.items()}
        jitted = {name for name, node in self.unit.functions.items() if _has_tape(node) or self.is_jitted(node)}
        while True:
            called = {other for name in jitted for other in reads[name] & reads.keys()} - jitted
            if not called:
                break
            jitted |= called
        needs = {
            name: {g for g in self.globals_order if g in reads[name] - assigned_names(node.body) - _names(node.params)}
            for name, node in self.unit.functions.items() if name in jitted
        }  # fmt: skip
        for _ in needs:
            for name in needs:
                needs[name] |= set().union(*[needs[other] for other in reads[name] & needs.keys()], set())
        self.captured = {name: [g for g in self.globals_order if g in found] for name, found in needs.items() if found}

    def is_jitted(self, node: cst.FunctionDef) -> bool:
        targets = [d.decorator.func if isinstance(d.decorator, cst.Call) else d.decorator for d in node.decorators]
        return any(self.unit.symbol(target) in _JITTED for target in targets)

    # -- functions ---------------------------------------------------------------------------------

    def port_function(self, node: cst.FunctionDef, owner: str | None = None) -> list[cst.BaseStatement]:
        self.survey()
        name = node.name.value
        before, new = self.port_body(node, f"{owner}.{name}" if owner else name)
        new = self.settle_plain(new, name)
        if not before:
            return [new]
        first = self.settle_plain(before[0], name).with_changes(leading_lines=node.leading_lines)
        rest = [self.settle_plain(s, name) for s in before[1:]]
        return [first, *[_apart(s) for s in [*rest, new]]]

    def port_body(self, node: cst.FunctionDef, name: str) -> tuple[list[Any], cst.FunctionDef]:
        """Functions that it needs at module level, and the function."""
        frame = Frame(self.unit, name, "plain")
        frame.env = self.parameters_of(node, name)
        self.seeds.pop(name, None)
        body = [item.node for item in self.run(node.body.body, frame).call]  # type: ignore[arg-type]
        body, extra = self.with_randomness(node, name, self.with_host_imports(name, body), frame)
        params = self.with_parameters(node.params, name, extra)
        body = _without_leaves(body) or [cst.SimpleStatementLine([cst.Pass()])]
        body = body if body[0] is node.body.body[0] else tight(body)
        decorators = [self.decorator(d, node, name) for d in node.decorators]
        kept = [d for d in decorators if d is not None]
        self.check_left(node, body, name)
        new = node.with_changes(body=node.body.with_changes(body=body), params=params, decorators=kept)
        return self.functions_before(name, new), new

    def check_left(self, node: cst.CSTNode, body: Sequence[cst.CSTNode], name: str) -> None:
        """Methods that only Keras's objects have, in what should be ported."""
        if any(function == name for function, _ in self.unit.residuals):
            return
        pattern = m.Attribute(attr=m.MatchIfTrue(lambda attr: attr.value in _LEFT))
        for found in [attribute for statement in body for attribute in findall(statement, pattern)]:
            method = found.attr.value  # type: ignore[attr-defined]
            self.unit.residual(name, node, method, f"`{text(found)}`: of an object whose class is not known")
        for call in [c for statement in body for c in findall(statement, _ASSIGN)]:
            reason = f"`{text(call.func)}`: a variable that is not known here; in Flax `variable[...] = value`"  # type: ignore[attr-defined]
            self.unit.residual(name, node, "assign", reason)

    def with_host_imports(self, function: str, body: list[Any]) -> list[Any]:
        return body

    def functions_before(self, name: str, node: cst.FunctionDef) -> list[Any]:
        return []

    def parameters_of(self, node: cst.FunctionDef, name: str) -> dict[str, Value]:
        """What callers in this file give."""
        env: dict[str, Value] = {}
        given = self.given.get(name, {})
        for param in [*node.params.params, *node.params.kwonly_params]:
            value = given.get(param.name.value)
            env[param.name.value] = Value(param.name) if value is None else Value(
                param.name, tensor=value.tensor, module=value.module, special=value.special, layer=value.layer, staged=value.staged
            )  # fmt: skip
        return env

    def remember(self, name: str, arguments: Sequence[tuple[str | None, Value]]) -> None:
        """Keeps what a function is called with, where that is more than a number."""
        names = [p.name.value for p in self.unit.functions[name].params.params]
        known = self.given.setdefault(name, {})
        for i, (keyword, value) in enumerate(arguments):
            target = keyword or (names[i] if i < len(names) else None)
            special = value.special if dataclasses.is_dataclass(value.special) else None
            if target is None or (value.module is None and special is None):
                continue
            known.setdefault(target, dataclasses.replace(value, special=special))

    def call_plain_function(self, name: str, node: cst.Call, frame: Frame) -> Value:
        arguments = self.arguments(node, frame)
        if arguments is None:
            return self.plain_call(Value(node.func), node, frame)
        self.remember(name, arguments)
        result = self.plain_result(name, arguments, frame)
        args = [arg.with_changes(value=value.code) for arg, (_, value) in zip(node.args, arguments, strict=True)]
        args = [cst.Arg(cst.Name(n)) for n in self.captured.get(name, ())] + args
        flags = self.function_flags.get(name, set())
        if name in self.seeded:
            seed = self.seeds.get(frame.function)
            if seed is not None:
                args.append(_keyword(self.seeded[name], cst.parse_expression(seed)))
        elif "rngs" in flags:
            frame.flags.add("rngs")
            args.append(_keyword("rngs", self.with_rngs(cst.Name("rngs"), frame)))
        return dataclasses.replace(result, code=node.with_changes(args=_commas(args)))

    def arguments(self, node: cst.Call, frame: Frame) -> Any:
        """In ordinary functions `f(*xs)` may stay as it is, where `f` is the user's."""
        if frame.mode == "plain" and any(arg.star for arg in node.args) and self.unit.symbol(node.func) is None:
            return None
        return super().arguments(node, frame)

    # -- randomness --------------------------------------------------------------------------------

    def with_parameters(self, params: cst.Parameters, name: str, extra: list[cst.Param]) -> cst.Parameters:
        captured = [cst.Param(cst.Name(n)) for n in self.captured.get(name, ())]
        if captured:
            params = params.with_changes(params=[*captured, *params.params])
        if not extra:
            return params
        star: Any = params.star_arg
        if not isinstance(star, cst.Param) and not params.kwonly_params:
            star = cst.ParamStar()
        return params.with_changes(kwonly_params=[*params.kwonly_params, *extra], star_arg=star)

    # -- decorators ----------------------------------------------------------------------------------

    def decorator(self, node: cst.Decorator, function: cst.FunctionDef, name: str) -> cst.Decorator | None:
        """`@tf.function` becomes `@nnx.jit`; other decorators of the framework have no counterpart."""
        target = node.decorator.func if isinstance(node.decorator, cst.Call) else node.decorator
        symbol = self.unit.symbol(target)
        if symbol is None:
            return node
        if symbol not in _JITTED:
            if symbol not in _DROPPED:
                self.unit.residual(name, node.decorator, symbol, reason(symbol))
            return None
        self.unit.imports.add("nnx")
        static = [p.name.value for p in _all_parameters(function.params) if _is_static(p)]
        if static:
            names = ", ".join(f'"{n}"' for n in static)
            listed = names if len(static) == 1 else f"({names})"
            return node.with_changes(decorator=cst.parse_expression(f"nnx.jit(static_argnames={listed})"))
        return node.with_changes(decorator=cst.parse_expression("nnx.jit"))

    # -- module level ----------------------------------------------------------------------------------

    def port_statement(self, statement: cst.BaseStatement) -> list[cst.BaseStatement]:
        """A statement at module level."""
        self.survey()
        statement = self.as_other_name(statement)
        frame = Frame(self.unit, _MODULE, "plain")
        frame.env = dict(self.unit.globals) if isinstance(statement, cst.If) else {}
        self.at_top = isinstance(statement, cst.SimpleStatementLine)
        self.host_imports.pop(_MODULE, None)
        new = [item.node for item in self.run([statement], frame).call]
        new = self.module_imports(new, statement)
        seed = {SEED: cst.parse_expression(self.seeds.get(_MODULE, self.module_seed))}
        new = [node.visit(ReplaceNames(seed)) for node in self.module_randomness(new, statement)]
        return [self.settle_plain(node, _MODULE) for node in new]

    def module_imports(self, new: list[Any], statement: cst.BaseStatement) -> list[Any]:
        """Imports for the data: in the script's block, or where a script loads it."""
        if len(new) == 1 and isinstance(new[0], cst.If):
            body = self.with_host_imports(_MODULE, list(new[0].body.body))
            return [new[0].with_changes(body=new[0].body.with_changes(body=body))]
        if self.host_imports.get(_MODULE):
            self.unit.residual(
                _MODULE,
                statement,
                "tf.keras.datasets",
                "data that is loaded when the module is imported: load it in a function",
            )
        return new


def _without_leaves(body: list[Any]) -> list[Any]:
    """Drops `variables = model.trainable_variables` where nothing reads the list any more."""
    reads = set().union(*[read_names(s) for s in body], set())
    unread = _Unread(reads)
    return [
        new
        for s in body
        if isinstance(new := s.visit(unread) if names_in(s) >= {"jax", "nnx"} else s, cst.BaseStatement)
    ]


class _Unread(cst.CSTTransformer):
    def __init__(self, reads: set[str]):
        self.reads = reads

    def leave_SimpleStatementLine(self, original_node: Any, updated_node: Any) -> Any:
        small = updated_node.body[0]
        if (
            isinstance(small, cst.Assign)
            and isinstance(small.targets[0].target, cst.Name)
            and len(updated_node.body) == 1
        ):
            leaves = text(small.value).startswith("jax.tree.leaves(nnx.state(")
            if leaves and small.targets[0].target.value not in self.reads:
                return cst.RemoveFromParent()
        return updated_node


def _apart(statement: Any) -> Any:
    lines = [line for line in statement.leading_lines if line.comment is not None]
    return statement.with_changes(leading_lines=[cst.EmptyLine(indent=False), cst.EmptyLine(indent=False), *lines])


def _names(params: cst.Parameters) -> set[str]:
    return {p.name.value for p in _all_parameters(params)}


def _is_static(param: cst.Param) -> bool:
    """A parameter that branches are taken on."""
    default = param.default
    if isinstance(default, cst.SimpleString) or (isinstance(default, cst.Name) and default.value in ("True", "False")):
        return True
    return param.name.value in ("training", "is_training")


def _keyword(name: str, value: cst.BaseExpression) -> cst.Arg:
    return cst.Arg(value, keyword=cst.Name(name), equal=_EQUAL)


def _commas(args: list[cst.Arg]) -> list[cst.Arg]:
    """Arguments in one line, as they are printed before a formatter sees them."""
    return [arg.with_changes(comma=cst.MaybeSentinel.DEFAULT) for arg in args]


__all__ = ["Host"]
