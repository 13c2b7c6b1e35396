"""Inverted residuals: a helper with two ways out, widths from a function, activations by name."""

from tensorflow import keras
from tensorflow.keras import backend as K
from tensorflow.keras import layers


def make_divisible(value, divisor=8):
    new = max(divisor, int(value + divisor / 2) // divisor * divisor)
    if new < 0.9 * value:
        new += divisor
    return new


def inverted_residual(inputs, expansion, stride, alpha, filters, block_id, activation="relu6"):
    in_channels = K.int_shape(inputs)[-1]
    out_channels = make_divisible(int(filters * alpha))
    prefix = f"block_{block_id}_"
    x = inputs
    if block_id:
        x = layers.Conv2D(expansion * in_channels, 1, use_bias=False, name=prefix + "expand")(x)
        x = layers.BatchNormalization(name=prefix + "expand_BN")(x)
        x = layers.Activation(activation, name=prefix + "expand_relu")(x)
    else:
        prefix = "expanded_conv_"
    x = layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False, name=prefix + "depthwise")(x)
    x = layers.BatchNormalization(name=prefix + "depthwise_BN")(x)
    x = layers.Conv2D(out_channels, 1, use_bias=False, name=prefix + "project")(x)
    if in_channels == out_channels and stride == 1:
        return layers.Add(name=prefix + "add")([inputs, x])
    return x


def build_mobilenet(input_shape=(32, 32, 3), alpha=1.0, classes=10):
    image = layers.Input(shape=input_shape)
    x = layers.Conv2D(make_divisible(16 * alpha), 3, strides=2, padding="same", name="stem")(image)
    x = inverted_residual(x, 1, 1, alpha, 8, block_id=0)
    x = inverted_residual(x, 6, 2, alpha, 16, block_id=1, activation="hard_swish")
    for i in range(2):
        x = inverted_residual(x, 6, 1, alpha, 16, block_id=2 + i)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, layers.Dense(classes, name="Logits")(x))
