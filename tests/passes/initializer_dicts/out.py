"""Initializers and sizes kept in dicts at module level, and one input with two names."""

import jax.numpy as jnp
import tensorflow as tf
from flax import nnx
from tensorflow.keras import layers

# Initializers by the names that Keras gives them.
KERAS_INITIALIZERS = {
    "GlorotUniform": nnx.initializers.glorot_uniform(),
    "VarianceScaling": nnx.initializers.variance_scaling(1.0, "fan_in", "truncated_normal"),
    "he_normal": nnx.initializers.he_normal(),
    "truncated_normal": nnx.initializers.truncated_normal(0.05),
}

CONV_INIT = nnx.initializers.variance_scaling(2.0, "fan_out", "truncated_normal")
SIZES = {"tiny": {"width": 16, "depth": 2}, "small": {"width": 24, "depth": 3}}
STAGES = [{"filters": 8, "stride": 1}, {"filters": 16, "stride": 2}]
# What a dict inside a dict describes is not known where it is used: refused.
BY_KIND = {"dense": {"class_name": "GlorotUniform", "config": {"seed": 1}}}


class Conv(nnx.Module):
    def __init__(self, in_features, filters, stride=1, kernel_initializer=CONV_INIT, *, rngs: nnx.Rngs):
        self.conv = nnx.Conv(
            in_features,
            filters,
            (3, 3),
            strides=stride,
            kernel_init=KERAS_INITIALIZERS.get(kernel_initializer, kernel_initializer),
            rngs=rngs,
        )

    def __call__(self, x):
        x = self.conv(x)
        return nnx.relu(x)


class Build(nnx.Module):
    def __init__(self, variant="tiny", classes=5, *, rngs: nnx.Rngs):
        cfg = SIZES[variant]
        in_features = 3
        self.convs1 = nnx.List()
        for stage in STAGES:
            self.convs1.append(Conv(in_features, stage["filters"], stage["stride"], rngs=rngs))
            in_features = stage["filters"]
        self.convs2 = nnx.List()
        for _ in range(cfg["depth"]):
            self.convs2.append(
                nnx.Conv(
                    in_features, cfg["width"], (1, 1), padding="VALID", kernel_init=nnx.initializers.he_normal(), rngs=rngs
                )
            )
            in_features = cfg["width"]
        self.dense = nnx.Linear(in_features, classes, kernel_init=CONV_INIT, rngs=rngs)

    def __call__(self, inputs):
        x = inputs
        for conv1 in self.convs1:
            x = conv1(x)
        for conv2 in self.convs2:
            x = nnx.relu(conv2(x))
        x = jnp.mean(x, axis=(1, 2))
        return self.dense(x)


# jaxport: line 37: tf.keras.layers.Dense: a dict, as Keras saves objects: pass the function or the object that it describes
def build_by_kind():
    inputs = layers.Input((4,))
    return tf.keras.Model(inputs, layers.Dense(3, kernel_initializer=BY_KIND["dense"])(inputs))
# residual: in.py:37:35: tf.keras.layers.Dense: a dict, as Keras saves objects: pass the function or the object that it describes
