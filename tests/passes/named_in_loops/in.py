"""Layers and merges whose names count the rounds, strides that are parameters, and shapes that callers hand on."""

from tensorflow.keras import layers
from tensorflow.keras.models import Model, Sequential


def conv2d_bn(x, filters, rows, cols, padding="same", strides=(1, 1), name=None):
    if name is not None:
        bn_name = name + "_bn"
    else:
        bn_name = None
    x = layers.Conv2D(filters, (rows, cols), strides=strides, padding=padding, use_bias=False)(x)
    x = layers.BatchNormalization(axis=3, scale=False, name=bn_name)(x)
    return layers.Activation("relu", name=name)(x)


def base_network(input_shape):
    net = Sequential()
    net.add(layers.Conv2D(6, 3, activation="relu", input_shape=input_shape))
    net.add(layers.Flatten())
    net.add(layers.Dense(8))
    return net


def inception(input_shape=(20, 20, 3), classes=4):
    inputs = layers.Input(input_shape)
    x = conv2d_bn(inputs, 8, 3, 3, strides=(2, 2), padding="valid")
    left = conv2d_bn(x, 4, 1, 1)
    right = layers.AveragePooling2D((3, 3), strides=(1, 1), padding="same")(x)
    x = layers.concatenate([left, right], axis=3, name="mixed0")
    for i in range(2):
        left = conv2d_bn(x, 6, 1, 1, name=f"left{i}")
        right = layers.AveragePooling2D((3, 3), strides=(1, 1), padding="same")(x)
        right = conv2d_bn(right, 8, 1, 1)
        x = layers.concatenate([left, right], axis=3, name="mixed" + str(1 + i))
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    aside = base_network(input_shape)(inputs)
    x = layers.concatenate([x, aside])
    return Model(inputs, layers.Dense(classes)(x))
