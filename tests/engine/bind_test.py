"""Calls bound to signatures."""

import inspect

import libcst as cst
from absl.testing import absltest, parameterized

from codemods.engine.bind import Bound, bind
from codemods.engine.outcome import Residual


def conv(x, filters, strides=1, *, padding="SAME", name=None):
    del x, filters, strides, padding, name


def many(*values, axis=0):
    del values, axis


def options(x, **kwargs):
    del x, kwargs


def bound(function, source: str, **extra) -> dict[str, str] | str:
    """Sources of the bound arguments, or the residual's reason."""
    call = cst.ensure_type(cst.parse_expression(f"f({source})"), cst.Call)
    result = bind(inspect.signature(function), call.args, symbol="tf.f", **extra)
    if isinstance(result, Residual):
        assert result.symbol == "tf.f"
        return result.reason
    assert isinstance(result, Bound)
    return {name: cst.Module([]).code_for_node(value) for name, value in result.arguments.items()}


class BindTest(parameterized.TestCase):
    @parameterized.parameters(
        (conv, "a, b", {"x": "a", "filters": "b"}),
        (conv, "filters=b, x=a", {"filters": "b", "x": "a"}),
        (conv, "a, b, padding=p, name='n'", {"x": "a", "filters": "b", "padding": "p", "name": "'n'"}),
        (conv, "*[a, b], **{'strides': 2}", {"x": "a", "filters": "b", "strides": "2"}),
        (conv, "a, **dict(filters=b)", {"x": "a", "filters": "b"}),
        (many, "", {}),
        (many, "a, b, axis=1", {"values": "(a, b)", "axis": "1"}),
        (many, "a, *b", {"values": "(a, *b)"}),
        (options, "a, b=1, c=2", {"x": "a", "kwargs": "{'b': 1, 'c': 2}"}),
    )
    def test_places(self, function, source, expected):
        result = bound(function, source)
        self.assertEqual(result, expected)
        self.assertEqual(list(result), list(expected))  # in the order of evaluation

    @parameterized.parameters(
        (conv, "a", "the argument `filters` is missing"),
        (conv, "a, b, dilation=2", "no rule for the keyword `dilation`"),
        (conv, "a, b, 1, 2", "takes 3 positional arguments at most"),
        (conv, "a, b, x=c", "got several values for `x`"),
        (conv, "a, *rest", "`*rest` may fill several parameters; write the arguments out"),
        (conv, "a, b, **kw", "`**kw` may hold any keyword; write the keywords out"),
        (many, "a, **kw", "`**kw` may hold any keyword; write the keywords out"),
    )
    def test_refuses(self, function, source, reason):
        self.assertEqual(bound(function, source), reason)

    def test_receiver_and_reserved(self):
        receiver = cst.Name("self")
        self.assertEqual(bound(conv, "b", receiver=receiver), {"x": "self", "filters": "b"})
        self.assertEqual(bound(conv, "a, b, padding=p", reserved={"padding"}), "no rule for the keyword `padding`")


if __name__ == "__main__":
    absltest.main()
