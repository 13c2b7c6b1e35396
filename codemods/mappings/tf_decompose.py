"""Decompositions and solvers."""

from __future__ import annotations

import jax.numpy as jnp
import jax.scipy as jsp
from jax import lax

from codemods.engine.rule import Array, Difference, f32, refuse, rule, sample
from codemods.mappings.differences import BATCHES, EMPTY, ENDLESS, NAN
from codemods.mappings.tf_linalg import turned

DOMINANT = [[4.0, 1.0, 0.5], [1.0, 3.0, 0.2], [0.5, 0.2, 2.0]]


@rule("tf.linalg.det", samples=[sample(f32(3, 3)), sample(f32(2, 2, 2))], differences=[EMPTY])
def det(input, name=None):
    return jnp.linalg.det(input)


@rule("tf.linalg.slogdet", samples=[sample(f32(3, 3)), sample(f32(2, 2, 2))], differences=[NAN])
def slogdet(input, name=None):
    return jnp.linalg.slogdet(input)


@rule("tf.linalg.logdet", samples=[sample(DOMINANT)])
def logdet(matrix, name=None):
    return jnp.linalg.slogdet(jnp.asarray(matrix))[1]


@rule(
    "tf.linalg.inv",
    samples=[sample(f32(3, 3)), sample(f32(2, 2, 2), adjoint=True), sample(Array((3, 3), "complex64"), adjoint=True)],
)
def inv(input, adjoint=False, name=None):
    return jnp.linalg.inv(turned(input, False, adjoint))


@rule("tf.linalg.pinv", samples=[sample(f32(3, 4)), sample(f32(4, 2))], differences=[ENDLESS])
def pinv(a, rcond=None, validate_args=False, name=None):
    return jnp.linalg.pinv(a, rtol=rcond)


@rule("tf.linalg.solve", samples=[sample(f32(3, 3), f32(3, 2)), sample(f32(2, 3, 3), f32(2, 3, 1), adjoint=True),
    sample(Array((3, 3), "complex64"), Array((3, 2), "complex64"), adjoint=True),
])  # fmt: skip
def solve(matrix, rhs, adjoint=False, name=None):
    return jnp.linalg.solve(turned(matrix, False, adjoint), rhs)


@rule(
    "tf.linalg.triangular_solve",
    samples=[
        sample(DOMINANT, f32(3, 2)),
        sample(DOMINANT, f32(3, 2), lower=False),
        sample(DOMINANT, f32(3, 1), adjoint=True),
    ],
    differences=[BATCHES],
)
def triangular_solve(matrix, rhs, lower=True, adjoint=False, name=None):
    return lax.linalg.triangular_solve(
        jnp.asarray(matrix), rhs, left_side=True, lower=lower, transpose_a=adjoint, conjugate_a=adjoint
    )


@rule("tf.linalg.cholesky", samples=[sample(DOMINANT)])
def cholesky(input, name=None):
    return jnp.linalg.cholesky(jnp.asarray(input))


@rule("tf.linalg.cholesky_solve", samples=[
    sample(DOMINANT, f32(3, 2)), sample([[2.0, 5.0], [1.0, 3.0]], f32(2, 2)),
])  # fmt: skip
def cholesky_solve(chol, rhs, name=None):
    return jsp.linalg.cho_solve((jnp.asarray(chol), True), rhs)


@rule("tf.linalg.eigh", samples=[sample([[2.0, 0.0], [0.0, 5.0]])])
def eigh(tensor, name=None):
    return jnp.linalg.eigh(jnp.asarray(tensor))


@rule("tf.linalg.eigvalsh", samples=[sample(DOMINANT)])
def eigvalsh(tensor, name=None):
    return jnp.linalg.eigvalsh(jnp.asarray(tensor))


SIGNS = Difference(
    "signs of singular vectors",
    "a pair of vectors may have both signs changed",
    ("compute_uv", "full_matrices"),
    "shape",
)


@rule(
    "tf.linalg.svd",
    samples=[sample(f32(3, 4), compute_uv=False), sample(f32(2, 3, 2), False, False)],
    differences=[SIGNS, ENDLESS],
)
def svd(tensor, full_matrices=False, compute_uv=True, name=None):
    if not compute_uv:
        return jnp.linalg.svd(tensor, compute_uv=False)
    u, s, vh = jnp.linalg.svd(tensor, full_matrices=full_matrices)
    return s, u, jnp.conj(jnp.matrix_transpose(vh))


@rule(
    "tf.linalg.qr",
    samples=[sample(f32(3, 3)), sample(f32(4, 2), full_matrices=True)],
    differences=[Difference("signs of columns", "a column of Q and its row of R may have both signs changed"), ENDLESS],
)
def qr(input, full_matrices=False, name=None):
    return jnp.linalg.qr(input, mode="complete" if full_matrices else "reduced")


@rule("tf.linalg.expm", samples=[sample(f32(3, 3)), sample(f32(2, 2, 2))], differences=[ENDLESS])
def expm(input, name=None):
    return jsp.linalg.expm(input)


@rule("tf.linalg.cross", samples=[sample(f32(3), f32(3)), sample(f32(4, 3), f32(4, 3))])
def cross(a, b, name=None):
    return jnp.cross(a, b)


@rule("tf.linalg.lstsq", samples=[sample(f32(5, 2), f32(5, 1))], differences=[ENDLESS, BATCHES])
def lstsq(matrix, rhs, l2_regularizer=0.0, fast=True, name=None):
    if l2_regularizer != 0.0:
        refuse("l2_regularizer: solve the normal equations with jnp.linalg.solve")
    return jnp.linalg.lstsq(matrix, rhs)[0]


@rule("tf.linalg.matrix_rank", samples=[sample(DOMINANT)])
def matrix_rank(a, tol=None, validate_args=False, name=None):
    if tol is not None:
        refuse("tol: count the singular values above it")
    return jnp.linalg.matrix_rank(jnp.asarray(a))
