"""Where checks run, and how much wider tolerances are there."""

from __future__ import annotations

from unittest import mock

import jax
import jax.numpy as jnp
from absl.testing import absltest, parameterized

from parity import devices
from parity.errors import NoDeviceError
from parity.oracle_file import Oracle


def _errors_where(name, operation):
    """Errors of a device that computes one operation in its own way."""
    exact = devices.OPERATIONS[name][1]
    with mock.patch.dict(devices.OPERATIONS, {name: (operation, exact)}):
        return devices._errors(jax.devices("cpu")[0])


def _bfloat16_matmul(x, y):
    return jnp.matmul(x.astype(jnp.bfloat16), y.astype(jnp.bfloat16), preferred_element_type=jnp.float32)


class DevicesTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.reference = devices._errors(jax.devices("cpu")[0])

    def test_every_operation_is_near_the_truth_on_the_cpu(self):
        for name, error in self.reference.items():
            with self.subTest(name):
                self.assertLess(error, 1e-5)

    def test_the_same_device_is_as_precise_as_itself(self):
        factor, _ = devices.coarseness(self.reference, self.reference)
        self.assertEqual(factor, 1.0)

    def test_a_device_that_multiplies_in_bfloat16_is_refused(self):
        factor, worst = devices.coarseness(self.reference, _errors_where("matmul", _bfloat16_matmul))
        self.assertEqual(worst, "matmul")
        check = devices.Device("tpu", "TPU v9", factor, worst).checks()[0]
        self.assertFalse(check.passed)
        self.assertIn("errors of matmul", check.detail)

    def test_a_coarser_function_widens_tolerances_a_little(self):
        found = _errors_where("tanh", lambda x, y: jnp.tanh(x) * (1 + 6e-7))
        factor, worst = devices.coarseness(self.reference, found)
        self.assertEqual(worst, "tanh")
        self.assertBetween(factor, 2.0, 20.0)
        self.assertTrue(devices.Device("tpu", "TPU v9", factor, worst).checks()[0].passed)

    def test_tolerances_of_what_has_to_be_equal_stay_zero(self):
        oracle = Oracle("step", [], [], [], [], None, [], "float64", {"a": 1e-6, "b": 0.0}, [], {})
        self.assertEqual(oracle.widened(3.0).tolerances, {"a": 3e-6, "b": 0.0})
        self.assertIs(oracle.widened(1.0), oracle)

    def test_the_cpu_is_always_there(self):
        with devices.on("cpu") as device:
            self.assertEqual((device.platform, device.factor, device.checks()), ("cpu", 1.0, []))

    def test_a_device_that_is_not_there(self):
        with (
            mock.patch.object(jax, "devices", side_effect=_no_accelerator),
            self.assertRaisesRegex(NoDeviceError, "no tpu here that JAX can use .it has cpu.: Unknown backend"),
            devices.on("tpu"),
        ):
            pass

    def test_a_device_that_is_there(self):
        cpu = jax.devices("cpu")[0]
        with mock.patch.object(jax, "devices", return_value=[cpu]), devices.on("gpu") as device:
            self.assertEqual((device.platform, device.factor), ("gpu", 1.0))
            self.assertIn(cpu, jnp.zeros(2).devices())


def _no_accelerator(platform=None):
    if platform is None:
        return [mock.Mock(platform="cpu")]
    raise RuntimeError(f"Unknown backend: '{platform}' requested")


if __name__ == "__main__":
    absltest.main()
