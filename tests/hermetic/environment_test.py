"""A target imports what its deps say, with the pinned interpreter, and nothing of the host's."""

import importlib.util
import os
import site
import sys

from absl.testing import absltest


class EnvironmentTest(absltest.TestCase):
    def test_the_interpreter_is_the_repository_copy(self):
        self.assertEqual(sys.version_info[:2], (3, 11))
        self.assertIn("external", sys.base_prefix.split(os.sep))

    def test_no_site_packages_of_the_host(self):
        self.assertFalse(site.ENABLE_USER_SITE)
        leaks = [p for p in sys.path if p.startswith(("/usr/", "/root/.local", os.path.expanduser("~/.local")))]
        self.assertEqual(leaks, [])

    def test_only_declared_distributions_can_be_imported(self):
        self.assertIsNotNone(importlib.util.find_spec("jax"))
        for name in ("tensorflow", "keras", "tf_keras", "flax", "google.genai", "pip"):
            with self.subTest(name):
                try:
                    found = importlib.util.find_spec(name)
                except ModuleNotFoundError:
                    found = None
                self.assertIsNone(found)

    def test_settings_of_bazelrc_arrive(self):
        self.assertEqual(os.environ.get("JAX_PLATFORMS"), "cpu")
        self.assertEqual(os.environ.get("TF_ENABLE_ONEDNN_OPTS"), "0")


if __name__ == "__main__":
    absltest.main()
