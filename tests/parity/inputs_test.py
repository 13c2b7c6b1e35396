"""Tests input specs and example files."""

import pathlib

import numpy as np
from absl.testing import absltest, parameterized

from parity import inputs
from parity.errors import BadInputError


class SpecTest(parameterized.TestCase):
    @parameterized.parameters(
        ("float32[8,28,28,1]", (8, 28, 28, 1), np.float32),
        ("int32[8, 64]{0..999}", (8, 64), np.int32),
        ("bool[4]", (4,), np.bool_),
        ("float32[]", (), np.float32),
    )
    def test_generates(self, text, shape, dtype):
        value = inputs.InputSpec.parse(text).generate(seed=0, index=0)
        self.assertEqual(value.shape, shape)
        self.assertEqual(value.dtype, dtype)

    def test_integers_cover_their_range(self):
        value = inputs.InputSpec.parse("int64[1000]{-2..2}").generate(seed=0, index=0)
        self.assertEqual(set(value.tolist()), {-2, -1, 0, 1, 2})

    def test_seeds_and_positions_differ_and_repeat(self):
        make = inputs.SpecInputs(["float32[4,3]", "float32[4,3]"])
        first, second = make(0)
        self.assertFalse(np.array_equal(first, second))
        self.assertFalse(np.array_equal(first, make(1)[0]))
        np.testing.assert_array_equal(first, make(0)[0])

    @parameterized.parameters(
        ("float[4]", "'float' is not a dtype"),
        ("float32", "is not of the form"),
        ("float32[a,4]", "sizes must be whole numbers"),
        ("float32[0,4]", "sizes must be 1 or more"),
        ("float32[4]{0..9}", "a range in braces is for integers"),
        ("int32[4]{9..0}", "the range is empty"),
    )
    def test_refuses(self, text, reason):
        with self.assertRaisesRegex(BadInputError, reason):
            inputs.InputSpec.parse(text)

    def test_scales_floats_only(self):
        ids, mask, x = np.array([1, 2]), np.array([0.0, 1.0], np.float32), np.array([2.0], np.float32)
        scaled = inputs.scaled(({"ids": ids, "mask": mask}, x), 3.0)
        np.testing.assert_array_equal(scaled[0]["ids"], ids)
        np.testing.assert_array_equal(scaled[0]["mask"], mask)
        np.testing.assert_array_equal(scaled[1], [6.0])


class ExampleTest(absltest.TestCase):
    def write(self, text: str) -> str:
        path = pathlib.Path(self.create_tempdir(), "example.py")
        path.write_text(text)
        return str(path)

    def test_sees_the_names_of_the_unit(self):
        path = self.write("def model():\n  return Net(3)\ndef inputs(seed):\n  return (seed,)\n")
        example = inputs.Example(path, {"Net": lambda units: units + 1, "_hidden": 0})
        self.assertEqual(example.model(), 4)
        self.assertEqual(example(5), (5,))

    def test_says_what_is_wrong(self):
        for text, reason in (
            ("def model(:\n", r"example.py:1: syntax error"),
            ("def model():\n  return 1\n", r"defines no function inputs\(\)"),
            ("1 / 0\n", "the example raised ZeroDivisionError"),
        ):
            with self.subTest(text), self.assertRaisesRegex(BadInputError, reason):
                inputs.Example(self.write(text), {})
        example = inputs.Example(self.write("def model(): return Net()\ndef inputs(seed): return 3\n"), {})
        with self.assertRaisesRegex(BadInputError, "must return a tuple"):
            example(0)
        with self.assertRaisesRegex(BadInputError, r"model\(\) raised NameError"):
            example.model()


if __name__ == "__main__":
    absltest.main()
