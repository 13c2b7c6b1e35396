"""Blocks whose width grows in a loop, and that hand on how wide they have become."""

import functools

import jax.numpy as jnp
from flax import nnx

# Keras defaults that differ from Flax's.
BatchNorm = functools.partial(nnx.BatchNorm, epsilon=0.001, use_fast_variance=False)
Conv = functools.partial(nnx.Conv, kernel_init=nnx.initializers.glorot_uniform())
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())


class DenseBlock(nnx.Module):
    def __init__(self, in_features, num_layers, filters, growth_rate, *, rngs: nnx.Rngs):
        x_features = in_features
        self.bns = nnx.List()
        self.convs = nnx.List()
        for i in range(num_layers):
            self.bns.append(BatchNorm(x_features, rngs=rngs))
            self.convs.append(Conv(x_features, growth_rate, (3, 3), rngs=rngs))
            filters += growth_rate
            x_features = x_features + growth_rate
        self.out_features = x_features
        self.filters = filters

    def __call__(self, x, *, training=False):
        for bn, conv in zip(self.bns, self.convs):
            y = bn(x, use_running_average=not training)
            y = conv(y)
            x = jnp.concatenate([x, y], axis=-1)
        return x, self.filters


class Transition(nnx.Module):
    def __init__(self, in_features, filters, compression, *, rngs: nnx.Rngs):
        self.conv = Conv(in_features, int(filters * compression), (1, 1), padding="VALID", rngs=rngs)
        self.out_features = int(filters * compression)

    def __call__(self, x):
        x = self.conv(x)
        return nnx.avg_pool(x, (2, 2), strides=(2, 2))


class Densenet(nnx.Module):
    def __init__(self, input_shape=(16, 16, 3), blocks=(2, 3), growth_rate=4, compression=0.5, classes=5, *, rngs: nnx.Rngs):
        filters = 2 * growth_rate
        self.conv = Conv(input_shape[-1], filters, (3, 3), rngs=rngs)
        in_features = 2 * growth_rate
        self.dense_blocks = nnx.List()
        self.transitions = nnx.List()
        for i, num_layers in enumerate(blocks):
            self.dense_blocks.append(DenseBlock(in_features, num_layers, filters, growth_rate, rngs=rngs))
            filters = self.dense_blocks[-1].filters
            if i != len(blocks) - 1:
                self.transitions.append(Transition(self.dense_blocks[-1].out_features, filters, compression, rngs=rngs))
                filters = int(filters * compression)
                in_features = self.transitions[-1].out_features
            else:
                in_features = self.dense_blocks[-1].out_features
                self.transitions.append(None)
        self.dense = Linear(in_features, classes, rngs=rngs)

    def __call__(self, image, *, training=False):
        x = self.conv(image)
        for dense_block, transition in zip(self.dense_blocks, self.transitions):
            x, filters = dense_block(x, training=training)
            if transition is not None:
                x = transition(x)
        x = jnp.mean(x, axis=(1, 2))
        return nnx.softmax(self.dense(x))
