import functools

import jax
import jax.numpy as jnp
from flax import nnx


class Scale(nnx.Module):
    """Weights from an initializer that is called."""

    def __init__(self, in_features, units, *, rngs: nnx.Rngs):
        self.units = units
        w_init = nnx.initializers.normal(0.05)
        self.w = nnx.Param(w_init(rngs.params(), (in_features, self.units)))
        u_init = functools.partial(jax.random.uniform, minval=-0.1, maxval=0.1)
        self.u = nnx.Param(u_init(rngs.params(), (in_features, self.units)))
        g = nnx.initializers.glorot_uniform()
        self.g = nnx.Param(g(rngs.params(), (self.units,) + (self.units,)))
        b_init = nnx.initializers.zeros_init()
        self.b = nnx.Param(b_init(rngs.params(), (self.units,)))

    def __call__(self, x):
        return jnp.matmul(jnp.matmul(x, self.w + self.u), self.g[...]) + self.b


class Net(nnx.Module):
    def __init__(self, in_features, *, rngs: nnx.Rngs):
        self.s = Scale(in_features, 6, rngs=rngs)
        init = functools.partial(jax.random.uniform, minval=-0.05, maxval=0.05)
        self.k = nnx.Param(init(rngs.params(), (6, 3)))

    def __call__(self, x):
        return jnp.matmul(self.s(x), self.k[...])
