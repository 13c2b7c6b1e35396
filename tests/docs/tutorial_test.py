"""docs/tutorial.md, done as it says: its files, its commands, and what they print."""

from __future__ import annotations

import os
import pathlib
import re
import shlex
import subprocess
import sys

from absl.testing import absltest

PAGE = pathlib.Path("docs/tutorial.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
_COMMAND = "./bazelw run //:jaxport -- "


def blocks(language):
    """The text of the page's blocks of one language."""
    return [text for name, text in _BLOCK.findall(PAGE) if name == language]


def shape(line):
    """A line without its measurements, which differ from machine to machine."""
    return re.sub(r"\d+(\.\d+)?e[-+]\d+", "#", line.strip())


class TutorialTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.original, self.variety, self.model = blocks("python")
        self.coverage, self.port = [text.strip() for text in blocks("sh")]
        self.file = self.folder / "reviews.py"
        self.file.write_text(self.original)

    def jaxport(self, command):
        """Runs a command of the page as `bazel run` would, from the folder of the file."""
        self.assertStartsWith(command, _COMMAND)
        variables = {
            "PYTHONPATH": os.pathsep.join([os.getcwd(), *sys.path]),
            "BUILD_WORKING_DIRECTORY": str(self.folder),
        }
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", *shlex.split(command.removeprefix(_COMMAND))],
            capture_output=True, text=True, env=os.environ | variables, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout

    def assert_printed(self, expected, out):
        printed = {shape(line) for line in out.splitlines()}
        for line in expected.splitlines():
            self.assertIn(shape(line), printed, out)

    def mend(self):
        """What the page says to change."""
        start, end = self.original.index("    def variety("), self.original.index("    def call(")
        mended = f"{self.original[:start]}{self.variety.rstrip()}\n\n{self.original[end:]}"
        cast = "tf.cast(self.variety(words), tf.float32)[:, None]"
        self.assertIn(cast, mended)
        self.file.write_text(mended.replace(cast, "self.variety(words)[:, None]"))

    def test_coverage(self):
        code, out = self.jaxport(self.coverage)
        self.assertEqual(code, 0, out)
        self.assert_printed(blocks("text")[0], out)

    def test_port(self):
        code, _ = self.jaxport(f"{self.port} --verify none")
        self.assertEqual(code, 3)
        self.mend()
        code, out = self.jaxport(self.port)
        self.assertEqual(code, 0, out)
        self.assert_printed(blocks("text")[1], out)
        self.assertIn(self.model, (self.folder / "out" / "reviews_jax.py").read_text())


if __name__ == "__main__":
    absltest.main()
