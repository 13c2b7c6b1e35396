"""Calls of methods: of tensors, lists, losses, models under construction."""

from __future__ import annotations

import dataclasses
import math

import libcst as cst

from codemods.engine import rule as rules
from codemods.passes.calls.inputs import Argument
from codemods.passes.expressions.width_lists import Widths
from codemods.passes.frame import Frame
from codemods.passes.models.functional import Builders
from codemods.passes.models.variables import Variables
from codemods.passes.modules import Chain
from codemods.passes.names import ReplaceNames
from codemods.passes.pieces import EQUAL
from codemods.passes.values import UNKNOWN, TensorType, Value, text

#: Names of tensor methods that nothing else is likely to have.
_DISTINCT = frozenset(
    {"numpy", "get_shape", "as_list", "set_shape", "assign", "assign_add", "assign_sub", "with_values"}
)


class Methods(Variables, Builders):
    """Method calls."""

    def call_method(self, callee: Value, node: cst.Call, frame: Frame) -> Value:
        _, base, name = callee.special
        if isinstance(base.special, Chain):
            return self.call_chain_method(base.special, name, node, frame)
        if base.layer is not None and base.layer.rule.kind == "loss" and name in ("__call__", "call"):
            return self.call_layer(base, self.arguments(node, frame), node, frame)
        if base.shape_of is not None and name in ("as_list", "num_elements", "ndims"):
            if name == "num_elements" and isinstance(base.code, cst.Tuple):
                self.unit.imports.add("math")
                code = cst.Call(cst.parse_expression("math.prod"), [cst.Arg(base.code)])
                return Value(code, dim=math.prod(base.shape_of.shape or ()), sure=True)
            return base if name == "as_list" else Value(callee.code)
        if base.module is not None:
            return self.call_module_method(base, name, node, frame)
        if base.special == "variable" and name in ("assign", "assign_add", "assign_sub"):
            return self.assign_variable(base, name, node, frame)
        if base.special == "variable" and name in ("read_value", "value") and not node.args:
            return base
        if name == "numpy" and base.special == "constant_tensor" and not node.args:
            return self.in_numpy(base, frame)
        if name in rules.METHODS and (base.tensor is not None or name in _DISTINCT):
            arguments = self.arguments(node, frame)
            if arguments is None:
                return Value(node)
            receiver: list[Argument] = [(None, base)]
            return self.apply_rule(rules.METHODS[name], name, [*receiver, *arguments], node, frame)
        if (
            isinstance(base.special, tuple)
            and base.special[0] == "layers"
            and name in ("append", "extend")
            and frame.mode == "init"
        ):
            return self.keep_in_list(base, name, node, frame)
        if base.mapping is not None or base.items is not None or base.item is not None:
            handled = self.call_container(base, name, node, callee, frame)
            if handled is not None:
                return handled
        value = self.plain_call(callee, node, frame)
        if base.tensor is not None and value.tensor is None:
            value = dataclasses.replace(value, tensor=TensorType(), staged=True)
        return value

    def in_numpy(self, base: Value, frame: Frame) -> Value:
        """`tf.reduce_prod(shape).numpy()` of configuration: computed by numpy, which knows the same functions."""
        code = base.code.visit(ReplaceNames({"jnp": cst.Name("np")}))
        self.unit.imports.add("np")
        assert isinstance(code, cst.BaseExpression)
        dim = frame.spec.symbols.of_code(text(code)) if frame.spec is not None else None
        return Value(code, dim=dim)

    def call_container(self, base: Value, name: str, node: cst.Call, callee: Value, frame: Frame) -> Value | None:
        """Lists and dicts whose elements are followed."""
        values = [self.eval(arg.value, frame) for arg in node.args]  # type: ignore[attr-defined]
        args = [arg.with_changes(value=value.code) for arg, value in zip(node.args, values, strict=True)]
        code = node.with_changes(func=callee.code, args=args)
        target = _root_name(node.func)
        if name == "pop" and isinstance(base.special, Widths) and frame.mode == "staged":
            return self.pop_width(base, node, code, frame)
        if name == "append" and len(values) == 1:
            self.append_width(base, values[0], frame)
            if base.items is not None and base.items is not UNKNOWN and target in frame.env:
                new = dataclasses.replace(base, items=[*base.items, values[0]], known=UNKNOWN)
                frame.env[target] = new
            return Value(code, staged=any(v.is_tensor for v in values) or base.is_tensor)
        if name == "update" and len(values) == 1 and base.mapping is not None and values[0].mapping is not None:
            new = dataclasses.replace(base, mapping={**base.mapping, **values[0].mapping})
            if target in frame.env:
                frame.env[target] = new
            if self.only_inputs(new):
                return Value(code, special="dropped")
            return Value(code, staged=new.is_tensor)
        if base.mapping is not None and name in ("items", "values", "keys"):
            pairs = []
            for key, value in base.mapping.items():
                at = self.of_known(key)
                pairs.append({"items": Value(code, items=[at, value]), "values": value, "keys": at}[name])
            return Value(code, items=pairs)
        if base.mapping is not None and name in ("pop", "get") and values and values[0].known in base.mapping:
            return base.mapping[values[0].known].with_code(code)
        return None

    def keep_in_list(self, base: Value, name: str, node: cst.Call, frame: Frame) -> Value:
        """`self.blocks.append(layer)`: the layer is kept in that list."""
        values = [self.eval(arg.value, frame) for arg in node.args]  # type: ignore[attr-defined]
        args = [arg.with_changes(value=value.code) for arg, value in zip(node.args, values, strict=True)]
        assert isinstance(node.func, cst.Attribute) and frame.spec is not None
        code = node.with_changes(func=node.func.with_changes(value=base.code), args=args)
        attribute = base.special[1]
        if name == "extend" or not values or not self.is_unplaced(values[0]):
            if values and (values[0].has_layers or name == "extend"):
                frame.unit.residual(
                    frame.function, node, f"self.{attribute}", "layers added to a list in a way that is not followed"
                )
            return Value(code)
        kept = self.read_container(values[0], cst.Subscript(base.code, [cst.SubscriptElement(cst.Index(cst.Name("_")))]),
                                   (attribute, "*"))  # fmt: skip
        held = base.special[2]
        if not any(x.layer is kept.layer and x.module is kept.module for x in held):
            held.append(kept)
        frame.spec.lists.add(attribute)
        found = frame.spec.attributes[attribute]
        found.item = held[0]
        return Value(code)

    def call_module_method(self, base: Value, name: str, node: cst.Call, frame: Frame) -> Value:
        """`model.encode(x)` on an instance of a ported module."""
        assert base.module is not None
        spec = base.module.spec
        if name == "add" and id(spec.node) in self.added:
            return Value(node, special="dropped")  # one of the layers that the Sequential is made of
        if spec.kind == "class" and self.method_node(spec, name) is not None:
            arguments = self.arguments(node, frame)
            if arguments is None:
                return Value(node)
            base = self.place(base, frame)
            self.enter_module(base.module, [], node, frame) if not spec.analysed else None  # type: ignore[arg-type]
            args = [arg.with_changes(value=value.code) for arg, (_, value) in zip(node.args, arguments, strict=True)]
            if (spec.source, name) in self.mode_methods and not any(k == "training" for k, _ in arguments):
                args.append(
                    cst.Arg(self.training_argument(None, frame).code, keyword=cst.Name("training"), equal=EQUAL)
                )
            func = node.func.with_changes(value=base.code) if isinstance(node.func, cst.Attribute) else node.func
            inner = self.method_frames.get((spec.source, name))
            code = node.with_changes(func=func, args=args)
            result = self.joined(inner) if inner is not None else None
            if result is None:
                return Value(code, staged=True, tensor=TensorType())
            return self.translate(result, base.module, {}, frame).with_code(code)
        if name in ("summary", "build"):
            frame.unit.note(node, f"`{text(node)}` left out: it only describes the Keras model")
            return Value(node, special="dropped")
        frame.unit.residual(frame.function, node, f"Model.{name}", f"`.{name}` of a ported model")
        for arg in node.args:
            self.eval(arg.value, frame)  # type: ignore[attr-defined]
        return Value(node)


def _root_name(node: cst.BaseExpression) -> str | None:
    while isinstance(node, cst.Attribute):
        node = node.value
    return node.value if isinstance(node, cst.Name) else None
