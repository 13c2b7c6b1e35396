from tensorflow import keras
from tensorflow.keras import layers


def double_conv(x, filters, activation="relu"):
    for _ in range(2):
        x = layers.Conv2D(filters, 3, padding="same", kernel_initializer="he_normal")(x)
        x = layers.BatchNormalization()(x)
        x = layers.Activation(activation)(x)
    return x


def build_unet(img_size=(32, 32), num_classes=3, base=8, depth=3):
    inputs = keras.Input(shape=img_size + (3,))
    skips = []
    x = inputs
    # encoder
    for level in range(depth):
        x = double_conv(x, base * 2 ** level)
        skips.append(x)
        x = layers.MaxPool2D(2)(x)
    x = double_conv(x, base * 2 ** depth)
    # decoder
    for level in reversed(range(depth)):
        x = layers.Conv2DTranspose(base * 2 ** level, 2, strides=2, padding="same")(x)
        x = layers.Concatenate()([x, skips[level]])
        x = double_conv(x, base * 2 ** level)
    outputs = layers.Conv2D(num_classes, 1, activation="softmax")(x)
    return keras.Model(inputs, outputs, name="unet")
