"""Optimizers of hand-written steps: which model each belongs to, and the updates they make."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.passes.frame import Frame
from codemods.passes.placing.staging import Item, Staged
from codemods.passes.training_fit import Fitting
from codemods.passes.training_values import Gradients, Optimizer, OwnOptimizer, Parameters
from codemods.passes.values import TensorType, Value, text


@dataclasses.dataclass(frozen=True)
class Link:
    """The models that an optimizer updates: instances, or None and its code for one of which that is not known."""

    models: tuple[tuple[Any, str], ...]


class Optimizers(Fitting):
    """`optimizer.apply_gradients` and updates written by hand."""

    def start(self) -> None:
        super().start()
        self.links: dict[int, Link] = {}
        self.waiting: dict[str, list[tuple[str, cst.SimpleStatementLine, Value]]] = {}

    # -- making ------------------------------------------------------------------------------------

    def _small_Assign(self, node: cst.Assign, frame: Frame) -> tuple[list[Any], bool]:
        items, config = super()._small_Assign(node, frame)
        target = node.targets[0].target
        if frame.mode == "plain" and isinstance(target, cst.Tuple) and len(items) == 1:
            return [_in_pairs(items[0])], config
        if frame.mode != "plain" or not isinstance(target, cst.Name) or len(items) != 1:
            return items, config
        value = frame.env.get(target.value)
        if value is None:
            return items, config
        if (
            isinstance(value.special, Optimizer)
            and isinstance(node.value, cst.Call)
            and value.special.site in self.links
        ):
            model = self.model_here(self.links[value.special.site], frame)
            if model is None:
                lines = self.line.leading_lines if self.line is not None else []
                kept = cst.SimpleStatementLine([items[0]], leading_lines=lines)
                self.waiting.setdefault(frame.function, []).append((target.value, kept, value))
                return [], config
            return [items[0].with_changes(value=self.nnx_optimizer(model, items[0].value))], config
        waiting = self.waiting.get(frame.function, [])
        for entry in list(waiting):
            name, line, optimizer = entry
            model = self.model_here(self.links[optimizer.special.site], frame)
            if model is not None:
                waiting.remove(entry)
                assign = line.body[0]
                assert isinstance(assign, cst.Assign)
                new = line.with_changes(body=[assign.with_changes(value=self.nnx_optimizer(model, assign.value))])
                items.append(new)
        return items, config

    def nnx_optimizer(self, model: str, transformation: cst.BaseExpression) -> cst.BaseExpression:
        self.unit.imports |= {"nnx", "optax"}
        return cst.parse_expression(f"nnx.Optimizer({model}, {text(transformation)}, wrt=nnx.Param)")

    def model_here(self, link: Link, frame: Frame) -> str | None:
        """The models' names in a function; several are a tuple."""
        names = [self.one_model_here(instance, code, frame) for instance, code in link.models]
        known = [name for name in names if name is not None]
        if len(known) < len(names):
            return None
        return known[0] if len(known) == 1 else f"({', '.join(known)})"

    def one_model_here(self, instance: Any, code: str, frame: Frame) -> str | None:
        for env in (frame.env, self.unit.globals):
            for name, value in env.items():
                if instance is not None and value.module is instance:
                    return name
        if code.split(".")[0] in frame.env and (instance is None or "." in code):
            return code
        same = frame.env.get(code)
        if same is not None and same.module is not None and instance is not None and same.module.spec is instance.spec:
            return code
        return None

    def port_body(self, node: cst.FunctionDef, name: str) -> tuple[list[Any], cst.FunctionDef]:
        self.waiting.pop(name, None)
        result = super().port_body(node, name)
        for variable, line, _ in self.waiting.pop(name, []):
            reason = (
                "the model that this optimizer updates is not known in this function: make it where the model is made"
            )
            if not self.surveying:
                self.unit.residual(name, line.body[0], variable, reason)
        return result

    def link(self, optimizer: Value, models: Sequence[Value]) -> None:
        if isinstance(optimizer.special, Optimizer):
            link = Link(tuple((model.module, text(model.code)) for model in models))
            self.links.setdefault(optimizer.special.site, link)

    # -- which model -------------------------------------------------------------------------------

    def models_of(self, node: cst.BaseExpression, frame: Frame) -> list[Value] | None:
        """The models whose trainable variables an expression lists."""
        if isinstance(node, cst.Name):
            value = frame.env.get(node.value)
            if value is not None and isinstance(value.special, Parameters):
                if not value.special.models:
                    return None
                return [self.eval(cst.parse_expression(code), frame) for code in value.special.models]
            return None
        if isinstance(node, cst.List | cst.Tuple) and node.elements:
            parts = [
                self.models_of(e.value, frame) if isinstance(e, cst.StarredElement) else None for e in node.elements
            ]
            return None if any(part is None for part in parts) else [m for part in parts for m in part or ()]
        if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Add):
            left, right = self.models_of(node.left, frame), self.models_of(node.right, frame)
            return None if left is None or right is None else [*left, *right]
        if isinstance(node, cst.Attribute) and node.attr.value in (
            "trainable_variables",
            "trainable_weights",
            "variables",
        ):
            return [self.eval(node.value, frame)]
        return None

    def _eval_BinaryOperation(self, node: cst.BinaryOperation, frame: Frame) -> Value:
        """`a.trainable_variables + b.trainable_variables`: those of both."""
        value = super()._eval_BinaryOperation(node, frame)
        models = self.models_of(node, frame) if frame.mode == "plain" and isinstance(node.operator, cst.Add) else None
        if not models:
            return value
        return dataclasses.replace(value, special=Parameters(tuple(text(model.code) for model in models)))

    # -- updating ----------------------------------------------------------------------------------

    def call_method(self, callee: Value, node: cst.Call, frame: Frame) -> Value:
        name = callee.special[2]
        if name in ("apply_gradients", "apply") and frame.mode == "plain" and node.args:
            base = callee.special[1]
            if name == "apply_gradients" or isinstance(base.special, Optimizer | OwnOptimizer):
                return self.apply_gradients(base, node, frame)
        if name == "minimize" and isinstance(callee.special[1].special, Optimizer):
            frame.unit.residual(frame.function, node, "Optimizer.minimize", "write the step with a GradientTape")
            return Value(node)
        return super().call_method(callee, node, frame)

    def apply_gradients(self, optimizer: Value, node: cst.Call, frame: Frame) -> Value:
        """`optimizer.update(model, grads)`."""
        pairs = node.args[0].value
        gradients: Value | None = None
        models: list[Value] | None = None
        if (
            isinstance(pairs, cst.Call)
            and isinstance(pairs.func, cst.Name)
            and pairs.func.value == "zip"
            and len(pairs.args) == 2
        ):
            gradients = self.eval(pairs.args[0].value, frame)
            models = self.models_of(pairs.args[1].value, frame)
        elif len(node.args) == 2 and node.args[1].keyword is None:
            gradients = self.eval(pairs, frame)
            models = self.models_of(node.args[1].value, frame)
        elif len(node.args) == 1 and not isinstance(pairs, cst.Call):
            gradients = self.eval(pairs, frame)
            if isinstance(gradients.special, Gradients):
                models = [self.eval(cst.parse_expression(code), frame) for code in gradients.special.models]
        if gradients is None or not models or not isinstance(gradients.special, Gradients):
            reason = "gradients other than those of models' trainable variables"
            frame.unit.residual(frame.function, node, "Optimizer.apply_gradients", reason)
            return Value(node)
        names = [text(model.code) for model in models]
        if tuple(names) != gradients.special.models:
            reason = f"gradients of {', '.join(gradients.special.models)}, applied to {', '.join(names)}"
            frame.unit.residual(frame.function, node, "Optimizer.apply_gradients", reason)
            return Value(node)
        self.link(optimizer, models)
        updated = names[0] if len(names) == 1 else f"({', '.join(names)})"
        return Value(cst.parse_expression(f"{text(optimizer.code)}.update({updated}, {text(gradients.code)})"))

    def call_symbol(self, symbol: str, node: cst.Call, frame: Frame) -> Value:
        value = super().call_symbol(symbol, node, frame)
        if symbol == "tf.clip_by_global_norm" and node.args and isinstance(value.code, cst.Tuple):
            given = self.eval(node.args[0].value, frame)
            if isinstance(given.special, Gradients):
                clipped, norm = (Value(e.value, staged=True) for e in value.code.elements)
                items = [
                    dataclasses.replace(clipped, special=given.special),
                    dataclasses.replace(norm, tensor=TensorType(())),
                ]
                return Value(value.code, items=items, staged=True)
        return value

    def _eval_ListComp(self, node: cst.ListComp, frame: Frame) -> Value:
        """`[clip(g) for g in grads]`: over the structure that the gradients have now."""
        source = self.eval(node.for_in.iter, frame) if frame.mode == "plain" else None
        simple = node.for_in.inner_for_in is None and not node.for_in.ifs and isinstance(node.for_in.target, cst.Name)
        if source is None or not isinstance(source.special, Gradients) or not simple:
            return super()._eval_ListComp(node, frame)
        assert isinstance(node.for_in.target, cst.Name)
        inner = frame.child(env=dict(frame.env))
        inner.env[node.for_in.target.value] = Value(node.for_in.target, tensor=TensorType())
        element = self.eval(node.elt, inner)
        self.unit.imports.add("jax")
        code = cst.parse_expression(
            f"jax.tree.map(lambda {node.for_in.target.value}: {text(element.code)}, {text(source.code)})"
        )
        return Value(code, special=source.special, staged=True)

    # -- updates by hand ---------------------------------------------------------------------------

    def _exec_For(self, node: cst.For, frame: Frame) -> Any:
        new = self.manual_update(node, frame) if frame.mode == "plain" else None
        if new is None:
            return super()._exec_For(node, frame)
        return Staged(call=[Item(new)])

    def manual_update(self, node: cst.For, frame: Frame) -> cst.BaseStatement | None:
        """`for v, g in zip(variables, gradients): v.assign_sub(rate * g)`."""
        found = m.extract(
            node,
            m.For(
                target=m.Tuple([m.Element(m.SaveMatchedNode(m.Name(), "a")), m.Element(m.SaveMatchedNode(m.Name(), "b"))]),
                iter=m.Call(m.Name("zip"), [m.Arg(m.SaveMatchedNode(m.DoNotCare(), "first")),
                                            m.Arg(m.SaveMatchedNode(m.DoNotCare(), "second"))]),
                body=m.IndentedBlock([m.SimpleStatementLine([m.Expr(m.SaveMatchedNode(m.Call(
                    func=m.Attribute(m.Name(), m.Name("assign") | m.Name("assign_sub") | m.Name("assign_add"))), "call"))])]),
            ),
        )  # fmt: skip
        if found is None:
            return None
        call: Any = found["call"]
        first, second = self.models_of(found["first"], frame), self.models_of(found["second"], frame)  # type: ignore[arg-type]
        models = first or second
        gradients = self.eval(found["second"] if first else found["first"], frame)  # type: ignore[arg-type]
        names = [found["a"].value, found["b"].value]  # type: ignore[union-attr]
        variable = names[0] if first else names[1]
        if (
            models is None
            or len(models) != 1
            or not isinstance(gradients.special, Gradients)
            or call.func.value.value != variable
        ):
            return None
        inner = frame.child(env=dict(frame.env))
        for name in names:
            inner.env[name] = Value(cst.Name(name), tensor=TensorType())
        delta = self.eval(call.args[0].value, inner)
        operator = {"assign": "", "assign_sub": f"{variable} - ", "assign_add": f"{variable} + "}[call.func.attr.value]
        change = text(delta.code)
        if (
            operator.endswith("- ")
            and isinstance(delta.code, cst.BinaryOperation)
            and not isinstance(delta.code.operator, cst.Multiply)
        ):
            change = f"({change})"
        model = text(models[0].code)
        values = [f"nnx.state({model}, nnx.Param)", text(gradients.code)]
        values = values if first else values[::-1]
        code = f"nnx.update({model}, jax.tree.map(lambda {', '.join(names)}: {operator}{change}, {', '.join(values)}))"
        self.unit.imports |= {"jax", "nnx"}
        return cst.parse_statement(code).with_changes(leading_lines=node.leading_lines)


def _in_pairs(node: cst.Assign) -> cst.Assign:
    """`a, _ = (x, y)` to `a = x`, and no parentheses around what is given to several names."""
    target, value = node.targets[0].target, node.value
    if len(node.targets) > 1 or not isinstance(target, cst.Tuple) or not isinstance(value, cst.Tuple):
        return node
    if len(target.elements) == 2 and len(value.elements) == 2 and text(target.elements[1].value) == "_":
        return cst.Assign([cst.AssignTarget(target.elements[0].value)], value.elements[0].value)  # type: ignore[arg-type]
    return node.with_changes(value=value.with_changes(lpar=[], rpar=[]))
