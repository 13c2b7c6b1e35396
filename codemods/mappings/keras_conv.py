"""Convolutions of `tf.keras.layers`."""

from flax import nnx

from codemods.engine.rule import f32, inline, known, layer, refuse, sample
from codemods.mappings.keras_activate import activate
from codemods.mappings.keras_initializers import initializer
from codemods.mappings.keras_regularizers import penalty


@inline
def pair(value):
    if not known(isinstance(value, int)):  # a parameter that some callers give an int, and others a tuple
        return (value, value) if isinstance(value, int) else value
    if isinstance(value, int):
        return (value, value)
    return value


@inline
def triple(value):
    if not known(isinstance(value, int)):
        return (value, value, value) if isinstance(value, int) else value
    if isinstance(value, int):
        return (value, value, value)
    return value


@inline
def even(value):
    """`(2, 2)` as `2`, where the elements are known."""
    if known(isinstance(value, (tuple, list))) and isinstance(value, (tuple, list)) and len(value) > 0:
        return value[0] if known(len(set(value)) == 1) and len(set(value)) == 1 else value
    return value


def per_axis(value, rank):
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * rank


def window_length(length, size, stride, padding, dilation=1):
    """The length of an axis after a window has moved over it."""
    if padding.lower() == "valid":
        length = length - dilation * (size - 1)
    return length if isinstance(stride, int) and stride == 1 else (length + stride - 1) // stride


def window_shape(shape, filters, size, strides, padding, dilation=1):
    rank = len(shape) - 2
    axes = zip(shape[1:-1], per_axis(size, rank), per_axis(strides, rank), per_axis(dilation, rank), strict=True)
    return (shape[0], *(window_length(n, k, s, padding, d) for n, k, s, d in axes), filters)


@layer(
    "tf.keras.layers.Conv2D",
    samples=[
        sample(4, 3, x=f32(2, 8, 7, 3)),
        sample(4, (3, 2), strides=2, padding="same", activation="relu", x=f32(2, 8, 7, 3)),
        sample(4, 3, strides=(2, 1), padding="SAME", use_bias=False, kernel_regularizer="l2", x=f32(2, 8, 7, 3)),
        sample(4, 3, dilation_rate=2, groups=2, kernel_initializer="he_normal", x=f32(2, 8, 7, 4)),
    ],
    attribute="conv",
)
class Conv2D:
    def make(filters, kernel_size, strides=(1, 1), padding="valid", data_format=None, dilation_rate=(1, 1), groups=1,
             activation=None, use_bias=True, kernel_initializer="glorot_uniform", bias_initializer="zeros",
             kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
             bias_constraint=None, *, x, rngs):  # fmt: skip
        if data_format == "channels_first":
            refuse("channels_first: JAX's layers keep channels last")
        return nnx.Conv(
            x.shape[-1], filters, pair(kernel_size), strides=even(strides), padding=padding.upper(),
            kernel_dilation=even(dilation_rate), feature_group_count=groups, use_bias=use_bias,
            kernel_init=initializer(kernel_initializer), bias_init=initializer(bias_initializer),
            kernel_metadata=penalty(kernel_regularizer), bias_metadata=penalty(bias_regularizer), rngs=rngs,
        )  # fmt: skip

    def call(layer, inputs, *, activation):
        return activate(activation, layer(inputs))

    def shape(x, *, filters, kernel_size, strides, padding, dilation_rate):
        return window_shape(x.shape, filters, kernel_size, strides, padding, dilation_rate)

    weights = {"kernel": "kernel", "bias": "bias"}


@layer(
    "tf.keras.layers.Conv1D",
    samples=[
        sample(4, 3, kernel_regularizer="l1", bias_regularizer="l2", x=f32(2, 9, 3)),
        sample(4, 3, strides=2, padding="same", activation="relu", x=f32(2, 8, 3)),
        sample(4, 3, padding="causal", dilation_rate=2, x=f32(2, 8, 3)),
        sample(4, (2,), strides=2, padding="causal", groups=2, use_bias=False, x=f32(2, 8, 4)),
    ],
    attribute="conv",
)
class Conv1D:
    def make(filters, kernel_size, strides=1, padding="valid", data_format=None, dilation_rate=1, groups=1,
             activation=None, use_bias=True, kernel_initializer="glorot_uniform", bias_initializer="zeros",
             kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
             bias_constraint=None, *, x, rngs):  # fmt: skip
        if data_format == "channels_first":
            refuse("channels_first: JAX's layers keep channels last")
        return nnx.Conv(
            x.shape[-1], filters, kernel_size, strides=even(strides), padding=padding.upper(),
            kernel_dilation=even(dilation_rate), feature_group_count=groups, use_bias=use_bias,
            kernel_init=initializer(kernel_initializer), bias_init=initializer(bias_initializer),
            kernel_metadata=penalty(kernel_regularizer), bias_metadata=penalty(bias_regularizer), rngs=rngs,
        )  # fmt: skip

    def call(layer, inputs, *, activation):
        return activate(activation, layer(inputs))

    def shape(x, *, filters, kernel_size, strides, padding, dilation_rate):
        return window_shape(x.shape, filters, kernel_size, strides, padding, dilation_rate)

    weights = {"kernel": "kernel", "bias": "bias"}


@layer(
    "tf.keras.layers.Conv3D",
    samples=[
        sample(4, 3, kernel_regularizer="l1", bias_regularizer="l2", x=f32(2, 5, 6, 4, 3)),
        sample(4, (3, 2, 1), strides=2, padding="same", activation="relu", x=f32(2, 5, 6, 4, 3)),
        sample(4, 2, dilation_rate=2, groups=2, use_bias=False, x=f32(2, 5, 6, 4, 4)),
    ],
    attribute="conv",
)
class Conv3D:
    def make(filters, kernel_size, strides=(1, 1, 1), padding="valid", data_format=None, dilation_rate=(1, 1, 1),
             groups=1, activation=None, use_bias=True, kernel_initializer="glorot_uniform", bias_initializer="zeros",
             kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
             bias_constraint=None, *, x, rngs):  # fmt: skip
        if data_format == "channels_first":
            refuse("channels_first: JAX's layers keep channels last")
        return nnx.Conv(
            x.shape[-1], filters, triple(kernel_size), strides=even(strides), padding=padding.upper(),
            kernel_dilation=even(dilation_rate), feature_group_count=groups, use_bias=use_bias,
            kernel_init=initializer(kernel_initializer), bias_init=initializer(bias_initializer),
            kernel_metadata=penalty(kernel_regularizer), bias_metadata=penalty(bias_regularizer), rngs=rngs,
        )  # fmt: skip

    def call(layer, inputs, *, activation):
        return activate(activation, layer(inputs))

    def shape(x, *, filters, kernel_size, strides, padding, dilation_rate):
        return window_shape(x.shape, filters, kernel_size, strides, padding, dilation_rate)

    weights = {"kernel": "kernel", "bias": "bias"}
