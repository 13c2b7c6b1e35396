"""Questions that code asks TensorFlow about itself, answered: how it runs, on what, in which release."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine.handled import handled
from codemods.engine.walk import findall
from codemods.passes.frame import Frame
from codemods.passes.placing.staging import Staged
from codemods.passes.settings import Settings
from codemods.passes.values import UNKNOWN, Value, text

_BRANCH = """
def f(x):
    if SYMBOL():
        return tf.abs(x)
    return tf.compat.v1.placeholder(tf.float32)
"""
_EAGER = handled(
    "tf.executing_eagerly",
    "tf.compat.v1.executing_eagerly",
    "tf.compat.v1.executing_eagerly_outside_functions",
    becomes="True: the branch that is taken stays",
    shows="return jnp.abs(x)",
    sample=_BRANCH,
)
_BACKEND = handled(
    "tf.keras.config.backend",
    becomes='"tensorflow": the branch that the original took stays',
    sample=_BRANCH.replace("SYMBOL()", 'SYMBOL() == "tensorflow"'),
)
_DEVICES = handled(
    "tf.config.list_physical_devices",
    "tf.config.list_logical_devices",
    "tf.config.experimental.list_physical_devices",
    "tf.config.experimental.list_logical_devices",
    "tf.config.get_visible_devices",
    becomes="jax.devices(), those of one kind where one is named",
    shows=('device.platform == "gpu"', "jax.devices()"),
    sample="""
    def f():
        return SYMBOL("GPU"), SYMBOL()
    """,
)
_GPU = handled(
    "tf.test.is_gpu_available",
    "tf.test.is_built_with_cuda",
    becomes='jax.default_backend() == "gpu"',
    shows='jax.default_backend() == "gpu"',
    sample="""
    def f():
        return SYMBOL()
    """,
)
_VERSIONS = handled(
    "tf.__version__",
    "tf.version.VERSION",
    "tf.version.GIT_VERSION",
    "tf.keras.__version__",
    becomes="jax.__version__",
    only="where it is printed or logged",
    shows="jax.__version__",
    sample="""
    def f():
        print("release", SYMBOL)
        print(f"release {SYMBOL}")
    """,
)
_STATIC = handled(
    "tf.compat.dimension_value",
    "tf.get_static_value",
    becomes="its argument: shapes are ints in JAX",
    shows="return x.shape[0]",
    sample="""
    def f(x):
        return SYMBOL(x.shape[0])
    """,
)
_SHAPES = handled(
    "tf.TensorShape",
    becomes="a tuple",
    shows=("(2, 3)", "tuple(x)"),
    sample="""
    def f(x):
        return SYMBOL([2, 3]), SYMBOL(x)
    """,
)
_SPECS = handled(
    "tf.TensorSpec",
    becomes="left out with the signature; elsewhere jax.ShapeDtypeStruct, where no dimension is open",
    shows="jax.ShapeDtypeStruct((2, 3), jnp.float32)",
    sample="""
    def f():
        return SYMBOL([2, 3], tf.float32)

    @tf.function(input_signature=[SYMBOL([None, 3], tf.float32)])
    def g(x):
        return tf.abs(x)
    """,
)
_EAGERLY = handled(
    "tf.config.run_functions_eagerly",
    "tf.config.experimental_run_functions_eagerly",
    becomes='jax.config.update("jax_disable_jit", ...)',
    shows='jax.config.update("jax_disable_jit", True)',
    sample="""
    def main(x):
        SYMBOL(True)
        return tf.abs(x)
    """,
)
_PHASE = handled(
    "tf.keras.backend.learning_phase",
    becomes="`training`",
    only="in a model",
    shows="if training:",
    sample="""
    class Noise(tf.keras.layers.Layer):
        def call(self, x):
            if SYMBOL():
                x = x * 2.0
            return x
    """,
)
_IS_KERAS = handled(
    "tf.keras.utils.is_keras_tensor",
    becomes="True for the inputs and layers' outputs of a functional model: the branch that is taken stays",
    sample="""
    def build():
        x = tf.keras.Input((4,))
        if not SYMBOL(x):
            x = tf.compat.v1.placeholder(x)
        return tf.keras.Model(x, tf.keras.layers.Dense(2)(x))
    """,
)
_PRINTING = frozenset({"print", "info", "debug", "warning", "error", "log", "format", "write"})
#: Answered the same everywhere in a file; the last is answered by `model_zoo.py`.
_FIXED = _EAGER | _BACKEND | {"tf.keras.config.image_data_format"}
_SETTLED = _FIXED | _IS_KERAS


class Questions(Settings):
    """Calls and constants that are about the framework, not about the model."""

    printing = 0

    def call_symbol(self, symbol: str, node: cst.Call, frame: Frame) -> Value:
        for symbols, answer in _ANSWERS.items():
            if symbol in symbols:
                found = answer(self, symbol, node, frame)
                if found is not None:
                    return found
        return super().call_symbol(symbol, node, frame)

    def _eager(self, symbol: str, node: cst.Call, frame: Frame) -> Value:
        return Value(cst.Name("True"), known=True)

    def _backend(self, symbol: str, node: cst.Call, frame: Frame) -> Value:
        return Value(cst.SimpleString('"tensorflow"'), known="tensorflow")

    def _devices(self, symbol: str, node: cst.Call, frame: Frame) -> Value | None:
        kind = self.eval(node.args[0].value, frame).known if node.args else None
        if len(node.args) > 1 or not (kind is None or isinstance(kind, str)):
            return None
        self.unit.imports.add("jax")
        if kind is None:
            return Value(cst.parse_expression("jax.devices()"))
        if kind == "CPU":
            return Value(cst.parse_expression('jax.devices("cpu")'))
        code = f'[device for device in jax.devices() if device.platform == "{kind.lower()}"]'
        return Value(cst.parse_expression(code))

    def _gpu(self, symbol: str, node: cst.Call, frame: Frame) -> Value:
        self.unit.imports.add("jax")
        return Value(cst.parse_expression('jax.default_backend() == "gpu"'))

    def _static(self, symbol: str, node: cst.Call, frame: Frame) -> Value | None:
        return self.eval(node.args[0].value, frame) if len(node.args) == 1 and not node.args[0].star else None

    def _shape(self, symbol: str, node: cst.Call, frame: Frame) -> Value | None:
        if len(node.args) != 1 or node.args[0].star:
            return None
        value = self.eval(node.args[0].value, frame)
        if isinstance(value.code, cst.List):
            whole = cst.Tuple(value.code.elements)
            return dataclasses.replace(
                value, code=whole, known=UNKNOWN if value.known is UNKNOWN else tuple(value.known)
            )
        if value.shape_of is not None or value.items is not None or value.known is None:
            return value
        return dataclasses.replace(value, code=cst.Call(cst.Name("tuple"), [cst.Arg(value.code)]))

    def _spec(self, symbol: str, node: cst.Call, frame: Frame) -> Value | None:
        given = {arg.keyword.value if arg.keyword else ("shape", "dtype", "name")[i]: arg.value
                 for i, arg in enumerate(node.args[:3])}  # fmt: skip
        shape = self.eval(given["shape"], frame) if "shape" in given else None
        if shape is None or shape.known is UNKNOWN or shape.known is None or None in tuple(shape.known):
            return None
        dtype = text(self.eval(given["dtype"], frame).code) if "dtype" in given else "jnp.float32"
        self.unit.imports |= {"jax", "jnp"}
        return Value(cst.parse_expression(f"jax.ShapeDtypeStruct({tuple(shape.known)!r}, {dtype})"))

    def _eagerly(self, symbol: str, node: cst.Call, frame: Frame) -> Value | None:
        if len(node.args) != 1 or node.args[0].star:
            return None
        self.unit.imports.add("jax")
        value = text(self.eval(node.args[0].value, frame).code)
        return Value(cst.parse_expression(f'jax.config.update("jax_disable_jit", {value})'))

    def _phase(self, symbol: str, node: cst.Call, frame: Frame) -> Value | None:
        if frame.mode not in ("call", "staged"):
            return None
        frame.flags.add("training")
        return Value(cst.Name("training"))

    def _is_keras(self, symbol: str, node: cst.Call, frame: Frame) -> Value | None:
        if frame.mode != "staged" or len(node.args) != 1:
            return None
        value = self.eval(node.args[0].value, frame)
        known = True if value.is_tensor or value.special is not None else UNKNOWN
        return Value(cst.Name("True"), known=known) if known is not UNKNOWN else None

    # -- branches on the answers -------------------------------------------------------------------

    def run(self, body: Sequence[cst.BaseStatement], frame: Frame) -> Staged:
        for i, statement in enumerate(body):
            if isinstance(statement, cst.If) and self.asks(statement.test, _FIXED):
                taken = self.taken(statement, frame)
                if taken is not None and taken and isinstance(taken[-1], cst.SimpleStatementLine):
                    if isinstance(taken[-1].body[-1], cst.Return | cst.Raise):  # nothing after it is reached
                        return super().run(body[: i + 1], frame)
        return super().run(body, frame)

    def _exec_If(self, node: cst.If, frame: Frame) -> Staged:
        taken = self.taken(node, frame) if self.asks(node.test, _SETTLED) else None
        return super()._exec_If(node, frame) if taken is None else self.run(taken, frame)

    def asks(self, test: cst.BaseExpression, symbols: frozenset[str]) -> bool:
        return any(self.unit.symbol(call.func) in symbols for call in findall(test, m.Call()))

    def taken(self, node: cst.If, frame: Frame) -> Sequence[cst.BaseStatement] | None:
        """The statements of the branch that is always taken; None where the answer does not settle it."""
        known = self.eval(node.test, frame).known
        if not isinstance(known, bool):
            return None
        branch: Any = node.body if known else node.orelse
        if isinstance(branch, cst.If):
            return [branch]
        block: Any = branch.body if isinstance(branch, cst.Else) else branch
        return block.body if block is not None else []

    # -- releases ----------------------------------------------------------------------------------

    def _eval_Call(self, node: cst.Call, frame: Frame) -> Value:
        name = node.func.attr.value if isinstance(node.func, cst.Attribute) else text(node.func)
        shown = name in _PRINTING
        self.printing += shown
        try:
            return super()._eval_Call(node, frame)
        finally:
            self.printing -= shown

    def _eval_FormattedString(self, node: cst.FormattedString, frame: Frame) -> Value:
        self.printing += 1
        try:
            return self._generic(node, frame)
        finally:
            self.printing -= 1

    def materialise(self, value: Value, node: cst.BaseExpression, frame: Frame) -> Value:
        if value.symbol in _VERSIONS and self.printing:
            self.unit.imports.add("jax")
            return Value(cst.parse_expression("jax.__version__"))
        return super().materialise(value, node, frame)


_ANSWERS = {
    _EAGER: Questions._eager,
    _BACKEND: Questions._backend,
    _DEVICES: Questions._devices,
    _GPU: Questions._gpu,
    _STATIC: Questions._static,
    _SHAPES: Questions._shape,
    _SPECS: Questions._spec,
    _EAGERLY: Questions._eagerly,
    _PHASE: Questions._phase,
    _IS_KERAS: Questions._is_keras,
}
