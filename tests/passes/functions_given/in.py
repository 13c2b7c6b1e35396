"""ResNet style: stages given as functions, activations given as functions."""
import functools
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers


def swish(x):
    return x * tf.sigmoid(x)


def basic_block(x, filters, stride=1, activation=tf.nn.relu, name=None):
    """Two convolutions and a shortcut."""
    shortcut = x
    if stride != 1:
        shortcut = layers.Conv2D(filters, 1, strides=stride, name=name + "_0")(x)
    x = layers.Conv2D(filters, 3, strides=stride, padding="same", name=name + "_1")(x)
    x = layers.BatchNormalization()(x)
    x = activation(x)
    x = layers.Conv2D(filters, 3, padding="same", name=name + "_2")(x)
    x = layers.Add()([x, shortcut])
    return activation(x)


def bottleneck(x, filters, stride=1, activation=tf.nn.relu, name=None):
    shortcut = layers.Conv2D(4 * filters, 1, strides=stride)(x)
    x = layers.Conv2D(filters, 1, strides=stride)(x)
    x = activation(x)
    x = layers.Conv2D(4 * filters, 1)(x)
    return activation(layers.add([x, shortcut]))


def stage(x, block_fn, filters, blocks, stride=2, name=None):
    x = block_fn(x, filters, stride=stride, name=name + "_block1")
    for i in range(1, blocks):
        x = block_fn(x, filters, stride=2, name=f"{name}_block{i + 1}")
    return x


def ResNet(stack_fn, classes=10, activation=tf.nn.relu, name="resnet"):
    inputs = keras.Input((32, 32, 3))
    x = layers.Conv2D(8, 3, strides=2, padding="same")(inputs)
    x = activation(x)
    x = stack_fn(x)
    x = layers.BatchNormalization(name="post_bn")(x)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dense(classes)(x)
    return keras.Model(inputs, x, name=name)


def resnet10(classes=10):
    def stack_fn(x):
        x = stage(x, basic_block, 8, 2, stride=2, name="conv2")
        return stage(x, basic_block, 16, 1, name="conv3")

    return ResNet(stack_fn, classes=classes, name="resnet10")


def resnet14b(classes=10, width=8):
    def stack_fn(x):
        x = stage(x, bottleneck, width, 2, name="conv2")
        return stage(x, bottleneck, 2 * width, 1, name="conv3")

    return ResNet(stack_fn, classes=classes, activation=swish, name="resnet14b")
