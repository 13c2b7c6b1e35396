"""Files of a build step are found under their names in the repository, and nothing is left behind."""

import argparse
import importlib
import os
import pathlib
import sys

from absl.testing import absltest

from rules.tools import placed


class PlacedTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.folder)

    def args(self, *flags):
        parser = argparse.ArgumentParser()
        placed.add_arguments(parser)
        return parser.parse_args(flags)

    def test_files_and_folders(self):
        (self.folder / "generated.py").write_text("x = 1\n")
        (self.folder / "tree").mkdir()
        (self.folder / "tree" / "a.txt").write_text("a")
        with placed.folder(self.args("--place=generated.py=pkg/sub/source.py", "--place=tree=pkg/tree")) as root:
            self.assertEqual(pathlib.Path.cwd(), root)
            self.assertEqual(pathlib.Path("pkg/sub/source.py").read_text(), "x = 1\n")
            self.assertEqual(pathlib.Path("pkg/tree/a.txt").read_text(), "a")
            self.assertFalse(pathlib.Path("generated.py").exists())
        self.assertFalse(root.exists())
        self.assertEqual(pathlib.Path.cwd(), self.folder.resolve())

    def test_imports(self):
        (self.folder / "file.py").write_text("value = 3\n")
        outside = self.folder / "outside"
        outside.mkdir()
        (outside / "placed_test_external.py").write_text("value = 4\n")
        before = list(sys.path)
        flags = ["--place=file.py=lib/placed_test_own.py", "--import_path=lib", "--external_path=outside"]
        with placed.folder(self.args(*flags, "--external_path=not/there")):
            self.assertEqual(importlib.import_module("placed_test_own").value, 3)
            self.assertEqual(importlib.import_module("placed_test_external").value, 4)
            self.assertEqual(sys.path[: len(before)], before)
        self.assertEqual(sys.path, before)


if __name__ == "__main__":
    absltest.main()
