"""Layers and functions of `tf.keras.layers` that merge several tensors."""

import functools
import math

import jax.numpy as jnp
from jax import lax

from codemods.engine.rule import f32, inline, known, layer, refuse, rule, sample
from codemods.mappings.differences import BOOLS, HALF
from codemods.mappings.tf_dtypes import NARROW_INTEGERS

PAIR = (f32(3, 4), f32(3, 4))
THREE = [f32(3, 4), f32(3, 1), f32(3, 4)]


@inline
def total(inputs):
    if not known(len(inputs)):
        return sum(inputs)
    if isinstance(inputs, (list, tuple)) and len(inputs) == 2:
        return inputs[0] + inputs[1]
    if isinstance(inputs, (list, tuple)) and len(inputs) == 3:
        return inputs[0] + inputs[1] + inputs[2]
    return sum(inputs)


@inline
def product(inputs):
    if not known(len(inputs)):
        return math.prod(inputs)
    if isinstance(inputs, (list, tuple)) and len(inputs) == 2:
        return inputs[0] * inputs[1]
    return math.prod(inputs)


@inline
def largest(inputs):
    if not known(len(inputs)):
        return functools.reduce(jnp.maximum, inputs)
    if isinstance(inputs, (list, tuple)) and len(inputs) == 2:
        return jnp.maximum(inputs[0], inputs[1])
    return functools.reduce(jnp.maximum, inputs)


@inline
def smallest(inputs):
    if not known(len(inputs)):
        return functools.reduce(jnp.minimum, inputs)
    if isinstance(inputs, (list, tuple)) and len(inputs) == 2:
        return jnp.minimum(inputs[0], inputs[1])
    return functools.reduce(jnp.minimum, inputs)


@inline
def unit(x, axis):
    return x * lax.rsqrt(jnp.maximum(jnp.sum(jnp.square(x), axis=axis, keepdims=True), 1e-12))


@inline
def dotted(a, b, axes, normalize):
    if isinstance(axes, int):
        axes = (axes, axes)
    ranks = (a.ndim, b.ndim)
    if normalize:
        a = unit(a, axes[0])
        b = unit(b, axes[1])
    if ranks == (2, 2):
        return jnp.sum(a * b, axis=1, keepdims=True)
    if ranks == (3, 3) and axes[0] in (2, -1) and axes[1] in (2, -1):
        return jnp.einsum("bij,bkj->bik", a, b)
    if ranks == (3, 3) and axes[0] in (2, -1):
        return a @ b
    if ranks == (3, 3) and axes[1] in (1, -2):
        return jnp.einsum("bji,bjk->bik", a, b)
    if ranks == (3, 3):
        return jnp.einsum("bji,bkj->bik", a, b)
    if ranks == (3, 2) and axes[0] in (2, -1):
        return jnp.einsum("bij,bj->bi", a, b)
    refuse("Dot over these ranks")


def broadcast(x):
    """The shape of tensors that are broadcast together."""
    shape = max((t.shape for t in x), key=len)
    for other in (t.shape for t in x):
        lead, rest = shape[: len(shape) - len(other)], shape[len(shape) - len(other) :]
        wide = (b if isinstance(a, int) and a == 1 else a for a, b in zip(rest, other, strict=True))
        shape = (*lead, *wide)
    return shape


@layer("tf.keras.layers.Add", samples=[sample(x=[*PAIR]), sample(x=THREE)])
class Add:
    def make():
        return None

    def call(layer, inputs):
        return total(inputs)

    shape = broadcast


@layer("tf.keras.layers.Subtract", samples=[sample(x=[*PAIR])])
class Subtract:
    def make():
        return None

    def call(layer, inputs):
        return inputs[0] - inputs[1]

    shape = broadcast


@layer("tf.keras.layers.Multiply", samples=[sample(x=[*PAIR]), sample(x=THREE)])
class Multiply:
    def make():
        return None

    def call(layer, inputs):
        return product(inputs)

    shape = broadcast


@layer("tf.keras.layers.Average", samples=[sample(x=[*PAIR]), sample(x=THREE)])
class Average:
    def make():
        return None

    def call(layer, inputs):
        return total(inputs) / len(inputs)

    shape = broadcast


@layer("tf.keras.layers.Maximum", samples=[sample(x=[*PAIR]), sample(x=THREE)])
class Maximum:
    def make():
        return None

    def call(layer, inputs):
        return largest(inputs)

    shape = broadcast


@layer("tf.keras.layers.Minimum", samples=[sample(x=[*PAIR]), sample(x=THREE)])
class Minimum:
    def make():
        return None

    def call(layer, inputs):
        return smallest(inputs)

    shape = broadcast


@layer("tf.keras.layers.Concatenate", samples=[
    sample(x=[f32(3, 4), f32(3, 2)]), sample(axis=1, x=[f32(3, 4, 2), f32(3, 2, 2), f32(3, 1, 2)]),
])  # fmt: skip
class Concatenate:
    def make(axis=-1):
        return None

    def call(layer, inputs, *, axis):
        return jnp.concatenate(inputs, axis=axis)

    def shape(x, *, axis):
        shapes = [list(t.shape) for t in x]
        width = shapes[0][axis]
        for shape in shapes[1:]:
            width = width + shape[axis]
        shapes[0][axis] = width
        return tuple(shapes[0])


@layer("tf.keras.layers.Dot", samples=[
    sample(1, x=[f32(3, 4), f32(3, 4)]), sample(-1, normalize=True, x=[f32(3, 4), f32(3, 4)]),
    sample(axes=(2, 1), x=[f32(3, 4, 5), f32(3, 5, 2)]), sample(2, x=[f32(3, 4, 5), f32(3, 2, 5)]),
    sample(1, normalize=True, x=[f32(3, 4, 5), f32(3, 4, 2)]), sample((1, 2), x=[f32(3, 4, 5), f32(3, 2, 4)]),
    sample((2, 1), x=[f32(3, 4, 5), f32(3, 5)]),
])  # fmt: skip
class Dot:
    def make(axes, normalize=False):
        return None

    def call(layer, inputs, *, axes, normalize):
        return dotted(inputs[0], inputs[1], axes, normalize)

    def shape(x, *, axes):
        first, second = axes if isinstance(axes, (tuple, list)) else (axes, axes)
        a, b = list(x[0].shape), list(x[1].shape)
        del a[first], b[second], b[0]
        return (*a, *b) if len(a) + len(b) > 1 else (*a, 1)


@rule("tf.keras.layers.add", samples=[sample([*PAIR]), sample(THREE)], differences=[HALF])
def add(inputs, name=None):
    return total(inputs)


@rule("tf.keras.layers.subtract", samples=[sample([*PAIR])], differences=[HALF])
def subtract(inputs, name=None):
    return inputs[0] - inputs[1]


@rule("tf.keras.layers.multiply", samples=[sample([*PAIR]), sample(THREE)], differences=[HALF])
def multiply(inputs, name=None):
    return product(inputs)


@rule("tf.keras.layers.average", samples=[sample([*PAIR]), sample(THREE)], differences=[NARROW_INTEGERS, HALF])
def average(inputs, name=None):
    return total(inputs) / len(inputs)


@rule("tf.keras.layers.maximum", samples=[sample([*PAIR]), sample(THREE)], differences=[HALF])
def maximum(inputs, name=None):
    return largest(inputs)


@rule("tf.keras.layers.minimum", samples=[sample([*PAIR]), sample(THREE)], differences=[HALF])
def minimum(inputs, name=None):
    return smallest(inputs)


@rule(
    "tf.keras.layers.concatenate", samples=[sample([f32(3, 4), f32(3, 2)]), sample([*PAIR], axis=0)], differences=[HALF]
)
def concatenate(inputs, axis=-1, name=None):
    return jnp.concatenate(inputs, axis=axis)


@rule("tf.keras.layers.dot", samples=[
    sample([*PAIR], 1), sample([f32(3, 4, 5), f32(3, 2, 5)], axes=-1, normalize=True),
    sample([f32(3, 4, 5), f32(3, 2, 5)]),
], differences=[BOOLS, HALF])  # fmt: skip
def dot(inputs, axes=-1, normalize=False, name=None):
    return dotted(inputs[0], inputs[1], axes, normalize)
