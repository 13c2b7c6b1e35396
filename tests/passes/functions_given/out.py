"""ResNet style: stages given as functions, activations given as functions."""

import functools

import jax.numpy as jnp
from flax import nnx

# Keras defaults that differ from Flax's.
BatchNorm = functools.partial(nnx.BatchNorm, epsilon=0.001, use_fast_variance=False)
Conv = functools.partial(nnx.Conv, kernel_init=nnx.initializers.glorot_uniform())
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())


def swish(x):
    return x * nnx.sigmoid(x)


class BasicBlock(nnx.Module):
    """Two convolutions and a shortcut."""

    def __init__(self, in_features, filters, stride=1, activation=nnx.relu, *, rngs: nnx.Rngs):
        if stride != 1:
            self.shortcut_conv = Conv(in_features, filters, (1, 1), strides=stride, padding="VALID", rngs=rngs)
        else:
            self.shortcut_conv = None
        self.conv1 = Conv(in_features, filters, (3, 3), strides=stride, rngs=rngs)
        self.norm = BatchNorm(filters, rngs=rngs)
        self.conv2 = Conv(filters, filters, (3, 3), rngs=rngs)
        self.out_features = filters
        self.activation = activation

    def __call__(self, x, *, training=False):
        shortcut = x
        if self.shortcut_conv is not None:
            shortcut = self.shortcut_conv(x)
        x = self.conv1(x)
        x = self.norm(x, use_running_average=not training)
        x = self.activation(x)
        x = self.conv2(x)
        x = x + shortcut
        return self.activation(x)


class Bottleneck(nnx.Module):
    def __init__(self, in_features, filters, stride=1, activation=nnx.relu, *, rngs: nnx.Rngs):
        self.shortcut_conv = Conv(in_features, 4 * filters, (1, 1), strides=stride, padding="VALID", rngs=rngs)
        self.conv1 = Conv(in_features, filters, (1, 1), strides=stride, padding="VALID", rngs=rngs)
        self.conv2 = Conv(filters, 4 * filters, (1, 1), padding="VALID", rngs=rngs)
        self.out_features = 4 * filters
        self.activation = activation

    def __call__(self, x, *, training=False):
        shortcut = self.shortcut_conv(x)
        x = self.conv1(x)
        x = self.activation(x)
        x = self.conv2(x)
        return self.activation(x + shortcut)


class Stage(nnx.Module):
    def __init__(self, in_features, block_fn, filters, blocks, stride=2, *, rngs: nnx.Rngs):
        self.block = block_fn(in_features, filters, stride=stride, rngs=rngs)
        x_features = self.block.out_features
        self.blocks_layer = nnx.List()
        for i in range(1, blocks):
            self.blocks_layer.append(block_fn(x_features, filters, stride=2, rngs=rngs))
            x_features = self.blocks_layer[-1].out_features
        self.out_features = x_features

    def __call__(self, x, *, training=False):
        x = self.block(x, training=training)
        for block in self.blocks_layer:
            x = block(x, training=training)
        return x


class ResNet(nnx.Module):
    def __init__(self, stack_fn, classes=10, activation=nnx.relu, *, rngs: nnx.Rngs):
        self.conv = Conv(3, 8, (3, 3), strides=2, rngs=rngs)
        self.stack = stack_fn(8, rngs=rngs)
        self.post_bn = BatchNorm(self.stack.out_features, rngs=rngs)
        self.dense = Linear(self.stack.out_features, classes, rngs=rngs)
        self.activation = activation

    def __call__(self, inputs, *, training=False):
        x = self.conv(inputs)
        x = self.activation(x)
        x = self.stack(x, training=training)
        x = self.post_bn(x, use_running_average=not training)
        x = jnp.mean(x, axis=(1, 2))
        return self.dense(x)


class Resnet10StackFn(nnx.Module):
    def __init__(self, in_features, *, rngs: nnx.Rngs):
        self.stage1 = Stage(in_features, BasicBlock, 8, 2, stride=2, rngs=rngs)
        self.stage2 = Stage(self.stage1.out_features, BasicBlock, 16, 1, rngs=rngs)
        self.out_features = self.stage2.out_features

    def __call__(self, x, *, training=False):
        x = self.stage1(x, training=training)
        return self.stage2(x, training=training)


def resnet10(classes=10, *, seed=0):
    return ResNet(Resnet10StackFn, classes=classes, rngs=nnx.Rngs(seed))


class Resnet14bStackFn(nnx.Module):
    def __init__(self, in_features, width, *, rngs: nnx.Rngs):
        self.stage1 = Stage(in_features, Bottleneck, width, 2, rngs=rngs)
        self.stage2 = Stage(self.stage1.out_features, Bottleneck, 2 * width, 1, rngs=rngs)
        self.out_features = self.stage2.out_features

    def __call__(self, x, *, training=False):
        x = self.stage1(x, training=training)
        return self.stage2(x, training=training)


def resnet14b(classes=10, width=8, *, seed=0):
    return ResNet(functools.partial(Resnet14bStackFn, width=width), classes=classes, activation=swish, rngs=nnx.Rngs(seed))
