"""Transposed convolutions of `tf.keras.layers`."""

from flax import nnx

from codemods.engine.rule import computed, f32, inline, known, layer, refuse, sample
from codemods.mappings.keras_activate import activate
from codemods.mappings.keras_conv import even, pair, per_axis, triple
from codemods.mappings.keras_initializers import initializer
from codemods.mappings.keras_regularizers import penalty


@inline
def beyond_one(value):
    """`value`, or None for all ones, which is the default of `nnx.ConvTranspose`."""
    if known(value) and even(value) == 1:
        return None
    return even(value)


@computed
def transposed_padding(padding, output_padding, kernel_size, dilation_rate, rank):
    """Explicit padding of `nnx.ConvTranspose` for an output length that is asked for."""
    pads = []
    sizes = zip(*(per_axis(v, rank) for v in (kernel_size, dilation_rate, output_padding)), strict=True)
    for size, dilation, extra in sizes:
        size = (size - 1) * dilation + 1
        if padding.lower() == "valid":
            pads.append((size - 1, size - 1 + extra))
        else:
            total = size + size % 2 - 2 + extra
            left = min(total // 2 + total % 2, size - 1)
            pads.append((left, total - left))
    return tuple(pads)


def transposed_length(length, size, stride, padding, dilation, extra):
    size = dilation * (size - 1) + 1
    if extra is not None:
        return (length - 1) * stride + size - (0 if padding.lower() == "valid" else 2 * (size // 2)) + extra
    return length * stride + (max(size - stride, 0) if padding.lower() == "valid" else 0)


def transposed_shape(shape, filters, size, strides, padding, dilation, extra):
    rank = len(shape) - 2
    axes = zip(shape[1:-1], *(per_axis(v, rank) for v in (size, strides, dilation, extra)), strict=True)
    return (shape[0], *(transposed_length(n, k, s, padding, d, e) for n, k, s, d, e in axes), filters)


@layer(
    "tf.keras.layers.Conv2DTranspose",
    samples=[
        sample(4, 3, x=f32(2, 5, 4, 3)),
        sample(4, (5, 4), strides=2, padding="same", activation="tanh", use_bias=False, x=f32(2, 5, 4, 3)),
        sample(4, 2, strides=(3, 1), x=f32(2, 5, 4, 3)),
        sample(4, 3, strides=2, padding="same", output_padding=1, x=f32(2, 5, 4, 3)),
        sample(4, 3, strides=2, padding="valid", output_padding=(1, 0), x=f32(2, 5, 4, 3)),
    ],
    attribute="conv",
)
class Conv2DTranspose:
    def make(filters, kernel_size, strides=(1, 1), padding="valid", output_padding=None, data_format=None,
             dilation_rate=(1, 1), activation=None, use_bias=True, kernel_initializer="glorot_uniform",
             bias_initializer="zeros", kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None,
             kernel_constraint=None, bias_constraint=None, *, x, rngs):  # fmt: skip
        if data_format == "channels_first":
            refuse("channels_first: JAX's layers keep channels last")
        pads = padding.upper()
        if output_padding is not None:
            pads = transposed_padding(padding, output_padding, kernel_size, dilation_rate, 2)
        return nnx.ConvTranspose(
            x.shape[-1], filters, pair(kernel_size), strides=beyond_one(strides), padding=pads,
            kernel_dilation=beyond_one(dilation_rate), use_bias=use_bias, transpose_kernel=True,
            kernel_init=initializer(kernel_initializer), bias_init=initializer(bias_initializer),
            kernel_metadata=penalty(kernel_regularizer), bias_metadata=penalty(bias_regularizer), rngs=rngs,
        )  # fmt: skip

    def call(layer, inputs, *, activation):
        return activate(activation, layer(inputs))

    def shape(x, *, filters, kernel_size, strides, padding, output_padding, dilation_rate):
        return transposed_shape(x.shape, filters, kernel_size, strides, padding, dilation_rate, output_padding)

    weights = {"kernel": "kernel", "bias": "bias"}


@layer(
    "tf.keras.layers.Conv1DTranspose",
    samples=[
        sample(4, 3, x=f32(2, 5, 3)),
        sample(4, 4, strides=2, padding="same", activation="relu", x=f32(2, 5, 3)),
        sample(4, 3, strides=2, padding="same", output_padding=1, use_bias=False, x=f32(2, 5, 3)),
    ],
    attribute="conv",
)
class Conv1DTranspose:
    def make(filters, kernel_size, strides=1, padding="valid", output_padding=None, data_format=None, dilation_rate=1,
             activation=None, use_bias=True, kernel_initializer="glorot_uniform", bias_initializer="zeros",
             kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
             bias_constraint=None, *, x, rngs):  # fmt: skip
        if data_format == "channels_first":
            refuse("channels_first: JAX's layers keep channels last")
        pads = padding.upper()
        if output_padding is not None:
            pads = transposed_padding(padding, output_padding, kernel_size, dilation_rate, 1)
        return nnx.ConvTranspose(
            x.shape[-1], filters, kernel_size, strides=beyond_one(strides), padding=pads,
            kernel_dilation=beyond_one(dilation_rate), use_bias=use_bias, transpose_kernel=True,
            kernel_init=initializer(kernel_initializer), bias_init=initializer(bias_initializer),
            kernel_metadata=penalty(kernel_regularizer), bias_metadata=penalty(bias_regularizer), rngs=rngs,
        )  # fmt: skip

    def call(layer, inputs, *, activation):
        return activate(activation, layer(inputs))

    def shape(x, *, filters, kernel_size, strides, padding, output_padding, dilation_rate):
        return transposed_shape(x.shape, filters, kernel_size, strides, padding, dilation_rate, output_padding)

    weights = {"kernel": "kernel", "bias": "bias"}


@layer(
    "tf.keras.layers.Conv3DTranspose",
    samples=[
        sample(4, 3, kernel_regularizer="l1", bias_regularizer="l2", x=f32(2, 3, 2, 4, 3)),
        sample(4, (3, 2, 4), strides=2, padding="same", activation="relu", use_bias=False, x=f32(2, 3, 2, 4, 3)),
    ],
    attribute="conv",
)
class Conv3DTranspose:
    def make(filters, kernel_size, strides=(1, 1, 1), padding="valid", data_format=None, output_padding=None,
             dilation_rate=(1, 1, 1), activation=None, use_bias=True, kernel_initializer="glorot_uniform",
             bias_initializer="zeros", kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None,
             kernel_constraint=None, bias_constraint=None, *, x, rngs):  # fmt: skip
        if data_format == "channels_first":
            refuse("channels_first: JAX's layers keep channels last")
        pads = padding.upper()
        if output_padding is not None:
            pads = transposed_padding(padding, output_padding, kernel_size, dilation_rate, 3)
        return nnx.ConvTranspose(
            x.shape[-1], filters, triple(kernel_size), strides=beyond_one(strides), padding=pads,
            kernel_dilation=beyond_one(dilation_rate), use_bias=use_bias, transpose_kernel=True,
            kernel_init=initializer(kernel_initializer), bias_init=initializer(bias_initializer),
            kernel_metadata=penalty(kernel_regularizer), bias_metadata=penalty(bias_regularizer), rngs=rngs,
        )  # fmt: skip

    def call(layer, inputs, *, activation):
        return activate(activation, layer(inputs))

    def shape(x, *, filters, kernel_size, strides, padding, output_padding, dilation_rate):
        return transposed_shape(x.shape, filters, kernel_size, strides, padding, dilation_rate, output_padding)

    weights = {"kernel": "kernel", "bias": "bias"}
