"""Helpers that only other files call, lists that differ by branch, and configuration spread over arguments."""

import copy

from tensorflow import keras
from tensorflow.keras import layers

STAGES = [
    {"filters": 8, "repeats": 1, "strides": 1},
    {"filters": 16, "repeats": 2, "strides": 2},
]


def residual(x, filters, stride=1):
    """Never called here."""
    shortcut = layers.Conv2D(filters, 1, strides=stride)(x)
    x = layers.Conv2D(filters, 3, strides=stride, padding="same")(x)
    x = layers.BatchNormalization()(x)
    return layers.add([shortcut, x])


def mixed(x, kind, scale=0.1):
    if kind == "wide":
        a = layers.Conv2D(8, 1)(x)
        b = layers.Conv2D(8, 3, padding="same")(x)
        c = layers.Conv2D(4, 5, padding="same")(x)
        branches = [a, b, c]
    elif kind == "narrow":
        a = layers.Conv2D(12, 1)(x)
        branches = [a, layers.Conv2D(6, 3, padding="same")(x)]
    else:
        raise ValueError(f"unknown kind {kind}")
    joined = layers.Concatenate()(branches)
    up = layers.Conv2D(x.shape[-1], 1)(joined)
    return x + scale * up


def block(x, activation="relu", filters=4, strides=1):
    x = layers.Conv2D(filters, 3, strides=strides, padding="same", activation=activation)(x)
    return x


def build(classes=3, data_format=None):
    inputs = keras.Input((16, 16, 3))
    x = inputs
    stages = copy.deepcopy(STAGES)
    for stage in stages:
        for i in range(stage.pop("repeats")):
            if i > 0:
                stage["strides"] = 1
            x = block(x, "relu", **stage)
    x = mixed(x, "wide")
    x = mixed(x, "narrow")
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(classes)(x))
