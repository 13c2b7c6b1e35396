import functools

import jax.numpy as jnp
from flax import nnx
from jax import lax

# Keras defaults that differ from Flax's.
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())


class Patches(nnx.Module):
    def __init__(self, size):
        self.size = size

    def __call__(self, x):
        patches = lax.conv_general_dilated_patches(
            x,
            [self.size, self.size],
            [self.size, self.size],
            "VALID",
            rhs_dilation=[1, 1],
            dimension_numbers=("NHWC", "OIHW", "NHWC"),
        )
        p = jnp.reshape(jnp.swapaxes(jnp.reshape(patches, (*patches.shape[:3], x.shape[-1], -1)), -1, -2), patches.shape)
        return jnp.reshape(p, [x.shape[0], -1, p.shape[-1]])


class Net(nnx.Module):
    def __init__(self, in_features, size, units, *, rngs: nnx.Rngs):
        self.patches = Patches(size)
        self.dense = Linear(in_features * size**2, units, rngs=rngs)

    def __call__(self, x):
        return self.dense(self.patches(x))


class Model(nnx.Module):
    def __init__(self, *, rngs: nnx.Rngs):
        self.patches = Patches(6)
        self.dense = Linear(108, 3, rngs=rngs)

    def __call__(self, inputs):
        x = inputs
        x = self.patches(x)
        return self.dense(x)
