"""Terms of the training loss that the model brings: penalties on weights, and what `self.add_loss` adds.

A weight carries its penalty in its metadata (`penalties.py`), a layer keeps what it adds in an `nnx.Intermediate`;
the file gets functions for their sums, and every loss that Keras would add them to calls these.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import libcst as cst
import libcst.matchers as m
from flax import nnx

from codemods.engine.walk import findall
from codemods.mappings.keras_regularizers import penalties
from codemods.passes.calls.inputs import Argument
from codemods.passes.frame import Frame
from codemods.passes.modules import ModuleInstance, ModuleSpec
from codemods.passes.training_models import Models
from codemods.passes.training_values import Model
from codemods.passes.values import TensorType, Value, text

_SUMS = frozenset({"tf.add_n", "tf.math.add_n", "tf.reduce_sum", "tf.math.reduce_sum", "sum"})
_ADD_LOSS = m.Call(func=m.Attribute(m.Name(), m.Name("add_loss")))


def added_losses(model):
    """The sum of what layers have added to the loss in the last call of the model."""
    terms = jax.tree.leaves(nnx.state(model, nnx.Intermediate))
    return sum(jnp.sum(term) for term in terms)


class LossTerms(Models):
    """`self.add_loss` in modules, `model.losses` in steps."""

    def start(self) -> None:
        super().start()
        self.adding: dict[str, dict[int, str]] = {}
        self.adding_calls: dict[int, set[int]] = {}

    # -- what a model brings -------------------------------------------------------------------------

    def added_terms(self, spec: ModuleSpec | None, model: str) -> list[str]:
        """Calls for what layers add; for a model whose class is not known, if any module of the file adds something."""
        specs = [spec] if spec is not None else [s for s in self.unit.specs.values() if s.analysed]
        if not any(self.adds_losses(s, set()) for s in specs):
            return []
        self.unit.helpers["added_losses"] = added_losses
        self.unit.imports |= {"jax", "jnp", "nnx"}
        return [f"added_losses({model})"]

    def loss_terms(self, spec: ModuleSpec | None, model: str) -> list[str]:
        """Calls for all that a model brings: penalties on its weights, and what its layers add."""
        carried = [f"penalties({model})"] if penalties.__name__ in self.unit.helpers else []
        return [*carried, *self.added_terms(spec, model)]

    def with_loss_terms(self, code: str, spec: ModuleSpec | None) -> str:
        """A batch's loss, as Keras takes it: that of `compile`, and what the model brings."""
        return " + ".join([code, *self.loss_terms(spec, "model")])

    def parts_of(self, spec: ModuleSpec) -> list[ModuleSpec]:
        """Modules that a module holds."""
        held = [v.module for v in spec.attributes.values() if v.module is not None]
        held += [v.module for v in self.module_parameters.get(spec.source, {}).values() if v.module is not None]
        given = [v.module for i in spec.modules for _, v in i.arguments if v.module is not None]
        bases = [self.unit.specs[b] for b in self.user_bases(spec) if b in self.unit.specs]
        return [*[i.spec for i in [*spec.modules, *held, *given]], *bases]

    def user_bases(self, spec: ModuleSpec) -> list[str]:
        if not isinstance(spec.node, cst.ClassDef):
            return []
        return [
            b.value.value
            for b in spec.node.bases
            if isinstance(b.value, cst.Name) and b.value.value in self.unit.classes
        ]

    def adds_losses(self, spec: ModuleSpec, seen: set[int]) -> bool:
        if id(spec) in seen:
            return False
        seen.add(id(spec))
        return spec.source in self.adding or any(self.adds_losses(s, seen) for s in self.parts_of(spec))

    # -- reading them --------------------------------------------------------------------------------

    def attribute(self, base: Value, node: cst.Attribute, frame: Frame) -> Value:
        is_model = base.module is not None or isinstance(base.special, Model)
        if node.attr.value == "losses" and is_model and frame.mode == "plain":
            calls = self.loss_terms(base.module.spec if base.module is not None else None, text(base.code))
            terms = [Value(cst.parse_expression(c), tensor=TensorType((), "float32")) for c in calls]
            return Value(cst.List([cst.Element(t.code) for t in terms]), items=terms, staged=True)
        return super().attribute(base, node, frame)

    def _eval_Call(self, node: cst.Call, frame: Frame) -> Value:
        """`sum(model.losses)`: the terms of the list in one sum."""
        given = node.args[0].value if len(node.args) == 1 and not node.args[0].star else None
        name = node.func.value if isinstance(node.func, cst.Name) else None
        listed = isinstance(given, cst.Attribute) and given.attr.value == "losses"
        if given is not None and listed and frame.mode == "plain" and (self.unit.symbol(node.func) or name) in _SUMS:
            value = self.eval(given, frame)
            if value.items is not None and isinstance(value.code, cst.List):
                code = " + ".join(text(item.code) for item in value.items) or "0.0"
                return Value(cst.parse_expression(code), tensor=TensorType((), "float32"))
        return super()._eval_Call(node, frame)

    # -- adding them ---------------------------------------------------------------------------------

    def self_attribute(self, name: str, code: cst.BaseExpression, node: cst.Attribute, frame: Frame) -> Value:
        if name == "add_loss" and frame.mode == "call" and frame.spec is not None:
            if self.method_node(frame.spec, name) is None:
                return Value(code, special=("self_method", name))
        return super().self_attribute(name, code, node, frame)

    def run_method(self, spec: ModuleSpec, node: cst.FunctionDef, *args: Any, **kwargs: Any) -> Frame:
        """A method that adds a loss in a branch or a loop starts from none."""
        nested = [
            c for s in node.body.body if not isinstance(s, cst.SimpleStatementLine) for c in findall(s, _ADD_LOSS)
        ]
        frame = super().run_method(spec, node, *args, **kwargs)
        names = [n for c in nested if (n := self.adding.get(spec.source, {}).get(id(c))) is not None]
        if names and frame.self_name is not None:
            lines = [cst.parse_statement(f"{frame.self_name}.{n}[...] = 0.0") for n in dict.fromkeys(names)]
            method = spec.methods[node.name.value]
            at = 1 if method.get_docstring() is not None else 0
            body = list(method.body.body)
            spec.methods[node.name.value] = method.with_changes(
                body=method.body.with_changes(body=[*body[:at], *lines, *body[at:]])
            )
        return frame

    def keras_method(self, name: str, node: cst.Call, frame: Frame) -> Value:
        if name != "add_loss" or frame.mode != "call" or len(node.args) != 1 or frame.spec is None:
            return super().keras_method(name, node, frame)
        value = self.read_variable(self.eval(node.args[0].value, frame))
        if not value.is_tensor:
            frame.unit.residual(
                frame.function, node, "self.add_loss", "a loss that is a function: call it, and add its value"
            )
            return Value(node)
        own = self.unit.functions.get(frame.function) or self.method_node(frame.spec, frame.function.split(".")[-1])
        attribute = self.loss_attribute(node, frame)
        scalar = value.tensor is not None and value.tensor.shape == ()
        self.unit.imports |= {"jnp", "nnx"}
        code = text(value.code) if scalar else f"jnp.sum({text(value.code)})"
        nested = own is not None and not any(_is_line_of(s, node) for s in own.body.body)
        statement = cst.parse_statement(f"{frame.self_name}.{attribute}[...] {'+=' if nested else '='} {code}")
        assert isinstance(statement, cst.SimpleStatementLine)
        return Value(node, special=("statements", [statement.body[0]]), staged=True)

    def loss_attribute(self, node: cst.Call, frame: Frame) -> str:
        """Where the module keeps a loss that it adds; made in the constructor."""
        assert frame.spec is not None
        known = self.adding.setdefault(frame.spec.source, {})
        if id(node) in known:
            return known[id(node)]
        given = node.args[0].value
        base = given.value if isinstance(given, cst.Name) and given.value not in frame.spec.attributes else "added_loss"
        name, i = base, 2
        while name in known.values() or name in frame.spec.attributes or self.method_node(frame.spec, name) is not None:
            name, i = f"{base}{i}", i + 1
        known[id(node)] = name
        frame.spec.attributes[name] = Value(cst.parse_expression(f"self.{name}"), special="variable")
        frame.extra.append(cst.parse_statement(f"self.{name} = nnx.Intermediate(jnp.zeros(()))"))
        return name

    def call_module(self, callee: Value, arguments: Any, node: cst.Call, frame: Frame) -> Value:
        value = super().call_module(callee, arguments, node, frame)
        if callee.module is not None and frame.emit and frame.spec is not None and frame.mode in ("call", "staged"):
            self.called_once(callee.module, node, frame)
        return value

    def called_once(self, instance: ModuleInstance, node: cst.Call, frame: Frame) -> None:
        """A module keeps the loss of its last call: one that is called twice for a batch would lose the first."""
        if not self.adds_losses(instance.spec, set()):
            return
        calls = self.adding_calls.setdefault(id(instance), set())
        calls.add(id(node))
        if len(calls) > 1:
            reason = (
                "called several times for one batch, and adds a loss each time: return the loss from its call instead"
            )
            frame.unit.residual(frame.function, node, f"{instance.spec.source}.add_loss", reason)

    # -- weights -------------------------------------------------------------------------------------

    def make_weight(self, arguments: list[Argument], node: cst.Call, frame: Frame) -> Value:
        """`add_weight(regularizer=...)`: the weight carries its penalty."""
        given = next((value for name, value in arguments if name == "regularizer"), None)
        made = super().make_weight([a for a in arguments if a[0] != "regularizer"], node, frame)
        if given is None or given.known is None or not isinstance(made.code, cst.Call):
            return made
        if isinstance(given.known, str):
            by_name = cst.Call(cst.Name("get"), [cst.Arg(given.code)])
            given = self.call_symbol("tf.keras.regularizers.get", by_name, frame)
        self.unit.helpers[penalties.__name__] = penalties
        self.unit.imports |= {"jax", "jnp", "nnx"}
        penalty = cst.Arg(given.code, keyword=cst.Name("penalty"), equal=_EQUAL)
        return made.with_code(made.code.with_changes(args=[*made.code.args, penalty]))


_EQUAL = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))


def _is_line_of(statement: cst.BaseStatement, call: cst.Call) -> bool:
    """Is a call a statement of its own here, not within a branch or a loop?"""
    return isinstance(statement, cst.SimpleStatementLine) and any(
        isinstance(s, cst.Expr) and s.value is call for s in statement.body
    )
