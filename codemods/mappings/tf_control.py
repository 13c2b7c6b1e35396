"""Control flow over functions, and printing."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax

from codemods.engine.rule import Difference, f32, i32, known, refuse, rule, sample
from codemods.mappings.differences import EMPTY, STRICT_SHAPES
from codemods.mappings.tf_dtypes import as_dtype

NO_REVERSE = Difference(
    "gradients through the loop", "lax.while_loop has none in reverse mode; use lax.scan or lax.fori_loop"
)
NO_BACKPROP = "back_prop=False: wrap the function in lax.stop_gradient"


@rule("tf.cond", samples=[sample(True, lambda: 1.0, lambda: 2.0), sample(False, true_fn=lambda: 1, false_fn=lambda: 2)])
def cond(pred, true_fn=None, false_fn=None, name=None):
    return lax.cond(pred, true_fn, false_fn)


@rule("tf.keras.ops.cond", samples=[sample(True, lambda: 1.0, lambda: 2.0)])
def keras_cond(pred, true_fn, false_fn):
    return lax.cond(pred, true_fn, false_fn)


@rule(
    "tf.switch_case",
    samples=[
        sample(i32(low=1, high=2), [lambda: 1.0, lambda: 2.0]),
        sample(i32(low=2, high=3), branch_fns=[lambda: 1.0, lambda: 2.0, lambda: 3.0]),
    ],
    differences=[Difference("a negative index", "TensorFlow takes the last branch, JAX the first")],
)
def switch_case(branch_index, branch_fns, default=None, name="switch_case"):
    if default is not None:
        refuse("a default: put it last in the list of branches, and limit the index to it")
    return lax.switch(branch_index, branch_fns)


@rule(
    "tf.map_fn",
    samples=[
        sample(lambda x: x * 2, f32(3, 2)),
        sample(lambda x: x + 1, elems=i32(4)),
        sample(lambda x: x[0] * x[1], (f32(3), f32(3)), dtype="float32"),
    ],
    differences=[EMPTY],
)
def map_fn(
    fn, elems, dtype=None, parallel_iterations=None, back_prop=True, swap_memory=False, infer_shape=True, name=None,
    fn_output_signature=None,
):  # fmt: skip
    if not back_prop:
        refuse(NO_BACKPROP)
    return lax.map(fn, elems)


@rule(
    "tf.vectorized_map",
    samples=[sample(lambda x: x * 2, f32(3, 2)), sample(lambda x: x[0] + x[1], elems=(f32(3), f32(3)))],
    differences=[STRICT_SHAPES],
)
def vectorized_map(fn, elems, fallback_to_while_loop=True, warn=True):
    return jax.vmap(fn)(elems)


@rule(
    "tf.while_loop",
    samples=[
        sample(lambda i, x: i < 3, lambda i, x: (i + 1, x * 2), (0, 1.5)),
        sample(lambda i, x: i < 3, lambda i, x: [i + 1, x + 1], loop_vars=[0, 1.5]),
    ],
    differences=[NO_REVERSE],
)
def while_loop(
    cond, body, loop_vars, shape_invariants=None, parallel_iterations=10, back_prop=True, swap_memory=False,
    maximum_iterations=None, name=None,
):  # fmt: skip
    if maximum_iterations is not None or shape_invariants is not None:
        refuse("maximum_iterations or shape_invariants: use lax.fori_loop, or count in the condition")
    if len(loop_vars) == 1:
        refuse("one loop variable: lax.while_loop takes it as it is, without a list")
    return lax.while_loop(lambda v: cond(*v), lambda v: tuple(body(*v)), tuple(loop_vars))


@rule(
    "tf.scan",
    samples=[
        sample(lambda a, x: a + x, f32(5), initializer=0.0),
        sample(lambda a, x: a * x, f32(4), 1.0, reverse=True),
    ],
)
def scan(
    fn, elems, initializer=None, parallel_iterations=10, back_prop=True, swap_memory=False, infer_shape=True,
    reverse=False, name=None,
):  # fmt: skip
    if not back_prop:
        refuse(NO_BACKPROP)
    if known(initializer) and initializer is None:
        refuse("no initializer: start lax.scan from the first element")
    return lax.scan(lambda carry, x: (lambda y: (y, y))(fn(carry, x)), initializer, elems, reverse=reverse)[1]


@rule("tf.print", samples=[sample("loss"), sample("loss", 1.5)])
def print_(*inputs, output_stream=None, summarize=None, sep=" ", end="\n", name=None):
    if output_stream is not None or end != "\n":
        refuse("output_stream or end: jax.debug.print writes lines to the standard output")
    return jax.debug.print(sep.join(["{}"] * len(inputs)), *inputs)


@rule("tf.as_dtype", samples=[sample("float32"), sample("int32")])
def as_dtype_(type_value):
    return jnp.dtype(as_dtype(type_value))


@rule("tf.group", samples=[sample()])
def group(*inputs, name=None):
    return None


@rule("tf.no_op", samples=[sample()])
def no_op(name=None):
    return None
