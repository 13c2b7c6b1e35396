"""Assertions, which are left out: under nnx.jit values are not known."""

from __future__ import annotations

from codemods.engine.rule import Difference, f32, i32, rule, sample

LEFT = Difference(
    "a check that fails",
    'it is left out; jax.config.update("jax_debug_nans", True) and jax.experimental.checkify check values',
)


@rule(
    "tf.assert_equal",
    samples=[
        sample(i32(2, low=1, high=2), i32(2, low=1, high=2)),
        sample(i32(2, low=1, high=2), i32(2, low=1, high=2), message="text"),
    ],
    differences=[LEFT],
)
def assert_equal(x, y, message=None, summarize=None, name=None):
    return None


@rule(
    "tf.assert_less", samples=[sample(i32(2, high=1), 5), sample(i32(2, high=1), 5, message="text")], differences=[LEFT]
)
def assert_less(x, y, message=None, summarize=None, name=None):
    return None


@rule(
    "tf.assert_greater",
    samples=[sample(i32(2, high=3), -5), sample(i32(2, high=3), -5, message="text")],
    differences=[LEFT],
)
def assert_greater(x, y, message=None, summarize=None, name=None):
    return None


@rule(
    "tf.debugging.assert_less_equal",
    samples=[sample(i32(2, high=1), 5), sample(i32(2, high=1), 5, message="text")],
    differences=[LEFT],
)
def assert_less_equal(x, y, message=None, summarize=None, name=None):
    return None


@rule(
    "tf.debugging.assert_greater_equal",
    samples=[sample(i32(2, high=3), -5), sample(i32(2, high=3), -5, message="text")],
    differences=[LEFT],
)
def assert_greater_equal(x, y, message=None, summarize=None, name=None):
    return None


@rule("tf.debugging.assert_none_equal", samples=[sample(i32(2, high=3), 9)], differences=[LEFT])
def assert_none_equal(x, y, summarize=None, message=None, name=None):
    return None


@rule("tf.debugging.assert_near", samples=[sample(1.0, 1.0)], differences=[LEFT])
def assert_near(x, y, rtol=None, atol=None, message=None, summarize=None, name=None):
    return None


@rule("tf.debugging.assert_positive", samples=[sample(i32(2, low=1))], differences=[LEFT])
def assert_positive(x, message=None, summarize=None, name=None):
    return None


@rule("tf.debugging.assert_non_negative", samples=[sample(i32(2))], differences=[LEFT])
def assert_non_negative(x, message=None, summarize=None, name=None):
    return None


@rule("tf.debugging.assert_negative", samples=[sample(i32(2, low=-3, high=-1))], differences=[LEFT])
def assert_negative(x, message=None, summarize=None, name=None):
    return None


@rule("tf.debugging.assert_non_positive", samples=[sample(i32(2, low=-3, high=0))], differences=[LEFT])
def assert_non_positive(x, message=None, summarize=None, name=None):
    return None


@rule("tf.assert_rank", samples=[sample(f32(2, 3), 2)], differences=[LEFT])
def assert_rank(x, rank, message=None, name=None):
    return None


@rule("tf.debugging.assert_rank_at_least", samples=[sample(f32(2, 3), 1)], differences=[LEFT])
def assert_rank_at_least(x, rank, message=None, name=None):
    return None


@rule("tf.debugging.assert_rank_in", samples=[sample(f32(2, 3), [1, 2])], differences=[LEFT])
def assert_rank_in(x, ranks, message=None, name=None):
    return None


@rule("tf.debugging.assert_scalar", samples=[sample(f32())], differences=[LEFT])
def assert_scalar(tensor, message=None, name=None):
    return None


@rule("tf.debugging.assert_integer", samples=[sample(i32(2))], differences=[LEFT])
def assert_integer(x, message=None, name=None):
    return None


@rule("tf.debugging.assert_shapes", samples=[sample({})], differences=[LEFT])
def assert_shapes(shapes, data=None, summarize=None, message=None, name=None):
    return None


@rule("tf.debugging.assert_all_finite", samples=[sample(f32(3), "text")], differences=[LEFT])
def assert_all_finite(x, message, name=None):
    return x


@rule("tf.debugging.check_numerics", samples=[sample(f32(3), "text")], differences=[LEFT])
def check_numerics(tensor, message, name=None):
    return tensor


@rule("tf.Assert", samples=[sample(True, ["text"])], differences=[LEFT])
def Assert(condition, data, summarize=None, name=None):
    return None
