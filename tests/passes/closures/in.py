"""Functions that give functions of tensors, and functions inside a builder."""

import tensorflow as tf
from tensorflow.keras import backend as K
from tensorflow.keras import layers


def ConvBn(filters, kernel_size=3, act="relu", name=None):
    """A convolution, normalised."""
    conv_name = name + "_conv"

    def apply(x):
        axis = 3 if K.image_data_format() == "channels_last" else 1
        x = layers.Conv2D(filters, kernel_size, padding="same", name=conv_name)(x)
        x = layers.BatchNormalization(axis=axis)(x)
        return layers.Activation(act)(x)

    return apply


def merge(filters):
    def wrapper(x, skip):
        x = layers.UpSampling2D(2)(x)
        if K.image_data_format() == "channels_first":
            axis = 1
        else:
            axis = -1
        x = layers.Concatenate(axis=axis)([x, skip])
        return ConvBn(filters, name="merge")(x)

    return wrapper


def smooth_l1(delta):
    def loss(y, p):
        error = tf.abs(y - p)
        return tf.reduce_mean(tf.where(error < delta, error**2, error))

    return loss


def network(width=8, shape=(16, 16, 3)):
    inputs = layers.Input(shape)
    rate = 0.1

    def block(x, filters):
        """A residual block."""
        y = layers.Conv2D(filters, 3, padding="same")(x)
        y = layers.Dropout(rate)(y)
        y = layers.Conv2D(width, 1)(y)
        return layers.add([x, y])

    skip = ConvBn(width, name="first")(inputs)
    x = layers.MaxPooling2D()(skip)
    x = block(x, 16)
    x = block(x, filters=32)
    narrow = ConvBn(2 * width, 1, name="narrow")
    x = narrow(x)
    x = merge(width)(x, skip)
    x = tf.keras.Sequential([layers.Flatten(), layers.Dense(4)])(x)
    return tf.keras.Model(inputs, x)
