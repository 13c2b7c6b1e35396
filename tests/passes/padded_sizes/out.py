import functools

import jax.numpy as jnp
from flax import nnx

# Keras defaults that differ from Flax's.
Conv = functools.partial(nnx.Conv, kernel_init=nnx.initializers.glorot_uniform(), padding="VALID")


class ReflectionPadding2D(nnx.Module):
    def __init__(self, padding=(1, 1)):
        self.padding = tuple(padding)

    def __call__(self, input_tensor, mask=None):
        padding_width, padding_height = self.padding
        padding_tensor = [[0, 0], [padding_height, padding_height], [padding_width, padding_width], [0, 0]]
        return jnp.pad(input_tensor, padding_tensor, mode="reflect")


class Pad(nnx.Module):
    def __init__(self, pad=1):
        self.pad = pad

    def __call__(self, x):
        p = self.pad
        return jnp.pad(x, [[0, 0], [p, p], [p, p], [0, 0]], mode="reflect")


class Net(nnx.Module):
    def __init__(self, in_features, n, *, rngs: nnx.Rngs):
        self.conv = Conv(in_features, n, (3, 3), rngs=rngs)
        self.pad = ReflectionPadding2D((2, 2))
        self.conv2 = Conv(n, 5, (3, 3), rngs=rngs)
        self.pad2 = Pad(2)
        self.conv3 = Conv(5, 5, (3, 3), rngs=rngs)

    def __call__(self, x):
        x = self.conv(x)
        x = self.pad(x)
        x = self.conv2(x)
        x = self.pad2(x)
        return self.conv3(x)
