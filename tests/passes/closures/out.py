"""Functions that give functions of tensors, and functions inside a builder."""

import functools

import jax.numpy as jnp
from flax import nnx

# Keras defaults that differ from Flax's.
BatchNorm = functools.partial(nnx.BatchNorm, epsilon=0.001, use_fast_variance=False)
Conv = functools.partial(nnx.Conv, kernel_init=nnx.initializers.glorot_uniform())
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())

# Activations by the names that Keras gives them.
KERAS_ACTIVATIONS = {"relu": nnx.relu}


class ConvBn(nnx.Module):
    """A convolution, normalised."""

    def __init__(self, in_features, filters, kernel_size=3, act="relu", *, rngs: nnx.Rngs):
        self.conv = Conv(in_features, filters, (kernel_size, kernel_size), rngs=rngs)
        self.norm = BatchNorm(filters, rngs=rngs)
        self.act = KERAS_ACTIVATIONS.get(act, act)

    def __call__(self, x, *, training=False):
        x = self.conv(x)
        x = self.norm(x, use_running_average=not training)
        return self.act(x)


class Merge(nnx.Module):
    def __init__(self, in_features, in_features2, filters, *, rngs: nnx.Rngs):
        axis = -1
        self.conv_bn = ConvBn(in_features2 + in_features, filters, rngs=rngs)
        self.axis = axis

    def __call__(self, x, skip, *, training=False):
        x = jnp.repeat(jnp.repeat(x, 2, axis=1), 2, axis=2)
        x = jnp.concatenate([x, skip], axis=self.axis)
        return self.conv_bn(x, training=training)


def smooth_l1(delta):
    def loss(y, p):
        error = jnp.abs(y - p)
        return jnp.mean(jnp.where(error < delta, error**2, error))

    return loss


class Block(nnx.Module):
    """A residual block."""

    def __init__(self, in_features, filters, rate, width, *, rngs: nnx.Rngs):
        self.conv1 = Conv(in_features, filters, (3, 3), rngs=rngs)
        self.dropout = nnx.Dropout(rate, rngs=rngs)
        self.conv2 = Conv(filters, width, (1, 1), padding="VALID", rngs=rngs)

    def __call__(self, x, *, training=False):
        y = self.conv1(x)
        y = self.dropout(y, deterministic=not training)
        y = self.conv2(y)
        return x + y


class NetworkLayers(nnx.Module):
    def __init__(self, in_features, in_height, in_width, *, rngs: nnx.Rngs):
        self.dense = Linear(in_features * in_height * in_width, 4, rngs=rngs)

    def __call__(self, x):
        x = x.reshape(x.shape[0], -1)
        return self.dense(x)


class Network(nnx.Module):
    def __init__(self, width=8, shape=(16, 16, 3), *, rngs: nnx.Rngs):
        rate = 0.1
        self.skip = ConvBn(shape[-1], width, rngs=rngs)
        self.block1 = Block(width, 16, rate=rate, width=width, rngs=rngs)
        self.block2 = Block(width, filters=32, rate=rate, width=width, rngs=rngs)
        self.conv_bn = ConvBn(width, 2 * width, 1, rngs=rngs)
        self.merge = Merge(2 * width, width, width, rngs=rngs)
        self.network_layers = NetworkLayers(width, 2 * (shape[0] // 2), 2 * (shape[1] // 2), rngs=rngs)

    def __call__(self, inputs, *, training=False):
        skip = self.skip(inputs, training=training)
        x = nnx.max_pool(skip, (2, 2), strides=(2, 2))
        x = self.block1(x, training=training)
        x = self.block2(x, training=training)
        x = self.conv_bn(x, training=training)
        x = self.merge(x, skip, training=training)
        return self.network_layers(x)
