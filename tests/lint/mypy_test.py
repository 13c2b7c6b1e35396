"""The project's Python type-checks with the settings in pyproject.toml."""

import pathlib

from absl.testing import absltest
from mypy import api


class MypyTest(absltest.TestCase):
    def test_types(self):
        files = [str(p) for p in sorted(pathlib.Path().rglob("*.py")) if p.parts[0] != "external"]
        self.assertIn("codemods/engine/rule.py", files)
        output, errors, status = api.run(["--cache-dir=/dev/null", "--config-file=pyproject.toml", *files])
        self.assertEqual(status, 0, "\n" + output + errors)


if __name__ == "__main__":
    absltest.main()
