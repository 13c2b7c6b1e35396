"""Sources come out as Black alone has them, down to the byte."""

from __future__ import annotations

import pathlib
import random
import re

import black
from absl.testing import absltest, parameterized

from codemods.layout import format as layout
from codemods.layout import lines

_WIDTH = 100
_MODE = black.Mode(line_length=_WIDTH, string_normalization=False, magic_trailing_comma=False)
_FOLDER = pathlib.Path(layout.__file__).parents[1]

#: Lines that Black leaves alone, and that are taken out; with what they are.
_SETTLED = (
    ("return", "simple"),
    ("x = a.b(c, d=-1, *e, **f)[0] + (g - 1) * 2", "simple"),
    ("x, y = y, (x,)", "simple"),
    ("(a, b), c = f(x)", "simple"),
    ("x[i : i + n, 1:-1, ..., ::2] += 1e-3", "simple"),
    ("y = [i for i in range(3) if i not in (1, 2)] if not z else {'a': b}  # why", "simple"),
    ("f(lambda x, y: x, key=lambda: None)", "simple"),
    ('print(f"{x:.2f} of {y}")', "f-string"),
    ("raise ValueError('no')", "simple"),
    ("for i, x in enumerate(xs):", "header"),
    ("elif a is not None and not b:", "header"),
    ("except KeyError as error:", "header"),
    ("else:", "header"),
)
#: Lines that Black changes, or might.
_OPEN = (
    "x = (a)",
    "x = a  + b",
    "x = [(a)]",
    "(a, b) = c",
    "return (a)",
    "for x in (a, b):",
    "if (a):",
    "f(a,)",
    "f(a = 1)",
    "x[i:i + n]",
    "x[i : j]",
    "x = 0XFF + 1E5 + 10_000",
    "x = '\\xAB'",
    "x = a ** b",
    "x = f'{y=}'",
    "x: int = 3",
    "'text'",
    "a; b",
    "x = 1 # near",
    "x = 1  #near",
    "x = 1  # type: ignore",
    "if (y := x):",
    "del (a)",
    "import a",
    "with a as b:",
    "x = yield",
    "...",
    "x = a if b else(c)",
    "print(a , b)",
    "not a",
    "assert (a)",
    "x = '" + "long" * _WIDTH + "'",
)
_SOURCES = (
    "",
    "\n\n\nx = 1\n",
    "x = 1",
    "import a\nx = 1\n\n\n\n\ny = 2\n",
    '"""Doc."""\nx = 1\ndef f():\n\n    x = 1\n\n\n    y = 2\nz = 3\n',
    "if a:\n    b()\n    # of the block\n\n# of what follows\nelse:\n    c()\n",
    "if a:\n    b()\n        # far\nelif c:\n  # near\n    d()\n",
    "class A:\n    x = 1\n    def f(self):\n        pass\n    y = 2\n    # before\n    def g(self): pass\n",
    "def f():\n    # alone\n    return 1\n# at the end\n",
    "if a:\n  b = 1\n",
    "if a:\n\tb = 1\n",
    "x = 1\r\ny = (2)\r\n",
    "x = [\n    1,\n    2\n]\ny = {\n  'a': '''\nb = 1\n''',\n}\nz = f(a, # why\n  b)\n",
    "def f(a,b):\n    x = g(*a, **b)\n    return h(" + ", ".join(f"argument{i}" for i in range(9)) + ", *rest)\n",
    "def f(a,b):\n    x = f'{a}'\n    return h(" + ", ".join(f"argument{i}" for i in range(9)) + ", *rest)\n",
    "x = 1  # fmt: skip\ny  =  2\n",
    "# fmt: off\nx  =  1\n# fmt: on\ny  =  2\n",
    "try:\n    a()\n\nexcept B:\n\n    c()\nfinally:\n    d()\n",
    "@a\n# between\ndef f():\n    return 1\nx = 2\n",
    "while a:\n    b()\n    continue\nelse:\n    c  (  )\nd()\n",
    "match a:\n    case 1:\n        b = 1\n",
    "x = 'é'\ny = 1\n",
    "if a: b = 1\nelse: c = 2\nd = 3\n",
)


class FormatTest(parameterized.TestCase):
    @parameterized.parameters(*_SETTLED)
    def test_settled(self, code: str, kind: str):
        self.assertEqual(lines.settled(code, _WIDTH), kind)
        block = {"header": f"{code}\n    pass\n"}.get(kind, f"{code}\n")
        for opening in ("else", "elif", "except"):
            if code.startswith(opening):
                block = f"{'try' if opening == 'except' else 'if a'}:\n    pass\n{block}"
        self.assertEqual(black.format_str(block, mode=_MODE), block)

    @parameterized.parameters(*_OPEN)
    def test_open(self, code: str):
        self.assertEqual(lines.settled(code, _WIDTH), "")

    @parameterized.parameters(*_SOURCES)
    def test_source(self, source: str):
        self.assertMultiLineEqual(layout.formatted(source, _WIDTH), black.format_str(source, mode=_MODE))

    def test_error(self):
        with self.assertRaises(black.InvalidInput):
            layout.formatted("x = 1\nif :\n", _WIDTH)

    @parameterized.parameters(range(24))
    def test_project(self, seed: int):
        """Files of the project, with what people do to layout done to them."""
        chance = random.Random(seed)
        path = chance.choice(sorted(_FOLDER.rglob("*.py")))
        source = _disturbed(path.read_text(encoding="utf-8"), chance) if seed % 4 else path.read_text(encoding="utf-8")
        try:
            expected = black.format_str(source, mode=_MODE)
        except black.InvalidInput:
            self.skipTest("no longer Python")
        self.assertMultiLineEqual(layout.formatted(source, _WIDTH), expected)


def _disturbed(source: str, chance: random.Random) -> str:
    """A source with other line breaks, spaces and empty lines, most of the time still Python."""
    source = re.sub(r"([(\[{,])\n\s*", lambda found: found[1] + " " * (found[1] == ",") if chance.random() < 0.7 else found[0], source)  # fmt: skip
    changed = []
    for line in source.split("\n"):
        kind = chance.random()
        if kind < 0.04:
            line = line.replace(" = ", "  =  ").replace("return ", "return  ")
        elif kind < 0.08:
            line = line.replace(", ", ",")
        elif kind < 0.12:
            changed.append("")
        elif kind < 0.14 and not line.strip():
            continue
        elif kind < 0.17:
            changed.append(" " * 4 * chance.randrange(3) + "# a comment")
        changed.append(line)
    return "\n".join(changed)


if __name__ == "__main__":
    absltest.main()
