"""`tf.TensorArray`: a list, as the loops that fill it are Python's."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine.handled import handled
from codemods.engine.walk import findall, walk
from codemods.passes.calls.inputs import Argument
from codemods.passes.custom_gradients import CustomGradients
from codemods.passes.frame import Frame
from codemods.passes.values import Lasting, TensorType, Value, text

_ARRAYS = handled(
    "tf.TensorArray",
    becomes="a list",
    only="filled in a Python loop; one that tf.while_loop carries is a residual",
    shows=("states = [None] * 3", "states[i] = x", "jnp.stack(states)", "found.append(x)"),
    sample="""
    def steps(x):
        states = SYMBOL(tf.float32, size=3)
        for i in range(3):
            x = tf.tanh(x)
            states = states.write(i, x)
        return states.stack(), states.read(0)

    def all_steps(xs):
        found = SYMBOL(tf.float32, size=0, dynamic_size=True)
        for x in xs:
            found = found.write(found.size(), x)
        return found.concat()
    """,
)
_PARAMETERS = ("dtype", "size", "dynamic_size", "clear_after_read", "tensor_array_name", "handle", "flow",
               "infer_shape", "element_shape", "colocate_with_first_write_call", "name")  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Array(Lasting):
    """A list in the place of a TensorArray; `grows` when it starts without elements."""

    grows: bool


class TensorArrays(CustomGradients):
    """Lists that collect tensors."""

    def call_symbol(self, symbol: str, node: cst.Call, frame: Frame) -> Value:
        if symbol not in _ARRAYS:
            return super().call_symbol(symbol, node, frame)
        arguments = self.arguments(node, frame)
        if arguments is None:
            return Value(node)
        given = {key or _PARAMETERS[i]: value for i, (key, value) in enumerate(arguments)}
        size, dynamic = given.get("size"), given.get("dynamic_size")
        grows = dynamic is not None and dynamic.known is not False and (size is None or size.known == 0)
        if given.keys() & {"handle", "flow"} or (size is None and not grows):
            frame.unit.residual(frame.function, node, symbol, "a TensorArray without a size: give it one")
            return Value(node)
        if grows or size is None:
            return Value(cst.List([]), special=Array(True))
        return Value(cst.parse_expression(f"[None] * {_factor(size.code)}"), special=Array(False))

    def call_method(self, callee: Value, node: cst.Call, frame: Frame) -> Value:
        _, base, name = callee.special
        if not isinstance(base.special, Array):
            return super().call_method(callee, node, frame)
        arguments = self.arguments(node, frame)
        if arguments is None:
            return Value(node)
        values = [value for _, value in arguments]
        code, first = text(base.code), text(values[0].code) if values else ""
        self.unit.imports.add("jnp")
        if name in ("stack", "concat") and not values:
            function = "jnp.stack" if name == "stack" else "jnp.concatenate"
            return Value(cst.parse_expression(f"{function}({code})"), tensor=TensorType(), staged=True)
        if name == "read" and len(values) == 1:
            return Value(cst.parse_expression(f"{code}[{first}]"), tensor=TensorType(), staged=True)
        if name == "gather" and len(values) == 1:
            found = f"jnp.stack([{code}[index] for index in {first}])"
            return Value(cst.parse_expression(found), tensor=TensorType(), staged=True)
        if name == "size" and not values:
            return Value(cst.parse_expression(f"len({code})"), sure=True)
        if name == "unstack" and len(values) == 1:
            return Value(cst.parse_expression(f"list({first})"), special=Array(False))
        if name in ("close", "mark_used"):
            return Value(node, special="dropped")
        where = "write: assign its result to the same name" if name == "write" else name
        frame.unit.residual(frame.function, node, "tf.TensorArray", f"`.{where}` of a TensorArray")
        return Value(node)

    def _small_Assign(self, node: cst.Assign, frame: Frame) -> tuple[list[Any], bool]:
        written = self.written(node, frame)
        return ([written], False) if written is not None else super()._small_Assign(node, frame)

    def written(self, node: cst.Assign, frame: Frame) -> cst.BaseSmallStatement | None:
        """`xs = xs.write(i, x)` as a statement on the list."""
        call, target = node.value, node.targets[0].target
        if not isinstance(call, cst.Call) or not isinstance(call.func, cst.Attribute) or len(call.args) < 2:
            return None
        if call.func.attr.value != "write" or text(call.func.value) != text(target) or len(node.targets) > 1:
            return None
        base = self.eval(call.func.value, frame)
        arguments = self.arguments(call, frame) if isinstance(base.special, Array) else None
        if arguments is None:
            return None
        named = {key or ("index", "value")[i]: value for i, (key, value) in enumerate(arguments[:2])}
        index, value = text(named["index"].code), text(named["value"].code)
        if not base.special.grows:
            return cst.parse_statement(f"{text(base.code)}[{index}] = {value}").body[0]
        if index != f"len({text(base.code)})" and not self.counts(index):
            reason = "a growing TensorArray that is written out of order: give it a size"
            frame.unit.residual(frame.function, call, "tf.TensorArray", reason)
        return cst.parse_statement(f"{text(base.code)}.append({value})").body[0]

    def counts(self, name: str) -> bool:
        """Is this a loop's variable that goes 0, 1, 2, ... once for each array, wherever the file has it?"""
        loops = findall(self.unit.module, m.For() | m.While())
        targets = [loop for loop in loops if isinstance(loop, cst.For) and _target(loop) == name]
        around = [outer for outer in loops for loop in targets if outer is not loop and loop in walk(outer)]
        again = [outer for outer in around if not any(self.makes_array(call) for call in findall(outer, m.Call()))]
        in_order = all(_from_zero(loop, self.unit.symbol(_function(loop))) for loop in targets)
        return bool(targets) and in_order and not again

    def makes_array(self, call: cst.Call) -> bool:
        return self.unit.symbol(call.func) in _ARRAYS

    def apply_rule(
        self, entry: Any, symbol: str, arguments: Sequence[Argument], node: cst.BaseExpression, frame: Frame
    ) -> Value:
        if any(_has_array(value) for _, value in arguments):
            reason = (
                "a TensorArray that a function of the framework carries: collect with lax.scan, or in a Python loop"
            )
            frame.unit.residual(frame.function, node, "tf.TensorArray", reason)
            return Value(node)
        return super().apply_rule(entry, symbol, arguments, node, frame)


def _has_array(value: Value) -> bool:
    return isinstance(value.special, Array) or any(_has_array(item) for item in value.items or ())


def _function(loop: cst.For) -> cst.BaseExpression:
    return loop.iter.func if isinstance(loop.iter, cst.Call) else loop.iter


def _target(loop: cst.For) -> str:
    """The name that counts: the target, or the first of two with `enumerate`."""
    first = loop.target.elements[0].value if isinstance(loop.target, cst.Tuple) else loop.target
    return text(first) if isinstance(first, cst.Name) else ""


def _from_zero(loop: cst.For, symbol: str | None) -> bool:
    call = loop.iter
    if not isinstance(call, cst.Call) or len(call.args) != 1:
        return False
    return symbol == "tf.range" or text(call.func) in ("range", "enumerate")


def _factor(code: cst.BaseExpression) -> str:
    simple = isinstance(code, cst.Name | cst.Integer | cst.Attribute | cst.Subscript | cst.Call)
    return text(code) if simple else f"({text(code)})"
