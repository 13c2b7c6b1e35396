"""The files of `tf_audit`."""

import json
import pathlib

from absl.testing import absltest

_HERE = pathlib.Path(__file__).parent


class RuleTest(absltest.TestCase):
    def test_report(self) -> None:
        found = json.loads((_HERE / "audit.json").read_text())
        model = found["targets"]["//tests/auditing:model"]
        self.assertEqual((model["direct"], model["transitive"], model["wave"]), ("tensorflow", "mixed", 1))
        self.assertEqual(model["files"], ["tests/auditing/testdata/model.py"])
        self.assertIn("@pypi//:tensorflow_cpu", [dep.replace("@_main~python_deps~", "@") for dep in model["deps"]])
        self.assertEqual(found["targets"]["//tests/auditing:scale"]["direct"], "jax")
        self.assertEqual(found["findings"], [])
        for kind in ("csv", "dot", "svg", "html"):
            self.assertGreater((_HERE / f"audit.{kind}").stat().st_size, 10)


if __name__ == "__main__":
    absltest.main()
