"""At which calls declared differences can show."""

from typing import Any

from absl.testing import absltest, parameterized

from codemods.engine import touching
from codemods.engine.touching import UNKNOWN, Site, Tensor, touches

FLOATS, INTEGERS = Tensor("float32", (4, 3)), Tensor("int32", (4, 3))
NOTHING_KNOWN = Tensor()


def site(*tensors: Tensor, inner: Any = (), **values: Any) -> Site:
    """A call on these tensors with these arguments, `axis` being -1 and `dtype` None where they are not given."""
    defaults = {"axis": -1, "dtype": None}
    return Site({**defaults, **values}, frozenset(values), tensors, frozenset({(2,)}), defaults, inner=inner)


class TouchingTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("integers", ("int32",), INTEGERS, True),
        ("wider_integers", ("int32",), Tensor("int64", (3,)), True),
        ("floats_for_integers", ("int32",), FLOATS, False),
        ("may_be_integers", ("int32",), NOTHING_KNOWN, True),
        ("half", ("bfloat16",), Tensor("float16", ()), True),
        ("nan_in_integers", ("nan",), INTEGERS, False),
        ("nan_in_floats", ("nan",), FLOATS, True),
        ("no_elements", ("empty",), Tensor("float32", (0, 3)), True),
        ("elements", ("empty",), FLOATS, False),
        ("a_size_of_one", ("one", "empty"), Tensor("float32", (1, 3)), True),
        ("a_size_with_a_name", ("one", "empty"), Tensor("float32", ("batch", 3)), False),
        ("a_rank_of_the_samples", ("rank",), FLOATS, False),
        ("another_rank", ("rank",), Tensor("float32", (2, 4, 3)), True),
        ("scalar", ("scalar",), Tensor("float32", ()), True),
        ("any_case", (), FLOATS, True),
    )
    def test_by_case(self, covers: tuple[str, ...], tensor: Tensor, expected: bool) -> None:
        self.assertEqual(touches(covers, None, site(tensor)), expected)

    @parameterized.named_parameters(
        ("not_given", {}, False),
        ("its_default", {"axis": -1}, False),
        ("another", {"axis": 0}, True),
        ("not_known", {"axis": UNKNOWN}, True),
    )
    def test_by_argument(self, values: dict[str, Any], expected: bool) -> None:
        self.assertEqual(touches(("axis",), None, site(FLOATS, **values)), expected)

    @parameterized.named_parameters(
        ("asked", touching.wide, site(FLOATS, dtype="int64"), True),
        ("asked_for_another", touching.wide, site(Tensor("int64", ()), dtype="int32"), False),
        ("from_an_input", touching.wide, site(Tensor("int64", ())), True),
        ("from_no_input", touching.wide, site(FLOATS), False),
        ("unless_asked", touching.wide_unless_asked, site(FLOATS), True),
        ("of_integers", touching.wide_of_integers, site(INTEGERS), True),
        ("stated", touching.stated("rate"), site(rate=0.2), True),
        ("stated_within", touching.with_inner(touching.stated("rate")), site(inner=(site(rate=0.2),)), True),
        ("not_stated_within", touching.with_inner(touching.stated("rate")), site(inner=(site(),)), False),
        ("rank", touching.of_rank(4), site(FLOATS), False),
    )
    def test_what_declarations_say(self, at: touching.At, call: Site, expected: bool) -> None:
        self.assertEqual(touches(("int32",), at, call), expected)


if __name__ == "__main__":
    absltest.main()
