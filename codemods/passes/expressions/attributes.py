"""Attributes: of modules, of tensors, and the sizes in their shapes."""

from __future__ import annotations

from typing import Any

import libcst as cst

from codemods.engine import rule as rules
from codemods.passes.calls.binding import symbols_of
from codemods.passes.constants import class_constants
from codemods.passes.frame import Frame
from codemods.passes.modules import Chain
from codemods.passes.values import UNKNOWN, NamedInt, TensorType, Value, literal, text


class Attributes:
    """Evaluation of `a.b`, and of sizes read from shapes."""

    def _eval_Attribute(self, node: cst.Attribute, frame: Frame) -> Value:
        symbol = self.unit.symbol(node)
        if symbol is not None:
            return Value(node, symbol=symbol)
        base = self.eval_raw(node.value, frame)
        base = self.materialise(base, node.value, frame)
        return self.attribute(base, node, frame)

    def attribute(self, base: Value, node: cst.Attribute, frame: Frame) -> Value:
        name = node.attr.value
        code = node.with_changes(value=base.code)
        if base.special == "self" and frame.spec is not None:
            found = frame.spec.attributes.get(name)
            if found is not None:
                if frame.as_init and found.dim is not None:
                    return found.with_code(code)
                return found.with_code(code)
            return self.self_attribute(name, code, node, frame)
        if base.module is not None:
            found = base.module.spec.attributes.get(name)
            if found is not None:
                return self.foreign(found, base.module).with_code(code)
        if isinstance(base.special, Chain) and name in ("output_shape", "input_shape"):
            tensor = frame.env[base.special.variable].tensor
            if tensor is not None and tensor.shape is not None:
                return Value(
                    code,
                    known=(None, *tensor.shape[1:]) if all(isinstance(d, int) for d in tensor.shape[1:]) else UNKNOWN,
                )
        if base.tensor is not None or (base.code is not node.value and name in ("shape",)):
            return self.tensor_attribute(base, name, code, node, frame)
        if base.mapping is not None or base.items is not None:
            return Value(code, special=("method", base, name))
        known, dim = self.configured(base, node, frame)
        return Value(code, known=known, dim=dim, special=("method", base, name), staged=base.is_tensor)

    def configured(self, base: Value, node: cst.Attribute, frame: Frame) -> tuple[Any, Any]:
        """`config.width`, where `config` is a parameter of the constructor or means the same everywhere in the file:
        its value, where that is known, and a size that has this code."""
        if base.is_tensor or base.has_layers or base.items is not None or base.known is not UNKNOWN:
            return UNKNOWN, None
        symbols = symbols_of(frame, self.plain_symbols)
        name, owner = node.attr.value, node.value
        if isinstance(owner, cst.Name) and owner.value in self.unit.lasting and owner.value not in frame.env:
            code = text(node)
            made = self.unit.classes.get(owner.value)
            constant = class_constants(made, self.unit.module).get(name) if made is not None else None
            if isinstance(constant, cst.Integer):
                return constant.evaluated_value, NamedInt(constant.evaluated_value, code)
            return UNKNOWN, symbols.of_code(code) if constant is None else None
        holder = symbols.code(base.dim) if base.dim is not None and not isinstance(base.dim, int) else None
        if holder is None or not isinstance(cst.parse_expression(holder), cst.Name | cst.Attribute):
            return UNKNOWN, None
        return UNKNOWN, symbols.of_code(f"{holder}.{name}")

    def tensor_attribute(self, base: Value, name: str, code: cst.Attribute, node: cst.Attribute, frame: Frame) -> Value:
        tensor = base.tensor or TensorType()
        if name == "shape":
            return self.shape_value(code, tensor, frame)
        if name == "dtype":
            return Value(code, known=tensor.dtype or UNKNOWN)
        if name in rules.ATTRIBUTES:
            return self.apply_rule(rules.ATTRIBUTES[name], name, [(None, base)], node, frame)
        if name in ("T", "mT", "real", "imag", "ndim", "size", "at"):
            return Value(code, staged=True, special=("method", base, name))
        return Value(code, special=("method", base, name), staged=True)

    def shape_value(self, code: cst.BaseExpression, tensor: TensorType, frame: Frame) -> Value:
        if tensor.shape is None:
            return Value(code, shape_of=tensor, staged=True)
        items = [self.dim_item(code, i, tensor, frame) for i in range(len(tensor.shape))]
        return Value(code, items=items, shape_of=tensor)

    def dim_item(self, code: cst.BaseExpression, index: int, tensor: TensorType, frame: Frame) -> Value:
        assert tensor.shape is not None
        dim = tensor.shape[index]
        at = index if index < len(tensor.shape) - 1 or len(tensor.shape) == 1 else -1
        item = cst.Subscript(code, [cst.SubscriptElement(cst.Index(literal(at)))])
        return self.dim_value(item, dim, frame)

    def dim_value(self, code: cst.BaseExpression, dim: Any, frame: Frame) -> Value:
        """An integer read from a tensor's shape; where its code is known it is configuration."""
        expressible = frame.spec is not None and frame.spec.symbols.code(dim) is not None
        if frame.as_init and expressible:
            printed = frame.spec.symbols.code(dim, frame.binding)  # type: ignore[union-attr]
            return Value(cst.parse_expression(printed or ""), dim=dim, known=dim if isinstance(dim, int) else UNKNOWN)
        if expressible and frame.spec.symbols.at_call(dim):  # type: ignore[union-attr]
            expressible = False
        known = dim if isinstance(dim, int) and frame.mode != "call" else UNKNOWN
        return Value(code, dim=dim, known=known, staged=not expressible or frame.mode == "call")

    def dim_code(self, value: Value, node: cst.BaseExpression, frame: Frame) -> Value:
        printed = frame.spec.symbols.code(value.dim, frame.binding) if frame.spec else None
        if printed is None:
            frame.unit.residual(frame.function, node, text(node), "a size that is only known when the model is called")
            return Value(node)
        return Value(cst.parse_expression(printed), dim=value.dim)
