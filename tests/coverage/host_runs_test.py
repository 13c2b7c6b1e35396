"""Host code in a port gives what it gave in the original, and ported code reads it as NumPy arrays."""

from __future__ import annotations

import importlib.util
import pathlib
from typing import Any

import jax
import numpy as np
import tensorflow as tf
from absl.testing import absltest

from tests.coverage import snippets

PROGRAM = '''
import numpy as np

SIZE = 4
AUTOTUNE = tf.data.AUTOTUNE


class Scale(tf.keras.layers.Layer):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def call(self, x):
        return tf.reduce_mean(x, axis=-1) * self.factor


def write(path, rows):
    with tf.io.TFRecordWriter(path) as writer:
        for i in range(rows):
            value = np.arange(i, i + SIZE).astype("float32")
            features = {
                "x": tf.train.Feature(float_list=tf.train.FloatList(value=value)),
                "y": tf.train.Feature(int64_list=tf.train.Int64List(value=[i])),
            }
            writer.write(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())


class Records:
    """Reads what `write` wrote."""

    def __init__(self, path):
        self.files = tf.io.gfile.glob(path + "*")

    def parse(self, record):
        spec = {"x": tf.io.FixedLenFeature([SIZE], tf.float32), "y": tf.io.FixedLenFeature([], tf.int64)}
        example = tf.io.parse_single_example(record, spec)
        return normalise(example["x"]), example["y"]

    def load(self, batch=2):
        return tf.data.TFRecordDataset(self.files).map(self.parse, num_parallel_calls=AUTOTUNE).batch(batch)


def normalise(x):
    return (x - tf.reduce_mean(x)) / (tf.math.reduce_std(x) + 1.0)


def totals(model, data):
    found = []
    for x, y in data:
        found.append(tf.reduce_sum(model(x) + tf.cast(x[:, 0], tf.float32)) + tf.cast(tf.reduce_sum(y), tf.float32))
    return found


def main(path):
    """Writes, reads and sums up."""
    write(path, 5)
    records = Records(path)

    def doubled(x, y):
        return tf.concat([x, x], -1), y

    data = records.load().map(doubled)
    model = Scale(3.0)
    first = next(iter(data))
    names = [x.shape for x, _ in data]
    tf.io.gfile.makedirs(path + "_logs")
    with tf.io.gfile.GFile(path + "_logs/totals", "w") as file:
        for value in totals(model, data):
            file.write(f"{float(value):.4f}\\n")
    return totals(model, data), first, names, tf.io.gfile.exists(path)
'''


def run(source: str, folder: pathlib.Path, name: str) -> Any:
    """What `main` of a program gives; it is in a file, where autograph finds its source."""
    file = folder / f"{name}.py"
    file.write_text(source, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main(str(folder / f"records_{name}"))


class HostRunsTest(absltest.TestCase):
    def test_agrees_with_the_original(self) -> None:
        folder = pathlib.Path(self.create_tempdir().full_path)
        port = snippets.port(PROGRAM)
        self.assertEmpty(snippets.left(port), port.source)
        original, original_first, original_shapes, _ = run(snippets.HEADER + PROGRAM, folder, "original")
        ported, first, shapes, exists = run(port.source, folder, "ported")
        self.assertTrue(exists)
        self.assertLen(ported, 3)
        for expected, actual in zip(original, ported, strict=True):
            self.assertIsInstance(actual, jax.Array)
            np.testing.assert_allclose(np.asarray(expected), np.asarray(actual), rtol=1e-6)
        for expected, actual in zip(original_first, first, strict=True):
            self.assertIsInstance(actual, np.ndarray)
            np.testing.assert_allclose(np.asarray(expected), actual, rtol=1e-6)
        self.assertEqual([tuple(s) for s in original_shapes], shapes)
        logs = [(folder / f"records_{name}_logs" / "totals").read_text() for name in ("original", "ported")]
        self.assertEqual(*logs)

    def test_module_needs_no_tensorflow(self) -> None:
        module_level = [
            line for line in snippets.port(PROGRAM).source.splitlines() if line.startswith(("import", "from"))
        ]
        self.assertEmpty([line for line in module_level if "tensorflow" in line or "keras" in line])


if __name__ == "__main__":
    assert tf.executing_eagerly()
    absltest.main()
