"""Tests what is said of files that can't be used."""

import pathlib

from absl.testing import absltest, parameterized

from parity import source
from parity.errors import BadInputError


class SourceTest(parameterized.TestCase):
    def write(self, data: bytes) -> str:
        path = pathlib.Path(self.create_tempdir(), "unit.py")
        path.write_bytes(data)
        return str(path)

    @parameterized.parameters(
        (b"import tensorflow as tf\ndef f(:\n", 2, "syntax error"),
        (b'import tensorflow as tf\n\nprint "loss", 3\n', 3, "Python 2 code: print is a statement"),
        (b"import tensorflow as tf\ntry:\n  pass\nexcept IOError, e:\n  pass\n", 4, "Python 2 code"),
        (b"import tensorflow as tf\nif a <> b:\n  pass\n", 2, "Python 2 code: `<>`"),
        (b"import tensorflow as tf\nx = `1`\n", 2, "Python 2 code: `x` in backquotes"),
        (b"import numpy\n", 1, "nothing to migrate"),
        (b"import tensorflow\n# caf\xe9\n", 2, "is not UTF-8: byte 0xe9"),
        (b"import tensorflow\n\0\n", 1, "syntax error"),
    )
    def test_refuses(self, data, line, reason):
        with self.assertRaises(BadInputError) as caught:
            source.check(self.write(data))
        self.assertEqual(caught.exception.line or 1, line)
        self.assertIn(reason, str(caught.exception))
        self.assertIn("unit.py", str(caught.exception))

    def test_refuses_a_missing_file(self):
        with self.assertRaisesRegex(BadInputError, "missing.py: can't be read: No such file"):
            source.check("missing.py")

    @parameterized.parameters(
        "import tensorflow as tf", "from keras import layers", "def f():\n  from tensorflow import keras",
        "try:\n  import tensorflow.compat.v1 as tf\nexcept ImportError:\n  tf = None",
    )  # fmt: skip
    def test_takes(self, text):
        source.check(self.write(text.encode()))

    def test_imports_outside_of_functions(self):
        tree = source.parse(self.write(b"import a\ndef f():\n  import b\nif __name__ == '__main__':\n  import c\n"))
        self.assertEqual(source.imports(tree, deep=False), ["a"])
        self.assertEqual(source.imports(tree), ["a", "b", "c"])

    def test_names_modules_below_the_package_root(self):
        self.assertEqual(source.module_name("pkg/models/net.py", "pkg"), "models.net")
        self.assertEqual(source.module_name("pkg/__init__.py", "."), "pkg")
        with self.assertRaisesRegex(BadInputError, "does not lie below the package root"):
            source.module_name("net.py", "pkg")

    def test_does_not_run_the_main_part(self):
        path = self.write(b"value = 1\nif __name__ == '__main__':\n    raise SystemExit(3)\n")
        self.assertEqual(source.run_module(path).value, 1)


if __name__ == "__main__":
    absltest.main()
