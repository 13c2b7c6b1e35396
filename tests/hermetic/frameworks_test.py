"""TensorFlow, both Keras generations and JAX import and compute in one process."""

import jax
import keras
import numpy as np
import tensorflow as tf
import tf_keras
from absl.testing import absltest


class FrameworksTest(absltest.TestCase):
    def test_the_locked_versions_are_imported(self):
        self.assertEqual(tf.__version__, "2.21.0")
        self.assertEqual(jax.__version__, "0.10.2")
        self.assertEqual(keras.__version__, "3.15.1")
        self.assertEqual(tf_keras.__version__, "2.21.0")

    def test_both_sides_compute_alike(self):
        x = np.linspace(-2, 2, 12, dtype=np.float32).reshape(3, 4)
        np.testing.assert_allclose(tf.nn.softmax(x).numpy(), jax.nn.softmax(x), rtol=1e-6)

    def test_keras_is_the_one_that_tensorflow_exports(self):
        self.assertIs(tf.keras.layers.Dense, keras.layers.Dense)


if __name__ == "__main__":
    absltest.main()
