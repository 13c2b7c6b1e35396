"""Names that nothing binds are found, by the definition that reads them; others are not."""

from absl.testing import absltest, parameterized

from codemods.passes.printing.undefined import MODULE, undefined_names


class UndefinedNamesTest(parameterized.TestCase):
    @parameterized.parameters(
        ("def f():\n    return g()\n", {"f": {"g"}}),
        ("x = [y for _ in range(3)]\n", {MODULE: {"y"}}),
        ("z = lambda a: a + b\n", {MODULE: {"b"}}),
        (
            "class A:\n    size = width\n    def f(self):\n        return lambda: self.size + depth\n",
            {"A": {"width", "depth"}},
        ),
        ("def f(a):\n    def g():\n        return a, c\n    return g\n", {"f": {"c"}}),
    )
    def test_finds(self, source: str, expected: dict[str, set[str]]) -> None:
        self.assertEqual(undefined_names(source), expected)

    @parameterized.parameters(
        "import a.b as c\nfrom d import e\nx = c, e, __name__, print\n",
        "def f():\n    global made\n    made = 1\n\ndef g():\n    return made\n",
        "from m import *\nx = anything\n",
        "for i, (a, b) in []:\n    pass\nprint(i, a, b)\n",
        "class A:\n    def f(self):\n        return __class__, super().f()\n",
        "try:\n    import fast\nexcept ImportError as error:\n    print(error)\n",
        "def f(x):\n    if (n := len(x)) > 1:\n        return n\n",
    )
    def test_finds_nothing(self, source: str) -> None:
        self.assertEqual(undefined_names(source), {})


if __name__ == "__main__":
    absltest.main()
