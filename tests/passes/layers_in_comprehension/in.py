"""A pyramid: a helper gives a list of feature maps, and layers are made over it."""

from tensorflow import keras
from tensorflow.keras import layers


def backbone(x, widths):
    features = []
    for width in widths:
        x = layers.Conv2D(width, 3, strides=2, padding="same", activation="relu")(x)
        features.append(x)
    return features


def pyramid(features, channels):
    c3, c4 = features
    p4 = layers.Conv2D(channels, 1, name="lateral4")(c4)
    p3 = layers.Add()([layers.UpSampling2D()(p4), layers.Conv2D(channels, 1, name="lateral3")(c3)])
    return [layers.Conv2D(channels, 3, padding="same", name=f"smooth{i}")(p) for i, p in enumerate([p3, p4])]


def build_detector(input_shape=(32, 32, 3), num_classes=3):
    image = keras.Input(shape=input_shape, name="image")
    levels = pyramid(backbone(image, (8, 16)), 8)
    user = layers.Concatenate()([layers.GlobalMaxPooling2D()(level) for level in levels])
    user = layers.Dense(16)(user)
    scores = layers.Dense(num_classes)(user)
    return keras.Model(image, scores)
