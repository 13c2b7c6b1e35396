"""Files that import each other: joined, ported, taken apart, and run together."""

import importlib
import pathlib
import sys
import textwrap

import numpy as np
from absl.testing import absltest
from flax import nnx

from codemods.linking.files import linked_files
from codemods.linking.link import Linked, link
from codemods.linking.parents import stand_in_parents
from codemods.linking.unlink import ported_path, written_path
from codemods.port import BadSource, Port, port_file

LAYERS = """
    from tensorflow import keras

    SIZE = 3

    class Block(keras.layers.Layer):
        def __init__(self, units):
            super().__init__()
            self.dense = keras.layers.Dense(units)

        def call(self, x):
            return self.dense(x)
    """


class PackageTestCase(absltest.TestCase):
    def package(self, **files: str) -> pathlib.Path:
        """Files by their path with `__` for a slash; `init` for `__init__`."""
        root = pathlib.Path(self.create_tempdir().full_path)
        for name, text in files.items():
            path = root / (name.replace("init", "@").replace("__", "/").replace("@", "__init__") + ".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text).lstrip("\n"))
        return root

    def linked(self, root: pathlib.Path, entry: str) -> Linked:
        return link(root, linked_files(root, entry))


class LinkingTest(PackageTestCase):
    def test_only_files_that_reach_tensorflow_are_taken_in(self) -> None:
        root = self.package(
            a__layers=LAYERS, a__config="SIZES = (1, 2)", a__far="from a.layers import Block",
            a__net="from a import config\nfrom a.far import Block\nimport a.other",
            a__other="import numpy",
        )  # fmt: skip
        found = linked_files(root, "a/net.py")
        self.assertEqual([f.path for f in found], ["a/layers.py", "a/far.py", "a/net.py"])
        self.assertIn("from a import config\n", link(root, found).text)

    def test_cycles(self) -> None:
        root = self.package(
            m="import tensorflow as tf\nimport n\ndef f(x):\n    return n.g(x)",
            n="import m\ndef g(x):\n    return m.f(x)",
        )
        self.assertEqual({f.path for f in linked_files(root, "m.py")}, {"m.py", "n.py"})

    def test_aliases_chains_and_stars_stand_for_definitions(self) -> None:
        root = self.package(
            p__layers=LAYERS,
            p__init="from .layers import *",
            p__use="""
                import tensorflow as tf
                import p.layers
                from p import layers as L, Block as B
                from . import SIZE

                def f(x, Block=None):
                    size = L.SIZE + SIZE
                    return p.layers.Block(size), L.Block(1), B(2), dict(B=Block), x.SIZE
                """,
        )
        text = self.linked(root, "p/use.py").text
        self.assertIn("size = SIZE + SIZE", text)
        self.assertIn("return Block(size), Block(1), Block(2), dict(B=Block), x.SIZE", text)

    def test_names_that_two_files_define_are_told_apart(self) -> None:
        root = self.package(
            layers=LAYERS,
            use="""
                import tensorflow as tf
                from layers import SIZE as WIDTH

                SIZE = 5

                def f(x):
                    return tf.reshape(x, (SIZE, WIDTH))
                """,
        )
        found = self.linked(root, "use.py")
        self.assertIn("SIZE__layers = 3", found.text)
        self.assertIn("(SIZE, SIZE__layers)", found.text)

    def test_places_are_those_of_the_files(self) -> None:
        root = self.package(
            layers=LAYERS, use="import tensorflow as tf\nfrom layers import Block as B\n\ny = tf.abs(B)\n"
        )
        found = self.linked(root, "use.py")
        line = next(i for i, text in enumerate(found.text.splitlines(), 1) if text.startswith("y ="))
        self.assertEqual(str(found.span(line, 4, line, 10)), "use.py:4:5")
        self.assertEqual(str(found.span(line, 11, line, 16)), "use.py:4:12")

    def test_where_ports_lie(self) -> None:
        self.assertEqual(ported_path("a/__init__.py"), "a/init_jax.py")
        self.assertEqual(written_path("a/b/c.py", "a/net.py"), "b/c_jax.py")
        self.assertEqual(written_path("z/c.py", "a/net.py"), "z/c_jax.py")


class PortedPackageTest(PackageTestCase):
    def test_ports_import_each_other_without_running_their_packages(self) -> None:
        root = self.package(
            zoo__init="raise RuntimeError('this package is not to be run')",
            zoo__layers=LAYERS,
            zoo__config="UNITS = (4, 2)",
            zoo__net="""
                import tensorflow as tf
                from . import layers
                from .config import UNITS

                SIZE = 7

                class Net(tf.keras.Model):
                    def __init__(self):
                        super().__init__()
                        self.blocks = [layers.Block(units) for units in UNITS]

                    def call(self, x):
                        for block in self.blocks:
                            x = tf.nn.relu(block(x))
                        return x * layers.SIZE / SIZE
                """,
        )
        port = Port((root / "zoo/net.py").read_text(), "zoo/net.py", None, root)
        self.assertEqual(port.unit.residuals, [])
        self.assertEqual(sorted(port.sources), ["zoo/layers.py", "zoo/net.py"])
        self.assertIn("from .layers_jax import Block, SIZE as SIZE__layers", port.sources["zoo/net.py"])
        self.assertIn("\nSIZE = 3\n", port.sources["zoo/layers.py"])
        for path, text in port.sources.items():
            (root / ported_path(path)).write_text(text)
        stand_in_parents("zoo", root)
        sys.path.insert(0, str(root))
        net = importlib.import_module("zoo.net_jax").Net(3, rngs=nnx.Rngs(0))
        self.assertEqual(net(np.ones((5, 3), np.float32)).shape, (5, 2))

    def test_residuals_name_the_file_that_they_are_in(self) -> None:
        root = self.package(
            layers="import tensorflow as tf\n\n\ndef f(x):\n    return tf.raw_ops.Foo(x)\n",
            net="import tensorflow as tf\nimport layers\n\n\ndef g(x):\n    return layers.f(tf.abs(x))\n",
        )
        port = Port((root / "net.py").read_text(), "net.py", None, root)
        self.assertIn(("layers.py", 5), {(r.span.file, r.span.line) for _, r in port.unit.residuals if r.span})
        self.assertIn("# jaxport: line 5: tf.raw_ops.Foo", port.sources["layers.py"])

    def test_a_link_counts_where_it_lies(self) -> None:
        elsewhere = self.package(real="import tensorflow as tf\n\n\ndef f(x):\n    return tf.abs(x)\n")
        root = self.package(other="import numpy\n")
        (root / "net.py").symlink_to(elsewhere / "real.py")
        self.assertEqual(port_file(root / "net.py", None, root.resolve()).unit.file, "net.py")
        with self.assertRaisesRegex(BadSource, "real.py: does not lie in .*, where imports start"):
            port_file(elsewhere / "real.py", None, root.resolve())


if __name__ == "__main__":
    absltest.main()
