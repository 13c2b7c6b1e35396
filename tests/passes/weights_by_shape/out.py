import functools
import math

import jax
import jax.numpy as jnp
from flax import nnx

# Keras defaults that differ from Flax's.
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())


class Scale(nnx.Module):
    def __init__(self, in_features, in_length, dtype_of_b=jnp.float32, *, rngs: nnx.Rngs):
        self.dtype_of_b = dtype_of_b
        self.scale = nnx.Param(1.0 + 0.02 * jax.random.normal(rngs.params(), (in_features,)))
        self.full = nnx.Param(nnx.initializers.glorot_uniform()(rngs.params(), (in_length, in_features)))
        self.half = nnx.Param(1.0 + 0.02 * jax.random.normal(rngs.params(), (2, 2), jnp.float16))
        self.b = nnx.Param(jnp.ones((), dtype=self.dtype_of_b))
        self.count = nnx.Variable(jnp.zeros((), dtype=jnp.int32))
        self.each = nnx.Param(nnx.initializers.normal(0.05)(rngs.params(), (math.prod((in_length, in_features)),)))

    def __call__(self, x):
        return x * self.scale + self.full


class Flat(nnx.Module):
    def __init__(self, in_features, in_length, units, *, rngs: nnx.Rngs):
        self.units = units
        size = math.prod((in_length, in_features))
        self.w = nnx.Param(nnx.initializers.normal(0.05)(rngs.params(), [size, self.units]))
        last = in_features
        self.v = nnx.Param(jnp.zeros([last]))

    def __call__(self, x):
        return jnp.matmul(jnp.reshape(x * self.v, [x.shape[0], -1]), self.w[...])


class Model(nnx.Module):
    def __init__(self, units, *, rngs: nnx.Rngs):
        self.scale = Scale(5, 3, rngs=rngs)
        self.flat = Flat(5, 3, units, rngs=rngs)
        self.dense = Linear(units, 3, rngs=rngs)

    def __call__(self, inputs):
        x = inputs
        x = self.scale(x)
        x = self.flat(x)
        return self.dense(x)
