"""Linear algebra."""

from __future__ import annotations

import jax.numpy as jnp

from codemods.engine.rule import Array, f32, i32, inline, known, refuse, rule, sample
from codemods.mappings.differences import STRICT_SHAPES
from codemods.mappings.tf_core import axes

SPARSE = "operands of a sparse or another type: cast them, or use jax.experimental.sparse"


@inline
def turned(x, transpose, adjoint):
    """A matrix, transposed or its adjoint taken where that is asked for."""
    if adjoint:
        return jnp.conj(jnp.matrix_transpose(x))
    if transpose:
        return jnp.matrix_transpose(x)
    return x


@rule(
    "tf.matmul",
    samples=[
        sample(f32(2, 3), f32(3, 4)),
        sample(f32(2, 3, 4), f32(2, 5, 4), transpose_b=True),
        sample(f32(3, 2), f32(3, 4), True),
        sample(Array((2, 2), "complex64"), Array((2, 2), "complex64"), adjoint_a=True, adjoint_b=True),
        sample(i32(2, 3), i32(3, 2)),
    ],
)
def matmul(
    a, b, transpose_a=False, transpose_b=False, adjoint_a=False, adjoint_b=False, a_is_sparse=False, b_is_sparse=False,
    output_type=None, grad_a=False, grad_b=False, name=None,
):  # fmt: skip
    if output_type is not None or grad_a or grad_b:
        refuse(SPARSE)
    return jnp.matmul(turned(a, transpose_a, adjoint_a), turned(b, transpose_b, adjoint_b))


@rule(
    "tf.linalg.matvec",
    samples=[
        sample(f32(2, 3), f32(3)),
        sample(f32(4, 3, 2), f32(4, 3), transpose_a=True),
        sample(f32(4, 2, 3), f32(3)),
    ],
)
def matvec(a, b, transpose_a=False, adjoint_a=False, a_is_sparse=False, b_is_sparse=False, name=None):
    return jnp.matvec(turned(a, transpose_a, adjoint_a), b)


@rule(
    "tf.tensordot",
    samples=[
        sample(f32(2, 3), f32(3, 4), 1),
        sample(f32(2, 3, 4), f32(4, 3, 5), axes=[[1, 2], [1, 0]]),
        sample(f32(2, 3), f32(2, 3), 2),
        sample(f32(2, 3, 4), f32(2, 4), [[0], [0]]),
    ],
    differences=[STRICT_SHAPES],
)
def tensordot(a, b, axes, name=None):
    return jnp.tensordot(a, b, axes=axes)


@rule(
    "tf.einsum",
    samples=[
        sample("bij,bjk->bik", f32(2, 3, 4), f32(2, 4, 5)),
        sample("...ij->...ji", f32(2, 3, 4)),
        sample("i,i->", f32(3), f32(3)),
    ],
)
def einsum(equation, *inputs, optimize="greedy", name=None):
    return jnp.einsum(equation, *inputs)


@rule(
    "tf.norm",
    samples=[
        sample(f32(4, 3)), sample(f32(4, 3), axis=1), sample(f32(4, 3), ord=1, axis=-1, keepdims=True),
        sample(f32(4, 3), 2),
        sample(f32(4, 3), ord=float("inf"), axis=0), sample(f32(4, 3, 2), axis=[0, 1]), sample(f32(4, 3), 1),
    ],
)  # fmt: skip
def norm(tensor, ord="euclidean", axis=None, keepdims=None, name=None):
    keepdims = False if keepdims is None else keepdims
    if ord == "euclidean" or ord == 2 and axis is None:
        return jnp.linalg.norm(tensor, axis=axes(axis), keepdims=keepdims)
    if axis is None and not keepdims:
        return jnp.linalg.norm(jnp.ravel(tensor), ord=ord)
    if axis is None:
        refuse("keepdims with ord but no axis: state the axes")
    if known(axis) and isinstance(axis, (list, tuple)) and len(axis) == 2 and ord != "fro":
        refuse("this matrix norm: use jnp.linalg.norm(x, ord, axis)")
    return jnp.linalg.norm(tensor, ord=ord, axis=axes(axis), keepdims=keepdims)


@rule("tf.linalg.normalize", samples=[sample(f32(4, 3), axis=1), sample(f32(4, 3), axis=-1, ord=1)])
def normalize(tensor, ord="euclidean", axis=None, name=None):
    if known(axis) and axis is None:
        refuse("no axis: divide by jnp.linalg.norm(x)")
    order = None if ord == "euclidean" else ord
    size = jnp.linalg.norm(tensor, ord=order, axis=axes(axis), keepdims=True)
    return tensor / size, size


@rule(
    "tf.linalg.matrix_transpose",
    samples=[
        sample(f32(4, 3)),
        sample(f32(2, 4, 3), conjugate=True),
        sample(Array((4, 3), "complex64")),
        sample(Array((4, 3), "complex64"), conjugate=True),
    ],
)
def matrix_transpose(a, name="matrix_transpose", conjugate=False):
    return turned(a, True, conjugate)


@rule("tf.linalg.adjoint", samples=[sample(f32(4, 3)), sample(Array((2, 3), "complex64"))])
def adjoint(matrix, name=None):
    return jnp.conj(jnp.matrix_transpose(matrix))


@rule(
    "tf.linalg.band_part",
    samples=[
        sample(f32(4, 5), -1, 0),
        sample(f32(4, 5), 0, -1),
        sample(f32(2, 4, 5), 1, 2),
        sample(f32(4, 4), -1, num_upper=-1),
        sample(f32(4, 4), -1, 1),
        sample(f32(4, 4), 2, -1),
    ],
)
def band_part(input, num_lower, num_upper, name=None):
    if num_lower < 0 and num_upper < 0:
        return input
    if num_lower < 0:
        return jnp.tril(input, k=num_upper)
    if num_upper < 0:
        return jnp.triu(input, k=-num_lower)
    return jnp.triu(jnp.tril(input, k=num_upper), k=-num_lower)


@rule("tf.linalg.diag", samples=[sample(f32(3)), sample(f32(2, 3)), sample(f32(3), k=1), sample(f32(2, 3), k=-2)])
def diag(diagonal, name="diag", k=0, num_rows=-1, num_cols=-1, padding_value=0, align="RIGHT_LEFT"):
    if num_rows != -1 or num_cols != -1 or padding_value != 0 or not isinstance(k, int):
        refuse("several diagonals, a size or a padding: add jnp.diag of each")
    return jnp.vectorize(lambda d: jnp.diag(d, k), signature="(n)->(m,m)")(diagonal)


@rule(
    "tf.linalg.diag_part",
    samples=[sample(f32(3, 3)), sample(f32(2, 3, 4)), sample(f32(3, 4), k=1), sample(f32(4, 3), k=-2)],
)
def diag_part(input, name="diag_part", k=0, padding_value=0, align="RIGHT_LEFT"):
    if not isinstance(k, int):
        refuse("several diagonals: stack jnp.diagonal of each")
    return jnp.diagonal(input, offset=k, axis1=-2, axis2=-1)


@rule("tf.linalg.set_diag", samples=[sample(f32(3, 3), f32(3)), sample(f32(2, 3, 4), f32(2, 3))])
def set_diag(input, diagonal, name="set_diag", k=0, align="RIGHT_LEFT"):
    if k != 0:
        refuse("another diagonal than the main one: use x.at[rows, columns].set")
    return input.at[..., jnp.arange(diagonal.shape[-1]), jnp.arange(diagonal.shape[-1])].set(diagonal)


@rule("tf.linalg.tensor_diag", samples=[sample(f32(3))])
def tensor_diag(diagonal, name=None):
    if diagonal.ndim != 1:
        refuse("the diagonal of a tensor of higher rank: reshape to a matrix")
    return jnp.diag(diagonal)


@rule("tf.linalg.tensor_diag_part", samples=[sample(f32(3, 3))])
def tensor_diag_part(input, name=None):
    if input.ndim != 2:
        refuse("the diagonal of a tensor of higher rank: reshape to a matrix")
    return jnp.diag(input)


@rule("tf.linalg.trace", samples=[sample(f32(3, 3)), sample(f32(2, 3, 4))])
def trace(x, name=None):
    return jnp.trace(x, axis1=-2, axis2=-1)
