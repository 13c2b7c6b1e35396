"""Helpers that only other files call, lists that differ by branch, and configuration spread over arguments."""

import copy
import functools

import jax.numpy as jnp
from flax import nnx

# Keras defaults that differ from Flax's.
BatchNorm = functools.partial(nnx.BatchNorm, epsilon=0.001, use_fast_variance=False)
Conv = functools.partial(nnx.Conv, kernel_init=nnx.initializers.glorot_uniform())
Linear = functools.partial(nnx.Linear, kernel_init=nnx.initializers.glorot_uniform())

# Activations by the names that Keras gives them.
KERAS_ACTIVATIONS = {"relu": nnx.relu}

STAGES = [{"filters": 8, "repeats": 1, "strides": 1}, {"filters": 16, "repeats": 2, "strides": 2}]


class Residual(nnx.Module):
    """Never called here."""

    def __init__(self, in_features, filters, stride=1, *, rngs: nnx.Rngs):
        self.shortcut_conv = Conv(in_features, filters, (1, 1), strides=stride, padding="VALID", rngs=rngs)
        self.conv = Conv(in_features, filters, (3, 3), strides=stride, rngs=rngs)
        self.norm = BatchNorm(filters, rngs=rngs)

    def __call__(self, x, *, training=False):
        shortcut = self.shortcut_conv(x)
        x = self.conv(x)
        x = self.norm(x, use_running_average=not training)
        return shortcut + x


class Mixed(nnx.Module):
    def __init__(self, in_features, kind, scale=0.1, *, rngs: nnx.Rngs):
        if kind == "wide":
            self.conv1 = Conv(in_features, 8, (1, 1), padding="VALID", rngs=rngs)
            self.conv2 = Conv(in_features, 8, (3, 3), rngs=rngs)
            self.conv3 = Conv(in_features, 4, (5, 5), rngs=rngs)
            branches_features = [8, 8, 4]
            self.conv4 = None
        elif kind == "narrow":
            self.conv4 = Conv(in_features, 12, (1, 1), padding="VALID", rngs=rngs)
            self.branches_conv = Conv(in_features, 6, (3, 3), rngs=rngs)
            branches_features = [12, 6]
            self.conv1 = None
        else:
            raise ValueError(f"unknown kind {kind}")
        self.conv5 = Conv(sum(branches_features), in_features, (1, 1), padding="VALID", rngs=rngs)
        self.kind = kind
        self.scale = scale

    def __call__(self, x):
        if self.conv1 is not None:
            a = self.conv1(x)
            b = self.conv2(x)
            c = self.conv3(x)
            branches = [a, b, c]
        elif self.conv4 is not None:
            a = self.conv4(x)
            branches = [a, self.branches_conv(x)]
        else:
            raise ValueError(f"unknown kind {self.kind}")
        joined = jnp.concatenate(branches, axis=-1)
        up = self.conv5(joined)
        return x + self.scale * up


class Block(nnx.Module):
    def __init__(self, in_features, activation="relu", filters=4, strides=1, *, rngs: nnx.Rngs):
        self.conv = Conv(in_features, filters, (3, 3), strides=strides, rngs=rngs)
        self.out_features = filters
        self.activation = KERAS_ACTIVATIONS.get(activation, activation)

    def __call__(self, x):
        x = self.activation(self.conv(x))
        return x


class Build(nnx.Module):
    def __init__(self, classes=3, data_format=None, *, rngs: nnx.Rngs):
        stages = copy.deepcopy(STAGES)
        in_features = 3
        self.blocks = nnx.List()
        for stage in stages:
            for i in range(stage.pop("repeats")):
                if i > 0:
                    stage["strides"] = 1
                self.blocks.append(Block(in_features, "relu", **stage, rngs=rngs))
                in_features = self.blocks[-1].out_features
        self.mixed1 = Mixed(in_features, "wide", rngs=rngs)
        self.mixed2 = Mixed(in_features, "narrow", rngs=rngs)
        self.dense = Linear(in_features, classes, rngs=rngs)

    def __call__(self, inputs):
        x = inputs
        for block in self.blocks:
            x = block(x)
        x = self.mixed1(x)
        x = self.mixed2(x)
        x = jnp.mean(x, axis=(1, 2))
        return self.dense(x)
