"""The ported model is made, abstractly, to lay out its weights: in a module like any other."""

import textwrap
from typing import Any

from absl.testing import absltest, parameterized

from codemods.port import Port

SOURCE = """
    {first}
    import dataclasses
    import typing

    import tensorflow as tf


    @dataclasses.dataclass
    class Settings:
        kind: typing.ClassVar[str] = "small"
        hidden: int = 4


    class Net(tf.keras.layers.Layer):
        def __init__(self, settings):
            super().__init__()
            self.out = tf.keras.layers.Embedding(10, settings.hidden)

        def call(self, x):
            return self.out(x)
    """


def traced(number: int, name: str, **more: Any) -> dict[str, Any]:
    own = {"id": number, "class": name, "base": "tf.keras.layers.Layer", "user": False, "site": [], "args": {}}
    return {**own, "attrs": {}, "calls": [], "variables": [], **more}


class InstanceTest(parameterized.TestCase):
    @parameterized.parameters("from __future__ import annotations", "")
    def test_dataclasses(self, first: str) -> None:
        call = {"method": "call", "inputs": [{"shape": [4], "dtype": "int32"}], "kwargs": {}, "site": None,
                "outputs": {"shape": [4, 4], "dtype": "float32"}}  # fmt: skip
        trace = {
            "entry": "Net(Settings())", "call": "model(*inputs)", "root": 0, "inputs": call["inputs"],
            "objects": [traced(0, "Net", user=True, calls=[call])],
        }  # fmt: skip
        source = textwrap.dedent(SOURCE.format(first=first)).lstrip("\n")
        found = Port(source, "net.py", trace).weights_map("net_jax.py")
        self.assertNotIn("problem", found)
        self.assertEqual(found["entry"], "Net(Settings(), rngs=nnx.Rngs(0))")


if __name__ == "__main__":
    absltest.main()
