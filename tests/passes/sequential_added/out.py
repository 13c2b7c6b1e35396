"""A tower that is shared by two inputs, made with `add`."""

import functools

import jax.numpy as jnp
from flax import nnx

# Keras defaults that differ from Flax's.
Conv = functools.partial(nnx.Conv, kernel_init=nnx.initializers.glorot_uniform(), padding="VALID")
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())


class Tower(nnx.Module):
    def __init__(self, in_features, in_height, in_width, *, rngs: nnx.Rngs):
        self.conv = Conv(in_features, 8, (5, 5), rngs=rngs)
        self.dense = Linear(8 * ((in_height - 4) // 2) * ((in_width - 4) // 2), 32, rngs=rngs)

    def __call__(self, x):
        x = nnx.relu(self.conv(x))
        x = nnx.max_pool(x, (2, 2), strides=(2, 2))
        x = x.reshape(x.shape[0], -1)
        return nnx.sigmoid(self.dense(x))


class SiameseNet(nnx.Module):
    def __init__(self, input_shape=(20, 20, 1), *, rngs: nnx.Rngs):
        self.tower = Tower(input_shape[-1], input_shape[0], input_shape[1], rngs=rngs)
        self.prediction_dense = Linear(32, 1, rngs=rngs)

    def __call__(self, inputs):
        left, right = inputs

        distance = jnp.abs(self.tower(left) - self.tower(right))
        return nnx.sigmoid(self.prediction_dense(distance))
