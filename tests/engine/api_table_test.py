"""The checked-in table of names is that of the installed packages."""

import pathlib

from absl.testing import absltest

from codemods.engine import api, make_api_table

COMMAND = "python -m codemods.engine.make_api_table codemods/engine/api_table.json"


class ApiTableTest(absltest.TestCase):
    def test_is_fresh(self):
        kept = (pathlib.Path(api.__file__).parent / "api_table.json").read_text()
        if kept != make_api_table.render():
            self.fail(f"codemods/engine/api_table.json is out of date; run: {COMMAND}")


if __name__ == "__main__":
    absltest.main()
