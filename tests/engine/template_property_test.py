"""Inlined code means what calling the rule's body means, in the same order, for random arguments."""

import ast
import inspect

import libcst as cst
from absl.testing import absltest
from hypothesis import given, settings
from hypothesis import strategies as st

from codemods.engine.outcome import Residual
from codemods.engine.template import Arg, inline


def mixed(x, y):
    return x**2 - y * 3 + (-x) ** 2


def reordered(x, y):
    return y - x


def nested(x, y):
    inner = x + y
    return (inner * inner if y > 0 else inner) // (1 + abs(x))


def listed(x, y):
    return [x * v + y for v in (1, 2)]


def later(x, y):
    return (lambda z: z - x * y)(y) ** 2


def chosen(x, y):
    return x if x > y else not y


def indexed(x, y):
    return (x, y, -x)[y % 3] - [x, y][0]


def unpacked(x, y):
    a, b = (y, x) if y > x else (x, y)
    return divmod(a, 1 + abs(b))


BODIES = (mixed, reordered, nested, listed, later, chosen, indexed, unpacked)


class Log:
    """The names that the arguments' code uses: numbers, and a function with a side effect."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    def __call__(self, value: int) -> int:
        self.calls.append(int(value))
        return int(value)

    def names(self) -> dict[str, object]:
        return {"x": 3, "y": -2, "v": 5, "z": 7, "call": self}


atoms = st.sampled_from(["x", "y", "v", "z", "2", "(3)"])


def extended(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operator = st.sampled_from(["+", "-", "*", "&", "|", "<", "==", "and", "or"])
    return st.one_of(
        st.builds("{} {} {}".format, parts, operator, parts),
        st.builds("-{}".format, parts),
        st.builds("call({})".format, parts),
        st.builds("{} if {} else {}".format, parts, parts, parts),
        st.builds("not {}".format, parts),
        st.builds("(lambda v: v + {})(1)".format, parts),
        st.builds("sum([v for v in ({}, 1)])".format, parts),
    )


def valid(source: str) -> bool:
    try:
        ast.parse(source)
    except SyntaxError:  # `1 + not x`
        return False
    return True


expressions = st.recursive(atoms, extended, max_leaves=5).filter(valid)


class PropertyTest(absltest.TestCase):
    @settings(max_examples=400, deadline=None, derandomize=True)
    @given(st.sampled_from(BODIES), expressions, expressions, st.booleans(), st.booleans())
    def test_value_and_order(self, body, x, y, keywords_first, can_prelude):
        arguments = {"x": Arg(cst.parse_expression(x)), "y": Arg(cst.parse_expression(y))}
        if keywords_first:
            arguments = dict(reversed(arguments.items()))
        expected, log = outcome_of(lambda names: body(**{n: eval(s, names) for n, s in sources(arguments).items()}))
        found = inline(body, arguments, taken={"x", "y", "v", "z", "call"}, can_prelude=can_prelude)
        if isinstance(found, Residual):
            return  # the rule has to know, or there is no place for a statement: nothing is claimed
        module = cst.Module([*found.prelude, cst.SimpleStatementLine([cst.Expr(found.code)])])
        *statements, last = ast.parse(module.code).body
        assert isinstance(last, ast.Expr)

        def run(names):
            exec(compile(ast.Module(statements, []), "prelude", "exec"), names)
            return eval(compile(ast.Expression(last.value), "code", "eval"), names)

        actual, actual_log = outcome_of(run)
        self.assertEqual(
            (actual, actual_log), (expected, log), f"\n{inspect.getsource(body)}{sources(arguments)}\n{module.code}"
        )


def sources(arguments: dict[str, Arg]) -> dict[str, str]:
    return {name: cst.Module([]).code_for_node(arg.code) for name, arg in arguments.items() if arg.code is not None}


def outcome_of(run) -> tuple[object, list[int]]:
    """The result, or the kind of error, and the calls made on the way."""
    log = Log()
    try:
        result = run(log.names())
    except (TypeError, ZeroDivisionError, OverflowError, IndexError) as error:
        return type(error).__name__, log.calls
    return (repr(result), log.calls)


if __name__ == "__main__":
    absltest.main()
