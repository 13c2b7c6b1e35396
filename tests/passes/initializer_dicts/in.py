"""Initializers and sizes kept in dicts at module level, and one input with two names."""

import tensorflow as tf
from tensorflow.keras import layers

CONV_INIT = {
    "class_name": "VarianceScaling",
    "config": {"scale": 2.0, "mode": "fan_out", "distribution": "truncated_normal"},
}
SIZES = {"tiny": {"width": 16, "depth": 2}, "small": {"width": 24, "depth": 3}}
STAGES = [{"filters": 8, "stride": 1}, {"filters": 16, "stride": 2}]
# What a dict inside a dict describes is not known where it is used: refused.
BY_KIND = {"dense": {"class_name": "GlorotUniform", "config": {"seed": 1}}}


def conv(x, filters, stride=1, kernel_initializer=CONV_INIT):
    x = layers.Conv2D(filters, 3, strides=stride, padding="same", kernel_initializer=kernel_initializer)(x)
    return layers.ReLU()(x)


def build(variant="tiny", classes=5):
    cfg = SIZES[variant]
    x = inputs = layers.Input((16, 16, 3))
    for stage in STAGES:
        x = conv(x, stage["filters"], stage["stride"])
    for _ in range(cfg["depth"]):
        x = layers.Conv2D(
            cfg["width"], 1, activation="relu", kernel_initializer={"class_name": "he_normal", "config": {"seed": None}}
        )(x)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dense(classes, kernel_initializer=CONV_INIT)(x)
    return tf.keras.Model(inputs, x)


def build_by_kind():
    inputs = layers.Input((4,))
    return tf.keras.Model(inputs, layers.Dense(3, kernel_initializer=BY_KIND["dense"])(inputs))
