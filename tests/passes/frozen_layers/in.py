"""Layers that are frozen where they are made, and weights given to an embedding."""

import numpy as np
from tensorflow import keras
from tensorflow.keras import layers

matrix = np.ones((20, 6), "float32")


def classifier(units):
    tokens = keras.Input((7,), dtype="int32")
    x = layers.Embedding(20, 6, weights=[matrix], trainable=False)(tokens)
    x = layers.Dense(5, trainable=False)(x)
    x = layers.Dropout(0.1, trainable=True)(layers.Flatten()(x))
    return keras.Model(tokens, layers.Dense(units)(x))


def inside(units):
    inputs = keras.Input((7, 3))
    return keras.Model(inputs, layers.Bidirectional(layers.LSTM(units, trainable=False))(inputs))


def normalised():
    inputs = keras.Input((3,))
    return keras.Model(inputs, layers.BatchNormalization(trainable=False)(inputs))


def depends(trained):
    inputs = keras.Input((3,))
    return keras.Model(inputs, layers.Dense(2, trainable=trained)(inputs))
