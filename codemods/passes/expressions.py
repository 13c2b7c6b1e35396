"""Evaluates expressions: new code and abstract value, in one walk."""

from __future__ import annotations

import dataclasses
import functools
import operator
from collections.abc import Sequence
from typing import Any

import libcst as cst

from codemods.engine import rule as rules
from codemods.engine.outcome import Rewritten
from codemods.engine.template import reference
from codemods.passes import abstract
from codemods.passes.calls import Calls
from codemods.passes.frame import Frame
from codemods.passes.modules import Chain
from codemods.passes.values import UNKNOWN, TensorType, Value, literal, text
from codemods.passes.width_lists import WidthLists, Widths
from codemods.policy.lookup import reason

#: Operators that give an int for ints.
_WHOLE = (operator.add, operator.sub, operator.mul, operator.floordiv, operator.mod, operator.pow, operator.neg)
_CONSTANT_NAMES = {"True": True, "False": False, "None": None}


class Expressions(WidthLists, Calls):
    """Evaluation of every kind of expression but calls, which `Calls` holds."""

    def eval(self, node: cst.BaseExpression, frame: Frame) -> Value:
        """The value of an expression that stays in the code: framework names in it are replaced."""
        return self.materialise(self.eval_raw(node, frame), node, frame)

    def eval_raw(self, node: cst.BaseExpression, frame: Frame) -> Value:
        """As `eval`, but a bare framework name is left for the caller to use."""
        method = getattr(self, f"_eval_{type(node).__name__}", None)
        value = method(node, frame) if method else self._generic(node, frame)
        return value

    def materialise(self, value: Value, node: cst.BaseExpression, frame: Frame) -> Value:
        """Code for a framework name that is used as a value (a dtype, a function handed on)."""
        symbol = value.symbol
        if symbol is None:
            return value
        if symbol in rules.CONSTANTS:
            code = cst.parse_expression(rules.CONSTANTS[symbol])
            self.unit.imports |= self.import_names(code)
            return dataclasses.replace(value, code=code, symbol=None, known=self.constant_of(symbol))
        if symbol in rules.RULES:
            found = reference(rules.RULES[symbol])
            if isinstance(found, Rewritten):
                self.unit.imports |= found.imports
                return dataclasses.replace(value, code=found.code, symbol=None, known=self.callable_of(symbol))
            frame.unit.residual(frame.function, node, symbol, found.reason)
            return Value(node)
        if symbol in self.annotations:
            self.unit.imports |= {"jax"}
            return Value(cst.parse_expression("jax.Array"))
        frame.unit.residual(frame.function, node, symbol, reason(symbol))
        return Value(node)

    # -- names and attributes -------------------------------------------------------------

    def _eval_Name(self, node: cst.Name, frame: Frame) -> Value:
        name = node.value
        if name in _CONSTANT_NAMES:
            return Value(node, known=_CONSTANT_NAMES[name])
        if name in frame.env:
            value = frame.env[name]
            if frame.as_init and value.dim is not None and value.is_tensor:
                return self.dim_code(value, node, frame)
            if frame.as_init and isinstance(value.special, Widths):
                return Value(cst.parse_expression(value.special.code))
            if frame.as_init and value.items and all(item.tensor is not None for item in value.items):
                return self.width_list(value, frame)
            return dataclasses.replace(value, code=_keep_parens(value.code, node))
        symbol = self.unit.symbol(node)
        if symbol is not None:
            return Value(node, symbol=symbol)
        if name in self.unit.globals:
            return self.unit.globals[name].with_code(node)
        if name in self.unit.classes:
            return Value(node, special=("class", name))
        if name in self.unit.functions:
            return Value(node, special=("function", name))
        return Value(node)

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
        return Value(code, special=("method", base, name), staged=base.is_tensor)

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

    # -- literals and containers ----------------------------------------------------------

    def _eval_Integer(self, node: cst.Integer, frame: Frame) -> Value:
        return Value(node, known=node.evaluated_value, dim=node.evaluated_value)

    def _eval_Float(self, node: cst.Float, frame: Frame) -> Value:
        return Value(node, known=node.evaluated_value)

    def _eval_SimpleString(self, node: cst.SimpleString, frame: Frame) -> Value:
        return Value(node, known=node.evaluated_value)

    def _eval_Ellipsis(self, node: cst.Ellipsis, frame: Frame) -> Value:
        return Value(node, known=...)

    def _sequence(self, node: Any, frame: Frame, make: type) -> Value:
        items, elements = [], []
        starred = False
        for element in node.elements:
            value = self.eval(element.value, frame)
            starred = starred or isinstance(element, cst.StarredElement)
            items.append(value)
            elements.append(element.with_changes(value=value.code))
        code = node.with_changes(elements=elements)
        if frame.as_init and items and not starred and all(item.tensor is not None for item in items):
            return self.width_list(Value(code, items=items), frame)
        if starred:
            return Value(code, staged=any(item.is_tensor for item in items))
        known: Any = UNKNOWN
        if all(item.known is not UNKNOWN for item in items):
            known = make(item.known for item in items)
        return Value(code, known=known, items=items)

    def _eval_List(self, node: cst.List, frame: Frame) -> Value:
        return self._sequence(node, frame, list)

    def _eval_Tuple(self, node: cst.Tuple, frame: Frame) -> Value:
        return self._sequence(node, frame, tuple)

    def _eval_Dict(self, node: cst.Dict, frame: Frame) -> Value:
        mapping: dict[Any, Value] | None = {}
        elements: list[cst.BaseDictElement] = []
        staged = False
        for element in node.elements:
            value = self.eval(element.value, frame)
            staged = staged or value.is_tensor
            if isinstance(element, cst.DictElement):
                key = self.eval(element.key, frame)
                if mapping is not None and key.known is not UNKNOWN:
                    mapping[key.known] = value
                else:
                    mapping = None
                elements.append(element.with_changes(key=key.code, value=value.code))
            else:
                mapping = None
                elements.append(element.with_changes(value=value.code))
        return Value(node.with_changes(elements=elements), mapping=mapping, staged=staged and mapping is None)

    # -- operators ------------------------------------------------------------------------

    def _eval_BinaryOperation(self, node: cst.BinaryOperation, frame: Frame) -> Value:
        left, right = self.eval(node.left, frame), self.eval(node.right, frame)
        code = node.with_changes(left=left.code, right=right.code)
        return self.combine(code, abstract.BINARY.get(type(node.operator)), [left, right], frame)

    def _eval_UnaryOperation(self, node: cst.UnaryOperation, frame: Frame) -> Value:
        inner = self.eval(node.expression, frame)
        code = node.with_changes(expression=inner.code)
        functions: dict[type, Any] = {cst.Minus: operator.neg, cst.Not: operator.not_, cst.BitInvert: operator.invert}
        return self.combine(code, functions.get(type(node.operator), operator.pos), [inner], frame)

    def _eval_Comparison(self, node: cst.Comparison, frame: Frame) -> Value:
        values = [self.eval(node.left, frame)]
        comparisons = []
        for target in node.comparisons:
            values.append(self.eval(target.comparator, frame))
            comparisons.append(target.with_changes(comparator=values[-1].code))
        code = node.with_changes(left=values[0].code, comparisons=comparisons)
        function = None
        if len(comparisons) == 1:
            kind = type(node.comparisons[0].operator)
            function = abstract.COMPARE.get(kind)
            if kind in (cst.Is, cst.IsNot):
                return self.identity_test(code, kind is cst.Is, values)
        return self.combine(code, function, values, frame)

    def identity_test(self, code: cst.BaseExpression, positive: bool, values: Sequence[Value]) -> Value:
        a, b = (value.known for value in values)
        known: Any = UNKNOWN
        if a is not UNKNOWN and b is not UNKNOWN:
            known = (a is b) is positive
        elif b is None and (values[0].is_tensor or values[0].has_layers):
            known = not positive
        return Value(code, known=known)

    def _eval_BooleanOperation(self, node: cst.BooleanOperation, frame: Frame) -> Value:
        left, right = self.eval(node.left, frame), self.eval(node.right, frame)
        code = node.with_changes(left=left.code, right=right.code)
        known: Any = UNKNOWN
        if left.known is not UNKNOWN and right.known is not UNKNOWN:
            known = (left.known and right.known) if isinstance(node.operator, cst.And) else (left.known or right.known)
        elif any(side.known is isinstance(node.operator, cst.Or) for side in (left, right)):
            known = isinstance(node.operator, cst.Or)  # whatever the other side is
        return Value(code, known=known, staged=left.is_tensor or right.is_tensor)

    def _eval_IfExp(self, node: cst.IfExp, frame: Frame) -> Value:
        test = self.eval(node.test, frame)
        body, orelse = self.eval(node.body, frame), self.eval(node.orelse, frame)
        code = node.with_changes(test=test.code, body=body.code, orelse=orelse.code)
        joined = self.join(body, orelse, frame)
        no_size = any(side.known is not UNKNOWN and type(side.known) is not int for side in (body, orelse))
        if joined.dim is None and frame.spec is not None and not joined.is_tensor and not no_size:
            joined = dataclasses.replace(joined, dim=frame.spec.symbols.of_code(f"({text(code)})"))
        return dataclasses.replace(joined, code=code, staged=joined.staged or test.is_tensor)

    def combine(self, code: cst.BaseExpression, function: Any, values: Sequence[Value], frame: Frame) -> Value:
        """Result of an operator."""
        if any(value.tensor is not None for value in values):
            attempts = [lambda value: value, self.unified(values, frame)]
            if function is not operator.matmul:
                attempts.append(self.unified(values, frame, every=True))
            for attempt in attempts:
                try:
                    tree = abstract.evaluate(function, [abstract.concrete(attempt(value)) for value in values], {})
                    return abstract.result_value(code, tree)
                except (abstract.NoShape, TypeError):
                    continue
            return Value(code, tensor=self.widest(values))
        known: Any = UNKNOWN
        dim = None
        if function is not None and all(value.known is not UNKNOWN for value in values):
            try:
                known = function(*[value.known for value in values])
            except Exception:
                known = UNKNOWN
        if known is not UNKNOWN and isinstance(known, int) and not isinstance(known, bool):
            dim = known
        elif function is not None and all(value.dim is not None for value in values):
            dim = self.dim_result(function, values, code, frame)
        staged = any(value.is_tensor for value in values)
        whole = function in _WHOLE and all(value.sure or isinstance(value.known, int) for value in values)
        return Value(code, known=known, dim=dim, staged=staged, sure=whole)

    def widest(self, values: Sequence[Value]) -> TensorType:
        """Where one operand's shape is not known, the other's is taken to be the result's; the trace and the
        parity test would show otherwise."""
        known = [value.tensor for value in values if value.tensor is not None and value.tensor.shape is not None]
        if len(known) == len([value for value in values if value.is_tensor]):
            return TensorType()
        return max(known, key=lambda tensor: len(tensor.shape or ()), default=TensorType())

    def dim_result(self, function: Any, values: Sequence[Value], code: cst.BaseExpression, frame: Frame) -> Any:
        try:
            dim = function(*[value.dim for value in values])
        except Exception:
            if function in _WHOLE and frame.spec is not None and not any(value.is_tensor for value in values):
                return frame.spec.symbols.of_code(text(code))
            return None
        if isinstance(dim, bool) or type(dim).__name__ == "bool":
            return None
        if frame.spec is not None and not any(value.is_tensor for value in values) and not isinstance(dim, int):
            try:
                frame.spec.symbols.prefer(dim, text(code))
            except Exception:
                return None
        return dim if isinstance(dim, int) or type(dim).__name__ == "_DimExpr" else None

    # -- subscripts -----------------------------------------------------------------------

    def _eval_Subscript(self, node: cst.Subscript, frame: Frame) -> Value:
        base = self.eval(node.value, frame)
        elements, indices = [], []
        for element in node.slice:
            new, index = self._slice(element.slice, frame)
            elements.append(element.with_changes(slice=new))
            indices.append(index)
        code = node.with_changes(value=base.code, slice=elements)
        return self.index(base, code, indices, frame)

    def index(self, base: Value, code: cst.Subscript, indices: list[Any], frame: Frame) -> Value:
        first = indices[0] if len(indices) == 1 else UNKNOWN
        if base.items is not None and first is not UNKNOWN:
            try:
                found = base.items[first]
            except Exception:
                found = None
            if isinstance(found, Value):
                if base.shape_of is not None and frame.as_init:
                    return self.dim_value(code, found.dim, frame) if found.dim is not None else found
                return found.with_code(code)
            if isinstance(found, list):
                return Value(code, items=found)
        if base.mapping is not None and first is not UNKNOWN and first in base.mapping:
            return base.mapping[first].with_code(code)
        if isinstance(base.special, Widths) and frame.spec is not None:
            return self.index_widths(base, code, frame)
        if base.item is not None:
            return base.item.with_code(code)
        if base.tensor is not None:
            try:
                key = indices[0] if len(indices) == 1 else tuple(indices)
                if any(index is UNKNOWN for index in indices):
                    raise abstract.NoShape
                tree = abstract.evaluate(operator.getitem, [abstract.concrete(base), key], {})
                return abstract.result_value(code, tree)
            except abstract.NoShape:
                return Value(code, tensor=TensorType(None, base.tensor.dtype))
        if base.known is not UNKNOWN and first is not UNKNOWN:
            try:
                known = base.known[first]
                return Value(code, known=known, dim=known if isinstance(known, int) else None)
            except Exception:
                return Value(code)
        dim = None
        if frame.spec is not None and not base.is_tensor:
            dim = frame.spec.symbols.of_code(text(code))
        return Value(code, dim=dim, staged=base.is_tensor)

    def _slice(self, node: cst.BaseSlice, frame: Frame) -> tuple[cst.BaseSlice, Any]:
        if isinstance(node, cst.Index):
            value = self.eval(node.value, frame)
            known: Any = value.known
            if known is UNKNOWN and value.dim is not None and value.items is None:
                known = value.dim
            return node.with_changes(value=value.code), known
        assert isinstance(node, cst.Slice)
        parts: dict[str, Any] = {}
        bounds: list[Any] = []
        for field in ("lower", "upper", "step"):
            part = getattr(node, field)
            if part is None:
                bounds.append(None)
                continue
            value = self.eval(part, frame)
            parts[field] = value.code
            bounds.append(
                value.known if value.known is not UNKNOWN else (value.dim if value.dim is not None else UNKNOWN)
            )
        known = UNKNOWN if any(bound is UNKNOWN for bound in bounds) else slice(*bounds)
        return node.with_changes(**parts), known

    # -- comprehensions, lambdas, the rest -------------------------------------------------

    def _comprehension(self, node: Any, frame: Frame) -> tuple[cst.CompFor, Frame, list[Any] | None]:
        inner = frame.child(env=dict(frame.env))
        unrolled: list[Any] | None = None

        def walk(part: cst.CompFor, first: bool) -> cst.CompFor:
            nonlocal unrolled
            source = self.eval(part.iter, inner)
            elements = self.elements(source)
            if first and part.inner_for_in is None and not part.ifs:
                unrolled = elements
            self.bind_target(part.target, self.element_of(source, inner), inner)
            ifs = [test.with_changes(test=self.eval(test.test, inner).code) for test in part.ifs]
            changes: dict[str, Any] = {"iter": source.code, "ifs": ifs}
            if part.inner_for_in is not None:
                changes["inner_for_in"] = walk(part.inner_for_in, False)
            return part.with_changes(**changes)

        return walk(node.for_in, True), inner, unrolled

    def _eval_ListComp(self, node: cst.ListComp, frame: Frame) -> Value:
        for_in, inner, unrolled = self._comprehension(node, frame)
        listed = self.comprehension_widths(node, inner, frame)
        element = self.eval(node.elt, inner)
        code = node.with_changes(elt=element.code, for_in=for_in)
        if listed is not None:
            return Value(code, item=element, special=self.mapped_widths(listed, element, frame))
        items = None
        if unrolled is not None and element.is_tensor and not element.has_layers:
            items = [self._unroll(node, node.elt, item, frame) for item in unrolled]
        return Value(code, item=element, items=items)

    def _eval_GeneratorExp(self, node: cst.GeneratorExp, frame: Frame) -> Value:
        return self._eval_ListComp(node, frame)  # type: ignore[arg-type]

    _eval_SetComp = _eval_ListComp

    def _unroll(self, node: Any, elt: cst.BaseExpression, item: Value, frame: Frame) -> Value:
        inner = frame.child(env=dict(frame.env))
        self.bind_target(node.for_in.target, item, inner)
        return self.eval(elt, inner)

    def _eval_DictComp(self, node: cst.DictComp, frame: Frame) -> Value:
        for_in, inner, unrolled = self._comprehension(node, frame)
        key, value = self.eval(node.key, inner), self.eval(node.value, inner)
        code = node.with_changes(key=key.code, value=value.code, for_in=for_in)
        if unrolled is not None:
            mapping = {}
            for item in unrolled:
                inner = frame.child(env=dict(frame.env))
                self.bind_target(node.for_in.target, item, inner)
                known = self.eval(node.key, inner).known
                if known is UNKNOWN:
                    return Value(code, item=value, staged=value.is_tensor)
                mapping[known] = self.eval(node.value, inner)
            return Value(code, mapping=mapping)
        return Value(code, item=value, staged=value.is_tensor)

    def _eval_Lambda(self, node: cst.Lambda, frame: Frame) -> Value:
        inner = frame.child(env=dict(frame.env))
        params = []
        for param in node.params.params:
            inner.env[param.name.value] = Value(param.name)
            default = self.eval(param.default, frame).code if param.default is not None else None
            params.append(param.with_changes(default=default))
        body = self.eval(node.body, inner)
        changed = node.params.with_changes(params=params)
        return Value(node.with_changes(params=changed, body=body.code), special=("lambda", node, frame))

    def _eval_NamedExpr(self, node: cst.NamedExpr, frame: Frame) -> Value:
        value = self.eval(node.value, frame)
        if isinstance(node.target, cst.Name):
            frame.env[node.target.value] = value.with_code(node.target)
        return value.with_code(node.with_changes(value=value.code))

    def _generic(self, node: cst.BaseExpression, frame: Frame) -> Value:
        """Any other expression: its parts are rewritten, nothing is known of the whole."""
        staged = False

        def rewrite(child: cst.CSTNode) -> cst.CSTNode:
            nonlocal staged
            if isinstance(child, cst.BaseExpression):
                value = self.eval(child, frame)
                staged = staged or value.is_tensor
                return value.code
            return map_children(child, rewrite)

        return Value(map_children(node, rewrite), staged=staged)


def map_children(node: Any, function: Any) -> Any:
    """A node with every child node (not the white space) replaced by `function`'s answer."""
    changes = {}
    for field in dataclasses.fields(node):
        value = getattr(node, field.name)
        if isinstance(value, cst.CSTNode) and not _layout(value):
            changes[field.name] = function(value)
        elif isinstance(value, list | tuple) and value and isinstance(value[0], cst.CSTNode) and not _layout(value[0]):
            changes[field.name] = [function(item) for item in value]
    return node.with_changes(**changes) if changes else node


@functools.cache
def _is_layout(kind: type) -> bool:
    return issubclass(
        kind,
        cst.BaseParenthesizableWhitespace | cst.TrailingWhitespace | cst.Comma | cst.LeftParen | cst.RightParen
        | cst.EmptyLine | cst.AssignEqual | cst.Dot | cst.Colon | cst.LeftSquareBracket | cst.RightSquareBracket
        | cst.LeftCurlyBrace | cst.RightCurlyBrace | cst.BaseUnaryOp | cst.BaseBinaryOp | cst.BaseCompOp | cst.BaseBooleanOp,
    )  # fmt: skip


def _layout(node: cst.CSTNode) -> bool:
    return _is_layout(type(node))


def _keep_parens(code: cst.BaseExpression, original: cst.Name) -> cst.BaseExpression:
    if isinstance(code, cst.Name) and original.lpar and not code.lpar:
        return code.with_changes(lpar=original.lpar, rpar=original.rpar)
    return code
