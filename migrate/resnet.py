"""Pre-activation ResNet with bottleneck blocks for CIFAR-10.

Follows "Identity Mappings in Deep Residual Networks" (He et al., 2016):
batch norm and ReLU come before each convolution, and the shortcut stays clean.
"""
import argparse
import os

import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers
from tensorflow.keras.layers import Activation, BatchNormalization, Conv2D
from tensorflow.keras.optimizers.schedules import PiecewiseConstantDecay

NUM_CLASSES = 10
EXPANSION = 4


def conv(filters, kernel_size, strides=1):
    """Convolution with the settings shared by the whole network; batch norm makes a bias redundant."""
    return Conv2D(
        filters,
        kernel_size,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
    )


def bn_relu(x):
    x = BatchNormalization(momentum=0.9, epsilon=1e-5)(x)
    return Activation("relu")(x)


def bottleneck(x, filters, strides=1):
    """1x1 reduce, 3x3, 1x1 expand.

    Args:
        x: input feature map.
        filters: width of the 3x3 convolution; the output is EXPANSION times wider.
        strides: stride of the 3x3 convolution.

    Returns:
        The output feature map.
    """
    out_filters = filters * EXPANSION
    preact = bn_relu(x)

    # The projection sees the pre-activated input, the identity does not.
    if strides > 1 or x.shape[-1] != out_filters:
        shortcut = conv(out_filters, 1, strides)(preact)
    else:
        shortcut = x

    y = conv(filters, 1)(preact)
    y = bn_relu(y)
    y = conv(filters, 3, strides)(y)
    y = bn_relu(y)
    y = conv(out_filters, 1)(y)
    return layers.add([shortcut, y])


def build_resnet(input_shape=(32, 32, 3), num_classes=NUM_CLASSES, num_blocks=(2, 2, 2), base_filters=16):
    """Builds the model; the width doubles and the resolution halves at every stage but the first."""
    inputs = keras.Input(shape=input_shape)
    x = conv(base_filters, 3)(inputs)

    filters = base_filters
    for stage, n in enumerate(num_blocks):
        for i in range(n):
            strides = 2 if stage > 0 and i == 0 else 1
            x = bottleneck(x, filters, strides)
        filters *= 2

    x = bn_relu(x)
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    outputs = layers.Dense(num_classes, activation="softmax", kernel_initializer="he_normal", name="predictions")(x)
    return keras.Model(inputs=inputs, outputs=outputs, name="preact_resnet")


def make_optimizer(steps_per_epoch, base_lr=0.1):
    # Same recipe as the paper: divide by 10 after 50% and 75% of the training.
    schedule = PiecewiseConstantDecay(
        boundaries=[steps_per_epoch * 80, steps_per_epoch * 120],
        values=[base_lr, base_lr * 0.1, base_lr * 0.01],
    )
    return keras.optimizers.SGD(learning_rate=schedule, momentum=0.9, nesterov=True)


def train(x_train, y_train, x_test, y_test, epochs=160, batch_size=128):
    model = build_resnet(input_shape=x_train.shape[1:])
    model.summary()
    model.compile(
        optimizer=make_optimizer(len(x_train) // batch_size),
        loss=keras.losses.SparseCategoricalCrossentropy(),
        metrics=["accuracy"],
    )
    model.fit(x_train, y_train, batch_size=batch_size, epochs=epochs, validation_data=(x_test, y_test))
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=160)
    parser.add_argument("--batch_size", type=int, default=128)
    parser.add_argument("--output", default="resnet.weights.h5")
    args = parser.parse_args()

    tf.random.set_seed(0)
    (x_train, y_train), (x_test, y_test) = keras.datasets.cifar10.load_data()
    # Per-channel normalization
    mean = x_train.mean(axis=(0, 1, 2)) / 255.0
    std = x_train.std(axis=(0, 1, 2)) / 255.0
    x_train = ((x_train / 255.0 - mean) / std).astype("float32")
    x_test = ((x_test / 255.0 - mean) / std).astype("float32")

    model = train(x_train, y_train, x_test, y_test, args.epochs, args.batch_size)
    _, accuracy = model.evaluate(x_test, y_test)
    print("accuracy: {:.2%}".format(accuracy))
    model.save_weights(os.path.expanduser(args.output))


if __name__ == "__main__":
    main()
