"""The project's Python is formatted and free of what pyproject.toml asks ruff to find."""

import pathlib
import re
import subprocess

import ruff
from absl.testing import absltest

RUFF = pathlib.Path(ruff.__file__).parents[1] / "bin" / "ruff"


def run(*command: str) -> str:
    """What ruff complains about in the files that this test was given."""
    files = [str(p) for p in sorted(pathlib.Path().rglob("*.py")) if p.parts[0] != "external"]
    done = subprocess.run([RUFF, *command, *files], capture_output=True, text=True)
    return done.stdout + done.stderr if done.returncode else ""


class RuffTest(absltest.TestCase):
    def test_there_are_files_to_check(self):
        self.assertTrue(pathlib.Path("codemods/engine/rule.py").exists())

    def test_check(self):
        problems = run("check", "--no-cache", "--output-format=concise")
        self.assertFalse(problems, problems)

    def test_format(self):
        problems = re.findall(r"(?:--> |would reformat:? )(.*)", run("format", "--check", "--no-cache"), re.IGNORECASE)
        self.assertFalse(problems, "to format these, run: ./bazelw run //:format")


if __name__ == "__main__":
    absltest.main()
