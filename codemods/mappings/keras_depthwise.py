"""Depthwise and separable convolutions of `tf.keras.layers`."""

from flax import nnx

from codemods.engine.rule import Difference, Weight, f32, layer, refuse, sample
from codemods.engine.touching import stated
from codemods.mappings.keras_activate import activate
from codemods.mappings.keras_conv import even, pair, window_shape
from codemods.mappings.keras_initializers import initializer
from codemods.mappings.keras_regularizers import penalty

FANS = Difference(
    "the scale of initial depthwise weights with a depth_multiplier other than 1",
    "Flax counts the inputs of one channel; Keras counts those of all",
    at=stated("depth_multiplier"),
)


@layer(
    "tf.keras.layers.DepthwiseConv2D",
    differences=[FANS],
    samples=[
        sample(3, depthwise_regularizer="l1", bias_regularizer="l2", x=f32(2, 8, 7, 3)),
        sample((3, 2), strides=2, padding="same", depth_multiplier=2, activation="relu6", x=f32(2, 8, 7, 3)),
        sample(3, dilation_rate=2, use_bias=False, x=f32(2, 8, 7, 3)),
    ],
    attribute="conv",
)
class DepthwiseConv2D:
    def make(kernel_size, strides=(1, 1), padding="valid", depth_multiplier=1, data_format=None, dilation_rate=(1, 1),
             activation=None, use_bias=True, depthwise_initializer="glorot_uniform", bias_initializer="zeros",
             depthwise_regularizer=None, bias_regularizer=None, activity_regularizer=None, depthwise_constraint=None,
             bias_constraint=None, *, x, rngs):  # fmt: skip
        if data_format == "channels_first":
            refuse("channels_first: JAX's layers keep channels last")
        return nnx.Conv(
            x.shape[-1], depth_multiplier * x.shape[-1], pair(kernel_size), strides=even(strides),
            padding=padding.upper(), kernel_dilation=even(dilation_rate), feature_group_count=x.shape[-1],
            use_bias=use_bias, kernel_init=initializer(depthwise_initializer), bias_init=initializer(bias_initializer),
            kernel_metadata=penalty(depthwise_regularizer), bias_metadata=penalty(bias_regularizer), rngs=rngs,
        )  # fmt: skip

    def call(layer, inputs, *, activation):
        return activate(activation, layer(inputs))

    def shape(x, *, kernel_size, strides, padding, depth_multiplier, dilation_rate):
        return window_shape(x.shape, depth_multiplier * x.shape[-1], kernel_size, strides, padding, dilation_rate)

    weights = {
        "kernel": Weight("kernel", (("reshape", (0, 0, 1, -1)),)),
        "depthwise_kernel": Weight("kernel", (("reshape", (0, 0, 1, -1)),)),
        "bias": "bias",
    }


@layer(
    "tf.keras.layers.DepthwiseConv1D",
    differences=[FANS],
    samples=[
        sample(3, depthwise_regularizer="l1", bias_regularizer="l2", x=f32(2, 8, 3)),
        sample(3, strides=2, padding="same", depth_multiplier=2, activation="relu", x=f32(2, 8, 3)),
    ],
    attribute="conv",
)
class DepthwiseConv1D:
    def make(kernel_size, strides=1, padding="valid", depth_multiplier=1, data_format=None, dilation_rate=1,
             activation=None, use_bias=True, depthwise_initializer="glorot_uniform", bias_initializer="zeros",
             depthwise_regularizer=None, bias_regularizer=None, activity_regularizer=None, depthwise_constraint=None,
             bias_constraint=None, *, x, rngs):  # fmt: skip
        if data_format == "channels_first":
            refuse("channels_first: JAX's layers keep channels last")
        return nnx.Conv(
            x.shape[-1], depth_multiplier * x.shape[-1], kernel_size, strides=even(strides), padding=padding.upper(),
            kernel_dilation=even(dilation_rate), feature_group_count=x.shape[-1], use_bias=use_bias,
            kernel_init=initializer(depthwise_initializer), bias_init=initializer(bias_initializer),
            kernel_metadata=penalty(depthwise_regularizer), bias_metadata=penalty(bias_regularizer), rngs=rngs,
        )  # fmt: skip

    call = DepthwiseConv2D.call
    shape = DepthwiseConv2D.shape
    weights = {
        "kernel": Weight("kernel", (("reshape", (0, 1, -1)),)),
        "depthwise_kernel": Weight("kernel", (("reshape", (0, 1, -1)),)),
        "bias": "bias",
    }


@layer(
    "tf.keras.layers.SeparableConv2D",
    differences=[FANS],
    samples=[
        sample(4, 3, depthwise_regularizer="l1", pointwise_regularizer="l2", x=f32(2, 8, 7, 3)),
        sample(4, 3, strides=2, padding="same", depth_multiplier=2, activation="relu", x=f32(2, 8, 7, 3)),
        sample(4, 3, dilation_rate=2, use_bias=False, x=f32(2, 8, 7, 3)),
    ],
    attribute="conv",
)
class SeparableConv2D:
    def make(filters, kernel_size, strides=(1, 1), padding="valid", data_format=None, dilation_rate=(1, 1),
             depth_multiplier=1, activation=None, use_bias=True, depthwise_initializer="glorot_uniform",
             pointwise_initializer="glorot_uniform", bias_initializer="zeros", depthwise_regularizer=None,
             pointwise_regularizer=None, bias_regularizer=None, activity_regularizer=None, depthwise_constraint=None,
             pointwise_constraint=None, bias_constraint=None, *, x, rngs):  # fmt: skip
        if data_format == "channels_first":
            refuse("channels_first: JAX's layers keep channels last")
        return nnx.Sequential(
            nnx.Conv(
                x.shape[-1], depth_multiplier * x.shape[-1], pair(kernel_size), strides=even(strides),
                padding=padding.upper(), kernel_dilation=even(dilation_rate), feature_group_count=x.shape[-1],
                use_bias=False, kernel_init=initializer(depthwise_initializer),
                kernel_metadata=penalty(depthwise_regularizer), rngs=rngs,
            ),
            nnx.Conv(
                depth_multiplier * x.shape[-1], filters, (1, 1), use_bias=use_bias,
                kernel_init=initializer(pointwise_initializer), bias_init=initializer(bias_initializer),
                kernel_metadata=penalty(pointwise_regularizer), bias_metadata=penalty(bias_regularizer), rngs=rngs,
            ),
        )  # fmt: skip

    def call(layer, inputs, *, activation):
        return activate(activation, layer(inputs))

    def shape(x, *, filters, kernel_size, strides, padding, dilation_rate):
        return window_shape(x.shape, filters, kernel_size, strides, padding, dilation_rate)

    weights = {
        "depthwise_kernel": Weight("layers.0.kernel", (("reshape", (0, 0, 1, -1)),)),
        "pointwise_kernel": "layers.1.kernel",
        "bias": "layers.1.bias",
    }


@layer(
    "tf.keras.layers.SeparableConv1D",
    differences=[FANS],
    samples=[
        sample(4, 3, depthwise_regularizer="l1", bias_regularizer="l2", x=f32(2, 8, 3)),
        sample(4, 3, strides=2, padding="same", depth_multiplier=2, activation="relu", x=f32(2, 8, 3)),
    ],
    attribute="conv",
)
class SeparableConv1D:
    def make(filters, kernel_size, strides=1, padding="valid", data_format=None, dilation_rate=1, depth_multiplier=1,
             activation=None, use_bias=True, depthwise_initializer="glorot_uniform",
             pointwise_initializer="glorot_uniform", bias_initializer="zeros", depthwise_regularizer=None,
             pointwise_regularizer=None, bias_regularizer=None, activity_regularizer=None, depthwise_constraint=None,
             pointwise_constraint=None, bias_constraint=None, *, x, rngs):  # fmt: skip
        if data_format == "channels_first":
            refuse("channels_first: JAX's layers keep channels last")
        return nnx.Sequential(
            nnx.Conv(
                x.shape[-1], depth_multiplier * x.shape[-1], kernel_size, strides=even(strides),
                padding=padding.upper(), kernel_dilation=even(dilation_rate), feature_group_count=x.shape[-1],
                use_bias=False, kernel_init=initializer(depthwise_initializer),
                kernel_metadata=penalty(depthwise_regularizer), rngs=rngs,
            ),
            nnx.Conv(
                depth_multiplier * x.shape[-1], filters, 1, use_bias=use_bias,
                kernel_init=initializer(pointwise_initializer), bias_init=initializer(bias_initializer),
                kernel_metadata=penalty(pointwise_regularizer), bias_metadata=penalty(bias_regularizer), rngs=rngs,
            ),
        )  # fmt: skip

    call = SeparableConv2D.call
    shape = SeparableConv2D.shape
    weights = {
        "depthwise_kernel": Weight("layers.0.kernel", (("reshape", (0, 1, -1)),)),
        "pointwise_kernel": "layers.1.kernel",
        "bias": "layers.1.bias",
    }
