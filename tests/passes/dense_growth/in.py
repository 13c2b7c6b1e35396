"""Blocks whose width grows in a loop, and that hand on how wide they have become."""

from tensorflow.keras.layers import (
    AveragePooling2D,
    BatchNormalization,
    Concatenate,
    Conv2D,
    Dense,
    GlobalAveragePooling2D,
    Input,
)
from tensorflow.keras.models import Model


def dense_block(x, num_layers, filters, growth_rate):
    for i in range(num_layers):
        y = BatchNormalization(name="bn%d" % i)(x)
        y = Conv2D(growth_rate, 3, padding="same", name="conv%d" % i)(y)
        x = Concatenate()([x, y])
        filters += growth_rate
    return x, filters


def transition(x, filters, compression):
    x = Conv2D(int(filters * compression), 1)(x)
    return AveragePooling2D(2)(x)


def build_densenet(input_shape=(16, 16, 3), blocks=(2, 3), growth_rate=4, compression=0.5, classes=5):
    image = Input(input_shape)
    filters = 2 * growth_rate
    x = Conv2D(filters, 3, padding="same")(image)
    for i, num_layers in enumerate(blocks):
        x, filters = dense_block(x, num_layers, filters, growth_rate)
        if i != len(blocks) - 1:
            x = transition(x, filters, compression)
            filters = int(filters * compression)
    x = GlobalAveragePooling2D(2)(x)
    return Model(image, Dense(classes, activation="softmax")(x))
