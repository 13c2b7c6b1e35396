"""Sizes that are spread over a builder's parameters."""

import sys

from tensorflow import keras


def build(num_features, width, num_classes=10):
    inputs = keras.Input((num_features,))
    x = keras.layers.Dense(width, activation="relu")(inputs)
    return keras.Model(inputs, keras.layers.Dense(num_classes)(x))


def main(argv):
    sizes = [int(value) for value in argv]
    model = build(*sizes, num_classes=3)
    model.summary()


if __name__ == "__main__":
    main(sys.argv[1:])
