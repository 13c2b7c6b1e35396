"""What only tells TensorFlow or Keras how to run, name or save things: it is left out."""

from __future__ import annotations

from typing import Any

import libcst as cst
import libcst.matchers as m

from codemods.engine.handled import handled
from codemods.passes.frame import Frame
from codemods.passes.modules import ModuleSpec
from codemods.passes.placing.staging import Staged
from codemods.passes.recurrent_states import RecurrentStates
from codemods.passes.values import Value, text
from codemods.policy.lookup import reason

_SETTINGS = handled(
    "tf.keras.backend.clear_session",
    "tf.keras.config.disable_interactive_logging",
    "tf.keras.config.disable_traceback_filtering",
    "tf.keras.config.enable_interactive_logging",
    "tf.keras.config.enable_traceback_filtering",
    "tf.keras.utils.plot_model",
    "tf.config.experimental.set_memory_growth",
    "tf.config.experimental.set_synchronous_execution",
    "tf.config.experimental.enable_op_determinism",
    "tf.config.optimizer.set_experimental_options",
    "tf.config.optimizer.set_jit",
    "tf.config.set_logical_device_configuration",
    "tf.config.set_soft_device_placement",
    "tf.config.set_visible_devices",
    "tf.config.threading.set_inter_op_parallelism_threads",
    "tf.config.threading.set_intra_op_parallelism_threads",
    "tf.data.experimental.enable_debug_mode",
    "tf.debugging.disable_traceback_filtering",
    "tf.debugging.enable_traceback_filtering",
    "tf.debugging.set_log_device_placement",
    "tf.experimental.numpy.experimental_enable_numpy_behavior",
    "tf.compat.v1.enable_eager_execution",
    "tf.compat.v1.enable_resource_variables",
    "tf.compat.v1.enable_v2_behavior",
    "tf.compat.v1.enable_v2_tensorshape",
    "tf.compat.v1.logging.set_verbosity",
    "tf.autograph.set_verbosity",
    "tf.autograph.experimental.set_loop_options",
    becomes="left out: it tells TensorFlow how to run, and changes no result",
    only="as a statement",
    sample="""
    def main(x):
        SYMBOL()
        return tf.abs(x)
    """,
)
handled(
    "tf.config.LogicalDeviceConfiguration",
    becomes="left out with the call that it is given to",
    only="among the arguments of tf.config.set_logical_device_configuration",
    sample="""
    def main(x, device):
        tf.config.set_logical_device_configuration(device, [SYMBOL(memory_limit=1024)])
        return tf.abs(x)
    """,
)
_DEFAULTS = {
    **dict.fromkeys(
        handled(
            "tf.keras.config.set_floatx",
            becomes="left out, where it sets float32",
            only='with "float32"',
            sample="""
            def main(x):
                SYMBOL("float32")
                return tf.abs(x)
            """,
        ),
        "float32",
    ),
    **dict.fromkeys(
        handled(
            "tf.keras.config.set_image_data_format",
            becomes="left out, where it sets what Flax has",
            only='with "channels_last"',
            sample="""
            def main(x):
                SYMBOL("channels_last")
                return tf.abs(x)
            """,
        ),
        "channels_last",
    ),
}
_DECORATORS = handled(
    "tf.keras.utils.register_keras_serializable",
    "keras.src.api_export.keras_export",
    "tensorflow.python.util.tf_export.keras_export",
    "tensorflow.python.util.tf_export.tf_export",
    "tensorflow.python.util.deprecation.deprecated",
    "tensorflow.python.util.deprecation.deprecated_args",
    "tensorflow.python.util.dispatch.add_dispatch_support",
    becomes="left out: it names things for Keras's files and API, or warns",
    only="as a decorator",
    sample="""
    @SYMBOL("p")
    class Scale(tf.keras.layers.Layer):
        def call(self, x):
            return 2.0 * x

    @SYMBOL("q")
    def twice(x):
        return 2.0 * x
    """,
) | handled(
    "tf.Module.with_name_scope",
    "tf.function",
    "tf.autograph.experimental.do_not_convert",
    becomes="left out: whoever calls the model compiles it",
    only="as a decorator of a model's method",
    sample="""
    class Scale(tf.Module):
        @SYMBOL
        def __call__(self, x):
            return 2.0 * x
    """,
)
_SPECS = handled(
    "tf.keras.InputSpec",
    becomes="left out: JAX's own errors name the shapes",
    only="as a layer's `input_spec`",
    sample="""
    class Scale(tf.keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.input_spec = SYMBOL(ndim=2)

        def build(self, input_shape):
            self.input_spec = [SYMBOL(ndim=2, axes={-1: input_shape[-1]})]

        def call(self, x):
            return 2.0 * x
    """,
)
handled(
    "tf.keras.activations.serialize", "tf.keras.activations.deserialize",
    "tf.keras.constraints.serialize", "tf.keras.constraints.deserialize",
    "tf.keras.initializers.serialize", "tf.keras.initializers.deserialize",
    "tf.keras.layers.serialize", "tf.keras.layers.deserialize",
    "tf.keras.losses.serialize", "tf.keras.losses.deserialize",
    "tf.keras.metrics.serialize", "tf.keras.metrics.deserialize",
    "tf.keras.optimizers.serialize", "tf.keras.optimizers.deserialize",
    "tf.keras.regularizers.serialize", "tf.keras.regularizers.deserialize",
    "tf.keras.utils.serialize_keras_object", "tf.keras.utils.deserialize_keras_object",
    becomes="left out with the method: only Keras calls it",
    only="in get_config and from_config",
    sample="""
    class Scale(tf.keras.layers.Layer):
        def __init__(self, inner, **kwargs):
            super().__init__(**kwargs)
            self.inner = inner

        def call(self, x):
            return 2.0 * x

        def get_config(self):
            config = super().get_config()
            config.update({"inner": SYMBOL(self.inner)})
            return config

        @classmethod
        def from_config(cls, config):
            config["inner"] = SYMBOL(config["inner"])
            return cls(**config)
    """,
)  # fmt: skip
_ORDER = handled(
    "tf.control_dependencies",
    becomes="left out: statements run in the order of the code; assertions among the dependencies come before",
    only="as a `with` statement",
    sample="""
    def f(x):
        with SYMBOL([tf.debugging.assert_equal(1, 1)]):
            return tf.abs(x)
    """,
)
_PLACES = handled(
    "tf.device",
    becomes="left out: JAX places arrays itself; jax.device_put and jax.default_device say otherwise",
    only="as a `with` statement",
    sample="""
    def f(x):
        with SYMBOL("/CPU:0"):
            x = tf.abs(x)
        return x
    """,
)


class Settings(RecurrentStates):
    """Statements, decorators and scopes without a counterpart."""

    def call_symbol(self, symbol: str, node: cst.Call, frame: Frame) -> Value:
        if symbol in _SETTINGS:
            frame.unit.note(
                node, f"`{text(node.func)}` left out: it tells TensorFlow how to run, and changes no result"
            )
            return Value(node, special="dropped")
        if symbol in _SPECS:
            return Value(node)
        if symbol in _DEFAULTS and len(node.args) == 1:
            if self.eval(node.args[0].value, frame).known == _DEFAULTS[symbol]:
                return Value(node, special="dropped")
        return super().call_symbol(symbol, node, frame)

    def _small_Expr(self, node: cst.Expr, frame: Frame) -> tuple[list[Any], bool]:
        items, config = super()._small_Expr(node, frame)
        return [item for item in items if not m.matches(item, m.Expr(m.Name("None")))], config

    # -- scopes ------------------------------------------------------------------------------------

    def _exec_With(self, node: cst.With, frame: Frame) -> Staged:
        first = Staged()
        kept = []
        for item in node.items:
            call = item.item
            symbol = self.unit.symbol(call.func) if isinstance(call, cst.Call) else None
            if symbol in _ORDER:
                checks = [cst.SimpleStatementLine([cst.Expr(e)]) for e in _calls(call)]
                first.extend(self.run(checks, frame))
            elif symbol in _PLACES:
                frame.unit.note(call, f"`{text(call)}` left out: JAX places arrays itself, see jax.default_device")
            else:
                kept.append(item)
        if len(kept) == len(node.items):
            return super()._exec_With(node, frame)
        if kept:
            first.extend(super()._exec_With(node.with_changes(items=kept), frame))
        else:
            first.extend(self.run(node.body.body, frame))
        return first

    # -- decorators --------------------------------------------------------------------------------

    def analyse_class(self, spec: ModuleSpec, inputs: Any) -> None:
        self.check_decorators(spec.node, spec.source)
        for statement in spec.node.body.body:
            if isinstance(statement, cst.FunctionDef):
                self.check_decorators(statement, f"{spec.source}.{statement.name.value}")
        super().analyse_class(spec, inputs)

    def decorator(self, node: cst.Decorator, function: cst.FunctionDef, name: str) -> cst.Decorator | None:
        if (
            self.decorator_symbol(node) in _DECORATORS
            and "." not in name
            and self.decorator_symbol(node) != "tf.function"
        ):
            return None
        return super().decorator(node, function, name)

    def decorator_symbol(self, node: cst.Decorator) -> str | None:
        """What a decorator is, with arguments or without."""
        target = node.decorator
        return self.unit.symbol(target.func if isinstance(target, cst.Call) else target)

    def check_decorators(self, node: cst.ClassDef | cst.FunctionDef, name: str) -> None:
        """Decorators of the framework go; those that say something about the result are residuals."""
        for decorator in node.decorators:
            symbol = self.decorator_symbol(decorator)
            if symbol is not None and symbol not in _DECORATORS:
                self.unit.residual(name, decorator, symbol, reason(symbol))


def _calls(node: cst.Call) -> list[cst.Call]:
    """The calls among the dependencies; names stand for statements that ran before."""
    given = node.args[0].value if node.args else None
    elements = given.elements if isinstance(given, cst.List | cst.Tuple) else ()
    return [element.value for element in elements if isinstance(element.value, cst.Call)]
