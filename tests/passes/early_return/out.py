"""Inverted residuals: a helper with two ways out, widths from a function, activations by name."""

import functools

import jax.numpy as jnp
from flax import nnx

# Keras defaults that differ from Flax's.
BatchNorm = functools.partial(nnx.BatchNorm, epsilon=0.001, use_fast_variance=False)
Conv = functools.partial(nnx.Conv, kernel_init=nnx.initializers.glorot_uniform())
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())

# Activations by the names that Keras gives them.
KERAS_ACTIVATIONS = {"hard_swish": nnx.hard_silu, "relu6": nnx.relu6}


def make_divisible(value, divisor=8):
    new = max(divisor, int(value + divisor / 2) // divisor * divisor)
    if new < 0.9 * value:
        new += divisor
    return new


class InvertedResidual(nnx.Module):
    def __init__(self, in_features, expansion, stride, alpha, filters, block_id, activation="relu6", *, rngs: nnx.Rngs):
        in_channels = in_features
        out_channels = make_divisible(int(filters * alpha))
        if block_id:
            self.expand = Conv(in_features, expansion * in_channels, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
            self.expand_bn = BatchNorm(expansion * in_channels, rngs=rngs)
            x_features = expansion * in_channels
        else:
            x_features = in_features
            self.expand = None
            self.expand_bn = None
        self.depthwise = Conv(
            x_features, x_features, (3, 3), strides=stride, feature_group_count=x_features, use_bias=False, rngs=rngs
        )
        self.depthwise_bn = BatchNorm(x_features, rngs=rngs)
        self.project = Conv(x_features, out_channels, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.out_features = out_channels
        self.activation = KERAS_ACTIVATIONS.get(activation, activation)
        self.block_id = block_id
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.stride = stride

    def __call__(self, inputs, *, training=False):
        x = inputs
        if self.block_id:
            x = self.expand(x)
            x = self.expand_bn(x, use_running_average=not training)
            x = self.activation(x)
        x = self.depthwise(x)
        x = self.depthwise_bn(x, use_running_average=not training)
        x = self.project(x)
        if self.in_channels == self.out_channels and self.stride == 1:
            return inputs + x
        return x


class Mobilenet(nnx.Module):
    def __init__(self, input_shape=(32, 32, 3), alpha=1.0, classes=10, *, rngs: nnx.Rngs):
        self.stem = Conv(input_shape[-1], make_divisible(16 * alpha), (3, 3), strides=2, rngs=rngs)
        self.inverted_residual1 = InvertedResidual(make_divisible(16 * alpha), 1, 1, alpha, 8, block_id=0, rngs=rngs)
        self.inverted_residual2 = InvertedResidual(
            self.inverted_residual1.out_features, 6, 2, alpha, 16, block_id=1, activation="hard_swish", rngs=rngs
        )
        in_features = self.inverted_residual2.out_features
        self.inverted_residuals = nnx.List()
        for i in range(2):
            self.inverted_residuals.append(InvertedResidual(in_features, 6, 1, alpha, 16, block_id=2 + i, rngs=rngs))
            in_features = self.inverted_residuals[-1].out_features
        self.logits = Linear(in_features, classes, rngs=rngs)

    def __call__(self, image, *, training=False):
        x = self.stem(image)
        x = self.inverted_residual1(x, training=training)
        x = self.inverted_residual2(x, training=training)
        for inverted_residual in self.inverted_residuals:
            x = inverted_residual(x, training=training)
        x = jnp.mean(x, axis=(1, 2))
        return self.logits(x)
