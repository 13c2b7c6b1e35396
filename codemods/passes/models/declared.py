"""The framework calls that build functional and Sequential models."""

from __future__ import annotations

from codemods.engine.handled import handled

_FUNCTIONAL = """
def build():
    x = tf.keras.Input(shape=(4,))
    return tf.keras.Model(x, tf.keras.layers.Dense(2)(x))
"""


INPUT = handled(
    "tf.keras.Input",
    becomes="an argument of the module's `__call__`",
    sample=_FUNCTIONAL.replace("tf.keras.Input", "SYMBOL"),
)


MODEL = handled(
    "tf.keras.Model",
    "tf.keras.models.Functional",
    becomes="an nnx.Module with the layers of a functional model",
    shows="(nnx.Module):",
    sample=_FUNCTIONAL.replace("tf.keras.Model", "SYMBOL"),
)


INPUT_LAYER = handled(
    "tf.keras.layers.InputLayer",
    becomes="an argument of the module's `__call__`",
    only="as the first layer of a Sequential",
    sample="""
    def build():
        return tf.keras.Sequential([SYMBOL((4,)), tf.keras.layers.Dense(2)])
    """,
)


SEQUENTIAL = handled(
    "tf.keras.Sequential",
    becomes="an nnx.Module, or nnx.Sequential",
    shows="Linear(4, 2",
    sample="""
    def build():
        return SYMBOL([tf.keras.Input((4,)), tf.keras.layers.Dense(2)])
    """,
)
