"""Rule bodies inlined into calls."""

import inspect

import jax
import jax.numpy as jnp
import libcst as cst
from absl.testing import absltest, parameterized
from flax import nnx
from jax import lax

from codemods.engine.bind import bind
from codemods.engine.outcome import Residual, Rewritten
from codemods.engine.rule import Macro, computed, known, refuse
from codemods.engine.template import Arg, inline, reference

to_dtype = Macro("to_dtype", lambda value: f"jnp.{value}", passes_through=True)
pick = Macro("pick", lambda value, x="x": f"nnx.{value}({x})", passes_through=True)


def leaky(features, alpha=0.2, name=None):
    return jax.nn.leaky_relu(features, negative_slope=alpha)


def astype(x, dtype):
    return x.astype(dtype)


def power(x, y):
    return x**y


def square(x):
    return x * x


def swapped(a, b):
    return jnp.subtract(b, a)


def looped(x, n):
    return lax.fori_loop(0, n, lambda i, y: y + x * i, 0)


def each(xs, scale):
    return [x * scale for x in xs]


def centred(x):
    mean = jnp.mean(x)
    return (x - mean) / mean


def total(x, axis=None, keepdims=False):
    if axis is None:
        return jnp.sum(x, keepdims=keepdims)
    if known(axis) and isinstance(axis, list):
        return jnp.sum(x, axis=tuple(axis), keepdims=keepdims)
    if isinstance(axis, int):
        return jnp.sum(x, axis=axis, keepdims=keepdims)
    refuse("axes that are not known")


def split(value, sizes):
    if known(sizes):
        return jnp.split(value, [sum(sizes[:i]) for i in range(1, len(sizes))])
    if len(sizes) == 2:
        return jnp.split(value, [sizes[0]])
    refuse("sizes that are not known")


def pool(x, size, padding="valid"):
    return nnx.max_pool(x, (size,) * 2 if isinstance(size, int) else size, padding=padding.upper())


def grid(*args, indexing="xy"):
    return jnp.meshgrid(*args, indexing=indexing)


def cast(x, dtype):
    return jnp.asarray(x, dtype=to_dtype(dtype))


def activated(x, activation=None):
    return pick(activation, x) if activation is not None else x


def rank(x):
    if x.ndim == 3:
        return jnp.moveaxis(x, -1, 1)
    return x


class DenseBody:
    def make(units, use_bias=True, kernel_initializer=None, *, x, rngs):
        return nnx.Linear(x.shape[-1], units, use_bias=use_bias, rngs=rngs)

    def call(layer, x, *, training):
        return layer(x, use_running_average=not training)


def same_shape(x, *, rngs):
    return nnx.LayerNorm(x.shape[1:], rngs=rngs)


@computed
def template_test_halves(shape, factor):
    return tuple(size * factor // 2 for size in shape[1:])


def halved(factor, *, x):
    return jnp.zeros(template_test_halves(x.shape, factor))


def code(source: str) -> cst.BaseExpression:
    return cst.parse_expression(source)


def run(function, call: str, **options) -> str:
    """What a call comes to, with the prelude before it; the reason of a residual after a `!`."""
    facts = {name: options.pop(name) for name in list(options) if isinstance(options[name], Arg)}
    node = cst.ensure_type(code(f"f({call})"), cst.Call)
    bound = bind(inspect.signature(function), node.args, reserved=("rngs", *facts))
    assert not isinstance(bound, Residual), bound
    arguments = {name: Arg(value) for name, value in bound.arguments.items()} | facts
    return shown(inline(function, arguments, **options))


def shown(found: Rewritten | Residual) -> str:
    if isinstance(found, Residual):
        return f"! {found.reason}"
    printed = cst.Module([]).code_for_node
    return "; ".join([*(printed(statement).strip() for statement in found.prelude), printed(found.code)])


class PrecedenceTest(parameterized.TestCase):
    @parameterized.parameters(
        ("a + b", "(a + b).astype(t)"),
        ("lambda: 1", "(lambda: 1).astype(t)"),
        ("-a", "(-a).astype(t)"),
        ("a if b else c", "(a if b else c).astype(t)"),
        ("(a, b)", "(a, b).astype(t)"),
        ("(a + b)", "(a + b).astype(t)"),
        ("await z", "(await z).astype(t)"),
        ("f(y)", "f(y).astype(t)"),
        ("x[0]", "x[0].astype(t)"),
        ("not a", "(not a).astype(t)"),
        ("a.b", "a.b.astype(t)"),
        ("(yield)", "(yield).astype(t)"),
    )
    def test_attribute(self, argument, expected):
        self.assertEqual(run(astype, f"{argument}, t"), expected)

    @parameterized.parameters(
        ("-a", "-b", "(-a)**-b"),
        ("a**b", "c**d", "(a**b)**c**d"),
        ("a*b", "c*d", "(a*b)**(c*d)"),
        ("a < b", "c", "(a < b)**c"),
    )
    def test_power(self, x, y, expected):
        self.assertEqual(run(power, f"{x}, {y}"), expected)

    def test_lines_outside_of_brackets(self):
        self.assertEqual(run(power, "a\n  + b, c"), "(a\n  + b)**c")
        self.assertEqual(shown(inline(centred, {"x": Arg(code("(a\n  - b)"))}, taken=["q"])),
                         "x = (a\n  - b); mean = jnp.mean(x); (x - mean) / mean")  # fmt: skip


class OrderTest(parameterized.TestCase):
    @parameterized.parameters(
        (square, "x", "x * x"),
        (square, "self.x", "self.x * self.x"),
        (square, "a + b", "x = a + b; x * x"),
        (square, "f(a)", "x = f(a); x * x"),
        (swapped, "f(1), g(2)", "a = f(1); jnp.subtract(g(2), a)"),
        (swapped, "b=f(1), a=g(2)", "jnp.subtract(f(1), g(2))"),
        (swapped, "jnp.sum(p), jnp.mean(q)", "jnp.subtract(jnp.mean(q), jnp.sum(p))"),
        (swapped, "x, g(2)", "jnp.subtract(g(2), x)"),
        (centred, "x", "mean = jnp.mean(x); (x - mean) / mean"),
        (centred, "f(x)", "x_value = f(x); mean = jnp.mean(x_value); (x_value - mean) / mean"),
        (looped, "a + 1, 3", "x = a + 1; lax.fori_loop(0, 3, lambda i, y: y + x * i, 0)"),
        (each, "ys, f(2)", "scale = f(2); [x * scale for x in ys]"),
    )
    def test_binds_first(self, function, call, expected):
        self.assertEqual(run(function, call, taken={"q"}), expected)

    def test_new_names_are_free(self):
        self.assertEqual(run(square, "f(q)", taken={"x", "x_value"}), "x_2 = f(q); x_2 * x_2")
        self.assertEqual(run(square, "f(x)", taken={"y"}), "x_value = f(x); x_value * x_value")

    def test_without_statements(self):
        self.assertEqual(run(square, "f(q)", taken={"q"}, can_prelude=False), "(x := f(q)) * x")
        self.assertStartsWith(run(swapped, "f(1), g(2)", can_prelude=False), "! ")
        self.assertStartsWith(run(looped, "f(1), 3", can_prelude=False), "! ")
        self.assertStartsWith(run(centred, "x", can_prelude=False), "! ")

    def test_walrus_is_not_lost(self):
        self.assertStartsWith(run(leaky, "x, name=(n := 'a')"), "! `(n := 'a')` would be lost")

    def test_no_capture(self):
        self.assertEqual(run(looped, "i, y"), "lax.fori_loop(0, y, lambda i_, y_: y_ + i * i_, 0)")
        self.assertEqual(run(each, "xs, x"), "[x_ * x for x_ in xs]")


class EvaluationTest(parameterized.TestCase):
    @parameterized.parameters(
        ("x", "jnp.sum(x)"),
        ("x, [0, 1]", "jnp.sum(x, axis=(0, 1))"),
        ("x, -1, True", "jnp.sum(x, axis=-1, keepdims=True)"),
        ("x, keepdims=k", "jnp.sum(x, keepdims=k)"),
        ("x, k", "! the rule has to know whether `axis is None`, which the source does not tell"),
        ("x, (0, 1)", "! axes that are not known"),
    )
    def test_branches(self, call, expected):
        self.assertEqual(run(total, call), expected)

    def test_branch_on_a_type(self):
        found = inline(total, {"x": Arg(code("x")), "axis": Arg(code("k"), type=int)})
        self.assertEqual(shown(found), "jnp.sum(x, axis=k)")
        found = inline(rank, {"x": Arg(code("x"), ndim=3)})
        self.assertEqual(shown(found), "jnp.moveaxis(x, -1, 1)")

    @parameterized.parameters(
        ("x, [1, 2, 3]", "jnp.split(x, [1, 3])"),
        ("x, [a, f(b)]", "jnp.split(x, [a])"),
        ("x, sizes", "! the rule has to know whether `len(sizes) == 2`, which the source does not tell"),
    )
    def test_lists(self, call, expected):
        self.assertEqual(run(split, call), expected)

    @parameterized.parameters(
        ("x, 2", "nnx.max_pool(x, (2, 2))"),
        ("x, (2, 1), 'same'", 'nnx.max_pool(x, (2, 1), padding="SAME")'),
        ("x, 3, padding=p", "nnx.max_pool(x, (3, 3), padding=p.upper())"),
    )
    def test_computes(self, call, expected):
        self.assertEqual(run(pool, call), expected)

    def test_named_constants_are_kept(self):
        found = inline(leaky, {"features": Arg(code("x")), "alpha": Arg(code("ALPHA"), 0.01)})
        self.assertEqual(shown(found), "jax.nn.leaky_relu(x, negative_slope=ALPHA)")

    def test_starred(self):
        self.assertEqual(run(grid, "a, b"), "jnp.meshgrid(a, b)")
        self.assertEqual(run(grid, "*xs"), "jnp.meshgrid(*xs)")
        self.assertEqual(run(grid, "a, *b, indexing='ij'"), "jnp.meshgrid(a, *b, indexing='ij')")

    @parameterized.parameters(
        (cast, "x, 'int32'", "jnp.asarray(x, dtype=jnp.int32)"),
        (cast, "x, y.dtype", "jnp.asarray(x, dtype=y.dtype)"),
        (activated, "a + b, 'relu'", "nnx.relu(a + b)"),
        (activated, "x, f", "f(x) if f is not None else x"),
        (activated, "x, lambda y: y", "(lambda y: y)(x)"),
        (activated, "x", "x"),
    )
    def test_macros(self, function, call, expected):
        self.assertEqual(run(function, call), expected)


class DefaultsTest(absltest.TestCase):
    def test_target_defaults_are_left_out(self):
        self.assertEqual(run(leaky, "x, 0.01"), "jax.nn.leaky_relu(x)")
        self.assertEqual(run(leaky, "x, 0.3"), "jax.nn.leaky_relu(x, negative_slope=0.3)")
        self.assertEqual(run(pool, "x, 1, 'VALID'"), "nnx.max_pool(x, (1, 1))")

    def test_ledger_has_what_only_the_defaults_ask_for(self):
        found = inline(leaky, {"features": Arg(code("x"))})
        self.assertEqual(found.ledgers, {"jax.nn.leaky_relu": {"negative_slope"}})
        found = inline(leaky, {"features": Arg(code("x")), "alpha": Arg(code("0.2"))})
        self.assertEqual(found.ledgers, {"jax.nn.leaky_relu": set()})

    def test_imports(self):
        found = inline(leaky, {"features": Arg(code("jnp.x"))})
        self.assertEqual(found.imports, {"jax"})


class ObjectTest(parameterized.TestCase):
    @parameterized.parameters(
        ("64", "width", "nnx.Linear(width, 64, rngs=rngs)"),
        ("units=2 * n, use_bias=False", "3", "nnx.Linear(3, 2 * n, use_bias=False, rngs=rngs)"),
    )
    def test_make(self, call, last, expected):
        self.assertEqual(run(DenseBody.make, call, x=Arg(None, dim=lambda i: code(last))), expected)

    def test_unknown_dim(self):
        reason = run(DenseBody.make, "64", x=Arg(None, dim=lambda i: None))
        self.assertEqual(reason, "! the input's last dimension can't be expressed where this is made")

    def test_whole_shape(self):
        x = Arg(None, dim=lambda i: code(f"d{i}"), ndim=3)
        self.assertEqual(run(same_shape, "", x=x), "nnx.LayerNorm((d1, d2), rngs=rngs)")
        self.assertEqual(run(same_shape, "", x=Arg(None, dim=x.dim)), "! the number of dimensions of `x` is not known")

    def test_computed_dims(self):
        x = Arg(None, dim=lambda i: code("h" if i == 1 else "6"), ndim=3)
        self.assertEqual(run(halved, "3", x=x), "jnp.zeros((h * 3 // 2, 9))")

    @parameterized.parameters(
        ("training", "self.bn(x, use_running_average=not training)"),
        ("False", "self.bn(x, use_running_average=True)"),
        ("a or b", "self.bn(x, use_running_average=not (a or b))"),
    )
    def test_call(self, training, expected):
        self.assertEqual(run(DenseBody.call, f"self.bn, x, training={training}"), expected)


class ReferenceTest(parameterized.TestCase):
    @parameterized.parameters(
        ("leaky", "functools.partial(jax.nn.leaky_relu, negative_slope=0.2)"),
        ("swapped", "lambda a, b: jnp.subtract(b, a)"),
        ("astype", "lambda x, dtype: x.astype(dtype)"),
        ("total", "jnp.sum"),
    )
    def test_reference(self, name, expected):
        self.assertEqual(shown(reference(globals()[name])), expected)


if __name__ == "__main__":
    absltest.main()
