"""Skips that are taken from their list where they are joined."""
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers


def unet(widths=(8, 16)):
    inputs = keras.Input((16, 16, 3))
    x = layers.Conv2D(4, 3, padding="same")(inputs)
    skips = [x]
    stack = [x]
    for width in widths:
        x = layers.Conv2D(width, 3, padding="same", activation="relu")(x)
        skips.append(x)
        stack.append(x)
    for width in reversed(widths):
        x = layers.Concatenate()([x, skips.pop()])
        x = layers.Concatenate()([x, stack.pop()])
        x = layers.Conv2D(width, 3, padding="same", activation="relu")(x)
    return keras.Model(inputs, layers.Conv2D(1, 1)(x))


model = unet()
