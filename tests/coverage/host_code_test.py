"""Which code is kept as host code, and how ported code reads what it gives."""

from __future__ import annotations

from absl.testing import absltest, parameterized

from tests.coverage import snippets

NET = """
class Net(tf.keras.layers.Layer):
    def call(self, x):
        return tf.abs(x)

"""


class HostCodeTest(parameterized.TestCase):
    def port(self, program: str) -> str:
        run = snippets.port(program)
        self.assertEmpty(snippets.left(run), run.source)
        self.assertEmpty(snippets.imports_at_top(run.source) & {"tensorflow", "keras"}, run.source)
        return run.source

    def test_what_a_pipeline_calls_stays(self) -> None:
        source = self.port(
            "def scaled(x):\n    return tf.cast(x, tf.float32) / 255.0\n\n"
            "def both(x, y):\n    return scaled(x), scaled(y)\n\n"
            "def load(data):\n    return tf.data.Dataset.from_tensor_slices(data).map(both).batch(2)\n"
        )
        self.assertIn("return tf.cast(x, tf.float32) / 255.0", source)
        self.assertIn("return scaled(x), scaled(y)", source)
        self.assertNotIn("jnp", source)

    @parameterized.parameters(
        "data.map(one)", "data.map(lambda x: one(x))", "data.filter(lambda x: one(x) > 0)", "data.interleave(one)",
        "data.map(functools.partial(one))", "data.take(3).map(one, num_parallel_calls=4)",
    )  # fmt: skip
    def test_what_is_handed_to_a_pipeline_stays(self, use: str) -> None:
        source = self.port(
            f"import functools\n\ndef one(x):\n    return tf.abs(x)\n\ndef use(data):\n    return {use}\n"
        )
        self.assertIn("return tf.abs(x)", source)

    def test_the_same_function_in_ported_code_is_ported(self) -> None:
        source = self.port("def one(x):\n    return tf.abs(x)\n\ndef use(data):\n    return one(data)\n")
        self.assertIn("return jnp.abs(x)", source)

    def test_a_function_for_both_is_a_residual(self) -> None:
        run = snippets.port(
            "def one(x):\n    return tf.abs(x)\n\ndef load(p):\n    return tf.data.TFRecordDataset(p).map(one)\n\n"
            "class Net(tf.keras.layers.Layer):\n    def call(self, x):\n        return one(x)\n"
        )
        self.assertIn("make two of it", " ".join(snippets.left(run).values()))

    def test_datasets_are_iterated_as_numpy(self) -> None:
        source = self.port(
            NET + "def load(p):\n    ds = tf.data.TFRecordDataset(p)\n    return ds.batch(2)\n\n"
            "def show(net, data):\n    for x in data:\n        print(net(x))\n\n"
            "def main(p):\n    data = load(p)\n    show(Net(), data)\n    first = next(iter(data))\n"
            "    for i, x in enumerate(load(p).take(2)):\n        print(i, first, x)\n"
            "    return [tf.abs(x) for x in data]\n"
        )
        self.assertIn("for x in data.as_numpy_iterator():", source)
        self.assertIn("next(iter(data.as_numpy_iterator()))", source)
        self.assertIn("enumerate(load(p).take(2).as_numpy_iterator())", source)
        self.assertIn("[jnp.abs(x) for x in data.as_numpy_iterator()]", source)

    def test_tensors_are_read_as_numpy(self) -> None:
        source = self.port(
            NET + "def image(p):\n    return tf.io.decode_png(tf.io.read_file(p)), tf.io.decode_png(p)\n\n"
            "def main(p):\n    a, b = image(p)\n    c = tf.io.decode_raw(tf.io.read_file(p), tf.uint8)\n"
            "    net = Net()\n    return net(a + b + tf.cast(c, tf.float32))\n"
        )
        self.assertIn("a, b = jax.tree.map(np.asarray, image(p))", source)
        self.assertIn("c = np.asarray(tf.io.decode_raw(tf.io.read_file(p), tf.uint8))", source)
        self.assertIn("jnp.asarray(c, dtype=jnp.float32)", source)

    def test_methods_of_plain_classes(self) -> None:
        source = self.port(
            "class Loader:\n    def __init__(self, p):\n        self.p = p\n\n"
            "    def parse(self, r):\n        return tf.io.decode_raw(r, tf.uint8)\n\n"
            "    def load(self):\n        return tf.data.TFRecordDataset(self.p).map(self.parse)\n\n"
            "def main(p):\n    for x in Loader(p).load():\n        print(tf.abs(x))\n"
        )
        self.assertIn("return tf.io.decode_raw(r, tf.uint8)", source)
        self.assertIn("for x in Loader(p).load().as_numpy_iterator():", source)
        self.assertIn("jnp.abs(x)", source)

    def test_functions_within_functions(self) -> None:
        source = self.port(
            NET + "def main(p):\n    net = Net()\n\n    def parse(r):\n        return tf.io.decode_raw(r, tf.uint8)\n\n"
            "    for x in tf.data.TFRecordDataset(p).map(parse):\n        print(net(x))\n"
        )
        self.assertIn("return tf.io.decode_raw(r, tf.uint8)", source)
        self.assertEqual(source.count("import tensorflow as tf"), 1)

    def test_names_of_the_module(self) -> None:
        source = self.port(
            "from tensorflow import data as d\nfrom tensorflow.io import gfile\nAUTO = d.AUTOTUNE\nK = tf.keras.utils\n\n"
            "def load(p):\n    K.get_file(p, p)\n    return d.TextLineDataset(gfile.glob(p)).prefetch(AUTO)\n"
        )
        for line in ("AUTO = -1", "from tensorflow import data as d", "from tensorflow.io import gfile",
                     "tf.keras.utils.get_file(p, p)", "d.TextLineDataset(gfile.glob(p)).prefetch(AUTO)"):  # fmt: skip
            self.assertIn(line, source)

    def test_not_in_compiled_functions(self) -> None:
        run = snippets.port(
            "@tf.function\ndef step(x):\n    tf.summary.scalar('x', x, 1)\n    return tf.nn.relu(tf.Variable(x))\n"
        )
        self.assertIn(
            "return the value, and do this where it is called", snippets.left(run).get("tf.summary.scalar", "")
        )

    def test_no_model_in_host_code(self) -> None:
        run = snippets.port(NET + "def main(p):\n    net = Net()\n    tf.io.write_file(p, net)\n")
        self.assertIn("a model is given to host code", snippets.left(run).get("tf.io.write_file", ""))

    def test_defaults_and_annotations(self) -> None:
        source = self.port(
            "def load(p: str, dtype: tf.DType = tf.float32) -> tf.data.Dataset:\n"
            "    return tf.data.TFRecordDataset(p).map(lambda r: tf.io.decode_raw(r, dtype))\n"
        )
        self.assertIn("def load(p: str, dtype: jnp.dtype = jnp.float32):", source)


if __name__ == "__main__":
    absltest.main()
