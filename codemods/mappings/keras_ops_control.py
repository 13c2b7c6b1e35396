"""Loops, maps and branches of keras.ops, which are those of jax.lax."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import jax.scipy as jsp
from jax import lax

from codemods.engine.rule import f32, i32, refuse, rule, sample
from codemods.mappings.differences import BOOLS
from codemods.mappings.tf_control import NO_REVERSE
from codemods.mappings.tf_index import SET_RANGE


@rule(
    "tf.keras.ops.while_loop",
    samples=[
        sample(lambda i, x: i < 3, lambda i, x: (i + 1, x * 2), (0, 1.5)),
        sample(lambda i, x: i < 4, body=lambda i, x: (i + 1, x + 1), loop_vars=(1, 1.5)),
    ],
    differences=[NO_REVERSE],
)
def while_loop(cond, body, loop_vars, maximum_iterations=None):
    if maximum_iterations is not None:
        refuse("maximum_iterations: use lax.fori_loop, or count in the condition")
    if len(loop_vars) == 1:
        refuse("one loop variable: lax.while_loop takes it as it is, without a tuple")
    return lax.while_loop(lambda v: cond(*v), lambda v: tuple(body(*v)), tuple(loop_vars))


@rule("tf.keras.ops.fori_loop", samples=[sample(0, 3, lambda i, x: x * 2, 1.5), sample(1, 4, lambda i, x: x + i, 2)])
def fori_loop(lower, upper, body_fun, init_val):
    return lax.fori_loop(lower, upper, body_fun, init_val)


@rule(
    "tf.keras.ops.scan",
    samples=[
        sample(lambda c, x: (c + x, c * x), f32(), f32(5)),
        sample(lambda c, x: (c + x, c * x), f32(2), xs=f32(4, 2), reverse=True),
        sample(lambda c, x: (c + 1, c), 0, length=3),
    ],
)
def scan(f, init, xs=None, length=None, reverse=False, unroll=1):
    return lax.scan(f, init, xs, length=length, reverse=reverse, unroll=unroll)


@rule(
    "tf.keras.ops.associative_scan",
    samples=[
        sample(lambda a, b: a + b, f32(5, 2)), sample(lambda a, b: a * b, f32(3, 4), reverse=True, axis=1),
    ],
)  # fmt: skip
def associative_scan(f, elems, reverse=False, axis=0):
    if reverse and axis < 0:
        refuse("a reverse scan along an axis counted from the end: count it from the front")
    return lax.associative_scan(f, elems, reverse=reverse, axis=axis)


@rule("tf.keras.ops.vectorized_map", samples=[sample(lambda x: x * 2, f32(3, 2)), sample(lambda x: x + 1, i32(4))])
def vectorized_map(function, elements):
    return jax.vmap(function)(elements)


@rule("tf.keras.ops.map", samples=[sample(lambda x: x * 2, f32(3, 2)), sample(lambda x: x + 1, xs=i32(4))])
def map_(f, xs):
    return lax.map(f, xs)


@rule(
    "tf.keras.ops.switch",
    samples=[
        sample(i32(low=1, high=2), [lambda x: x + 1, lambda x: x * 3], f32(3)),
        sample(i32(low=0, high=1), [lambda x: x + 1, lambda x: x * 3], f32(3)),
    ],
)
def switch(index, branches, *operands):
    return lax.switch(index, branches, *operands)


@rule(
    "tf.keras.ops.scatter",
    samples=[sample([[1], [3], [1]], f32(3, 2), [5, 2]), sample([[0, 1]], values=f32(1), shape=(2, 2))],
    differences=[SET_RANGE, BOOLS],
)
def scatter(indices, values, shape):
    return jnp.zeros(shape, values.dtype).at[tuple(jnp.moveaxis(jnp.asarray(indices), -1, 0))].add(values)


@rule("tf.keras.ops.erfinv", samples=[sample(f32(4, low=-0.9, high=0.9))])
def erfinv(x):
    return jsp.special.erfinv(x)
