"""Tests what users' codemods make of code, and what is said of those that can't be used."""

import pathlib

from absl.testing import absltest, parameterized

from codemods.user.apply import apply
from codemods.user.errors import CodemodError

_DATA = pathlib.Path(__file__).parent / "testdata"

CODE = """import tensorflow as tf


def helper(x, lr=0.1):  # kept
    return magnitude(x) * lr


y = helper(2)
"""


class ApplyTest(parameterized.TestCase):
    @parameterized.parameters(
        ("plain_abs.py", "magnitude(x)", "tf.abs(x)"),
        ("renamed.py", "helper", "scaled"),
        ("fixer.py", "lr", "learning_rate"),
    )
    def test_applies(self, codemod, old, new):
        self.assertEqual(apply(CODE, "model.py", [str(_DATA / codemod)]), CODE.replace(old, new))

    def test_applies_in_order(self):
        result = apply(CODE, "model.py", [str(_DATA / name) for name in ("renamed.py", "plain_abs.py", "fixer.py")])
        wanted = CODE.replace("helper", "scaled").replace("magnitude", "tf.abs").replace("lr", "learning_rate")
        self.assertEqual(result, wanted)

    def test_new_syntax_is_no_silent_success_of_bowler(self):
        code = "match x:\n    case 1:\n        helper(x)\n"
        with self.assertRaisesRegex(CodemodError, r"renamed.py:1: Bowler failed on model.py: "):
            apply(code, "model.py", [str(_DATA / "renamed.py")])

    @parameterized.parameters(
        ("x = 1", r":1: defines no codemod: neither a class"),
        ("\nimport no_such_module", r":2: raised when imported: ModuleNotFoundError: No module named 'no_such_module'"),
        ("def f(:", r":1: raised when imported: SyntaxError"),
        ("def query(*paths):\n    return 3", r":1: query\(\) gives int, not a bowler.Query"),
        (
            "from libcst.codemod import VisitorBasedCodemodCommand as V\nclass C(V):\n"
            "    def leave_Name(self, old, new):\n        raise ValueError('no')",
            r":1: C failed on model.py: ValueError: no",
        ),
        (
            "from libcst.codemod import VisitorBasedCodemodCommand as V\nclass C(V):\n"
            "    def __init__(self, context, size):\n        super().__init__(context)",
            r":1: C is not made with a context alone: .*'size'",
        ),
        (
            "from libcst.codemod import VisitorBasedCodemodCommand as V\nclass C(V):\n"
            "    def leave_Name(self, old, new):\n        return new.with_changes(value='class')",
            r":1: made code of model.py that is not Python: line 1: invalid syntax",
        ),
    )
    def test_says_why(self, text, reason):
        path = pathlib.Path(self.create_tempdir(), "codemod.py")
        path.write_text(text + "\n")
        with self.assertRaisesRegex(CodemodError, "codemod.py" + reason):
            apply(CODE, "model.py", [str(path)])


if __name__ == "__main__":
    absltest.main()
