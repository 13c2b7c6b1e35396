"""Habits of model zoos, Keras's own among them: weights from the web, inputs that are tensors, sizes by default.

Builders of such files take `weights="imagenet"` and `input_tensor=None`. The port builds the network alone: a tensor to
build on has no counterpart, and weight files in Keras's format are refused when the model is made.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine.handled import handled
from codemods.engine.walk import findall
from codemods.mappings.keras_applications import correct_pad
from codemods.passes.calls.binding import symbols_of
from codemods.passes.frame import Frame
from codemods.passes.modules import ModuleSpec
from codemods.passes.names import assigned_names, read_names
from codemods.passes.placing.staging import Staged
from codemods.passes.serialized import Serialized
from codemods.passes.values import UNKNOWN, Value, text

_FORMAT = handled(
    "tf.keras.config.image_data_format",
    "tf.keras.backend.image_data_format",
    becomes='"channels_last": the branch that the original took stays',
    sample="""
    def f(x):
        if SYMBOL() == "channels_last":
            return tf.abs(x)
        return tf.compat.v1.placeholder(tf.float32)
    """,
)
_SHAPE = handled(
    "tf.keras.applications.imagenet_utils.obtain_input_shape",
    becomes="the shape that is given, or the default size",
    only="in a function that builds a model",
    shows="(224, 224, 3)",
    sample="""
    from keras.applications import imagenet_utils

    def build(input_shape=None):
        input_shape = SYMBOL(input_shape, default_size=224, min_size=32, data_format=None, require_flatten=True)
        x = tf.keras.Input(shape=input_shape)
        return tf.keras.Model(x, tf.keras.layers.Conv2D(2, 3)(x))
    """,
)
_PAD = handled(
    "tf.keras.applications.imagenet_utils.correct_pad",
    "tf.keras.applications.mobilenet_v2.correct_pad",
    becomes="a function of the port",
    shows="correct_pad(x, 3)",
    sample="""
    def block(x):
        x = tf.keras.layers.ZeroPadding2D(padding=SYMBOL(x, 3))(x)
        return tf.keras.layers.Conv2D(2, 3, strides=2)(x)

    def build():
        x = tf.keras.Input(shape=(8, 8, 3))
        return tf.keras.Model(x, block(x))
    """,
)
_LEFT_OUT = handled(
    "tf.keras.applications.imagenet_utils.validate_activation",
    becomes="left out: it only checks Keras's own weights",
    only="as a statement",
    sample="""
    def build(activation="softmax"):
        x = tf.keras.Input(shape=(4,))
        SYMBOL(activation, None)
        return tf.keras.Model(x, tf.keras.layers.Dense(2, activation=activation)(x))
    """,
)
_EXISTS = handled(
    "tf.keras.utils.file_utils.exists",
    becomes="os.path.exists",
    shows="os.path.exists(path)",
    sample="""
    def f(path):
        return SYMBOL(path)
    """,
)
#: Functions that only a tensor of Keras is given to.
_OF_TENSORS = handled(
    "tf.keras.utils.is_keras_tensor",
    "tf.keras.ops.operation_utils.get_source_inputs",
    "tf.keras.utils.get_source_inputs",
    becomes="left out with the parameter: a Flax module is built without inputs",
    only="for a parameter of a builder that is None by default",
    sample="""
    def build(input_tensor=None):
        if input_tensor is None:
            x = tf.keras.Input(shape=(4,))
        else:
            x = SYMBOL(input_tensor)
        return tf.keras.Model(x, tf.keras.layers.Dense(2)(x))
    """,
)
_LOADING = m.Call(func=m.Attribute(attr=m.Name("load_weights")))
_REFUSES = 'raise NotImplementedError("weights of Keras: load a converted checkpoint into the module instead")'


class ModelZoo(Serialized):
    """Settles what such builders ask for before they build."""

    def call_symbol(self, symbol: str, node: cst.Call, frame: Frame) -> Value:
        if symbol in _FORMAT:
            return Value(cst.SimpleString('"channels_last"'), known="channels_last")
        if symbol in _LEFT_OUT:
            return Value(node, special="dropped")
        if symbol in _EXISTS and len(node.args) == 1:
            self.unit.imports.add("os")
            value = self.eval(node.args[0].value, frame)
            return Value(cst.Call(cst.parse_expression("os.path.exists"), [cst.Arg(value.code)]))
        if symbol in _PAD:
            return self.padding(node, frame)
        if symbol in _SHAPE and frame.mode == "staged":
            found = self.default_shape(node, frame)
            if found is not None:
                return found
        return super().call_symbol(symbol, node, frame)

    def default_shape(self, node: cst.Call, frame: Frame) -> Value | None:
        """`input_shape or (224, 224, 3)`."""
        arguments = self.arguments(node, frame)
        given = {name or ("input_shape", "default_size")[min(i, 1)]: v for i, (name, v) in enumerate(arguments or ())}
        if "input_shape" not in given or "default_size" not in given:
            return None
        size = text(given["default_size"].code)
        code = cst.parse_expression(f"{text(given['input_shape'].code)} or ({size}, {size}, 3)")
        return Value(code, special=("ranked", 3))

    def padding(self, node: cst.Call, frame: Frame) -> Value:
        """`correct_pad(x, 3)`: read from the tensor where it is padded."""
        values = [self.eval(arg.value, frame) for arg in node.args]
        self.unit.helpers["correct_pad"] = correct_pad
        args = [arg.with_changes(value=value.code) for arg, value in zip(node.args, values, strict=True)]
        symbols = symbols_of(frame, self.plain_symbols)
        pairs = [[Value(node, dim=symbols.unknown("pad")) for _ in range(2)] for _ in range(2)]
        items = [Value(node, items=pair) for pair in pairs]
        return Value(node.with_changes(func=cst.Name("correct_pad"), args=args), items=items, staged=True)

    # -- tensors to build on -------------------------------------------------------------------------

    def parameter(self, spec: ModuleSpec, param: cst.Param) -> Value:
        value = super().parameter(spec, param)
        if param.name.value in self.tensors_to_build_on(spec):
            return Value(param.name, known=None, special="settled")
        return value

    def tensors_to_build_on(self, spec: ModuleSpec) -> set[str]:
        """Parameters of a builder, None by default, that its code takes for tensors of Keras."""
        if not isinstance(spec.node, cst.FunctionDef) or spec.kind != "builder":
            return set()
        if id(spec) not in self.built_on:
            asked: set[str] = set()
            for call in findall(spec.node.body, m.Call()):
                assert isinstance(call, cst.Call)
                if self.unit.symbol(call.func) in _OF_TENSORS or _is_input(self.unit.symbol(call.func), call):
                    asked |= set().union(*[read_names(arg.value) for arg in call.args if _tensor(arg)], set())
            absent = {
                p.name.value for p in [*spec.node.params.params, *spec.node.params.kwonly_params]
                if p.default is not None and text(p.default) == "None"
            }  # fmt: skip
            self.built_on[id(spec)] = asked & absent
            spec.dropped |= asked & absent
        return self.built_on[id(spec)]

    # -- branches ------------------------------------------------------------------------------------

    def _exec_If(self, node: cst.If, frame: Frame) -> Staged:
        if frame.mode == "staged":
            if self.settles(node.test, frame):
                taken = self.taken(node, frame)
                if taken is not None:
                    staged = self.run(taken, frame)
                    self.settle_names(node, frame)
                    return staged
                rest = self.rest_of(node.test, frame)
                node = node if isinstance(rest, bool) else node.with_changes(test=rest)
            node = self.without_loading(node)
        return super()._exec_If(node, frame)

    def _eval_IfExp(self, node: cst.IfExp, frame: Frame) -> Value:
        if self.settles(node.test, frame):
            known = self.eval(node.test, frame).known
            if isinstance(known, bool):
                value = self.eval(node.body if known else node.orelse, frame)
                return value if value.special is not None else dataclasses.replace(value, special="settled")
        return super()._eval_IfExp(node, frame)

    def settle_names(self, node: cst.If, frame: Frame) -> None:
        """What only a settled branch binds to a constant, such as `bn_axis = 3`, settles further tests."""
        if frame.spec is None:
            return
        within = assigned_names(node)
        for name in sorted(within & frame.env.keys()):
            value = frame.env[name]
            every = [a for a in findall(frame.spec.node, m.Assign()) if name in assigned_names(a)]
            here = [a for a in findall(node, m.Assign()) if name in assigned_names(a)]
            if value.known is not UNKNOWN and value.special is None and len(every) == len(here):
                frame.env[name] = dataclasses.replace(value, special="settled")

    def settles(self, test: cst.BaseExpression, frame: Frame) -> bool:
        """Does a test ask what is the same for every port?"""
        if self.asks(test, _FORMAT):
            return True
        values = [frame.env[name] for name in read_names(test) if name in frame.env]
        return any(value.special == "settled" for value in values)

    def without_loading(self, node: cst.If) -> cst.If:
        """Branches that load weights of Keras say so instead."""
        changes: dict[str, Any] = {}
        if isinstance(node.body, cst.IndentedBlock) and findall(node.body, _LOADING):
            changes["body"] = node.body.with_changes(body=[cst.parse_statement(_REFUSES)])
        if isinstance(node.orelse, cst.If):
            changes["orelse"] = self.without_loading(node.orelse)
        return node.with_changes(**changes) if changes else node

    def taken(self, node: cst.If, frame: Frame) -> Sequence[cst.BaseStatement] | None:
        rest = self.rest_of(node.test, frame)
        if isinstance(rest, bool):
            node = node.with_changes(test=cst.Name(str(rest)))
        return super().taken(node, frame)

    def rest_of(self, test: cst.BaseExpression, frame: Frame) -> cst.BaseExpression | bool:
        """A test without the parts that are settled; whether it holds, where that settles it."""
        if isinstance(test, cst.BooleanOperation):
            decides = isinstance(test.operator, cst.Or)
            left, right = self.rest_of(test.left, frame), self.rest_of(test.right, frame)
            if left is decides or right is decides:
                return decides
            if isinstance(left, bool) or isinstance(right, bool):
                return right if isinstance(left, bool) else left
            return test.with_changes(left=left, right=right)
        if not self.settles(test, frame):
            return test
        known = self.eval(test, frame).known
        return bool(known) if known is not UNKNOWN else test


def _is_input(symbol: str | None, call: cst.Call) -> bool:
    return symbol == "tf.keras.Input" and any(_tensor(arg) and arg.keyword is not None for arg in call.args)


def _tensor(arg: cst.Arg) -> bool:
    """An argument that is a tensor: the first, or `tensor=`."""
    return arg.keyword is None or arg.keyword.value == "tensor"
