"""Layers and merges whose names count the rounds, strides that are parameters, and shapes that callers hand on."""

import functools

import jax.numpy as jnp
from flax import nnx

# Keras defaults that differ from Flax's.
BatchNorm = functools.partial(nnx.BatchNorm, epsilon=0.001, use_fast_variance=False)
Conv = functools.partial(nnx.Conv, kernel_init=nnx.initializers.glorot_uniform(), padding="VALID")
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())


class Conv2dBn(nnx.Module):
    def __init__(self, in_features, filters, rows, cols, padding="same", strides=(1, 1), *, rngs: nnx.Rngs):
        self.conv = Conv(
            in_features, filters, (rows, cols), strides=strides, padding=padding.upper(), use_bias=False, rngs=rngs
        )
        self.norm = BatchNorm(filters, use_scale=False, rngs=rngs)

    def __call__(self, x, *, training=False):
        x = self.conv(x)
        x = self.norm(x, use_running_average=not training)
        return nnx.relu(x)


class BaseNetwork(nnx.Module):
    def __init__(self, input_shape, *, rngs: nnx.Rngs):
        self.conv = Conv(input_shape[-1], 6, (3, 3), rngs=rngs)
        self.dense = Linear(6 * input_shape[0] * input_shape[1] - 12 * input_shape[1] - 12 * input_shape[0] + 24, 8, rngs=rngs)

    def __call__(self, x):
        x = nnx.relu(self.conv(x))
        x = x.reshape(x.shape[0], -1)
        return self.dense(x)


class Inception(nnx.Module):
    def __init__(self, input_shape=(20, 20, 3), classes=4, *, rngs: nnx.Rngs):
        self.conv2d_bn = Conv2dBn(input_shape[-1], 8, 3, 3, strides=(2, 2), padding="valid", rngs=rngs)
        self.left = Conv2dBn(8, 4, 1, 1, rngs=rngs)
        in_features = 12
        self.lefts = nnx.List()
        self.rights = nnx.List()
        for i in range(2):
            self.lefts.append(Conv2dBn(in_features, 6, 1, 1, rngs=rngs))
            self.rights.append(Conv2dBn(in_features, 8, 1, 1, rngs=rngs))
            in_features = 14
        self.base_network = BaseNetwork(input_shape, rngs=rngs)
        self.dense = Linear(22, classes, rngs=rngs)

    def __call__(self, inputs, *, training=False):
        x = self.conv2d_bn(inputs, training=training)
        left = self.left(x, training=training)
        right = nnx.avg_pool(x, (3, 3), strides=(1, 1), padding="SAME", count_include_pad=False)
        x = jnp.concatenate([left, right], axis=3)
        for left, right_layer in zip(self.lefts, self.rights):
            left = left(x, training=training)
            right = nnx.avg_pool(x, (3, 3), strides=(1, 1), padding="SAME", count_include_pad=False)
            right = right_layer(right, training=training)
            x = jnp.concatenate([left, right], axis=3)
        x = jnp.mean(x, axis=(1, 2))
        aside = self.base_network(inputs)
        x = jnp.concatenate([x, aside], axis=-1)
        return self.dense(x)
