"""Layers whose settings are parameters, so that no value of them is known."""
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers


def up_block(x, width, groups=4, interpolation="nearest"):
    x = layers.GroupNormalization(groups=groups)(x)
    x = layers.UpSampling2D(interpolation=interpolation)(x)
    return layers.Conv2D(width, 3, padding="same")(x)


def build(groups=4, interpolation="bilinear"):
    inputs = keras.Input((8, 8, 8))
    x = up_block(inputs, 8, groups=groups, interpolation=interpolation)
    return keras.Model(inputs, up_block(x, 4, groups=groups, interpolation=interpolation))
