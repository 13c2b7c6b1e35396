"""Activations, normalisation and pooling of keras.ops."""

from __future__ import annotations

from flax import nnx

from codemods.engine.rule import f32, known, refuse, rule, sample
from codemods.mappings.differences import FLOAT_RESULT, HALF, NAN
from codemods.mappings.tf_conv import CHANNELS_LAST, window


@rule("tf.keras.ops.relu", samples=[sample(f32(3, 4, low=-4, high=4))])
def relu(x):
    return nnx.relu(x)


@rule("tf.keras.ops.relu6", samples=[sample(f32(3, 4, low=-4, high=4))], differences=[FLOAT_RESULT])
def relu6(x):
    return nnx.relu6(x)


@rule("tf.keras.ops.sigmoid", samples=[sample(f32(3, 4, low=-4, high=4))])
def sigmoid(x):
    return nnx.sigmoid(x)


@rule("tf.keras.ops.silu", samples=[sample(f32(3, 4, low=-4, high=4))])
def silu(x):
    return nnx.silu(x)


@rule("tf.keras.ops.softplus", samples=[sample(f32(3, 4, low=-4, high=4))])
def softplus(x):
    return nnx.softplus(x)


@rule("tf.keras.ops.softsign", samples=[sample(f32(3, 4, low=-4, high=4))])
def softsign(x):
    return nnx.soft_sign(x)


@rule("tf.keras.ops.selu", samples=[sample(f32(3, 4, low=-4, high=4))])
def selu(x):
    return nnx.selu(x)


@rule("tf.keras.ops.log_sigmoid", samples=[sample(f32(3, 4, low=-4, high=4))])
def log_sigmoid(x):
    return nnx.log_sigmoid(x)


@rule("tf.keras.ops.hard_sigmoid", samples=[sample(f32(3, 4, low=-4, high=4))])
def hard_sigmoid(x):
    return nnx.hard_sigmoid(x)


@rule("tf.keras.ops.hard_silu", samples=[sample(f32(3, 4, low=-4, high=4))])
def hard_silu(x):
    return nnx.hard_silu(x)


@rule("tf.keras.ops.hard_tanh", samples=[sample(f32(3, 4, low=-4, high=4))])
def hard_tanh(x):
    return nnx.hard_tanh(x)


@rule("tf.keras.ops.gelu", samples=[sample(f32(3, 4)), sample(f32(3, 4), approximate=False)])
def gelu(x, approximate=True):
    return nnx.gelu(x, approximate=approximate)


@rule("tf.keras.ops.leaky_relu", samples=[sample(f32(3, 4)), sample(f32(3), negative_slope=0.1)])
def leaky_relu(x, negative_slope=0.2):
    return nnx.leaky_relu(x, negative_slope=negative_slope)


@rule("tf.keras.ops.elu", samples=[sample(f32(3, 4)), sample(f32(3), alpha=0.5)])
def elu(x, alpha=1.0):
    return nnx.elu(x, alpha=alpha)


@rule("tf.keras.ops.celu", samples=[sample(f32(3, 4))])
def celu(x, alpha=1.0):
    return nnx.celu(x, alpha=alpha)


@rule("tf.keras.ops.glu", samples=[sample(f32(3, 4)), sample(f32(4, 3), axis=0)])
def glu(x, axis=-1):
    return nnx.glu(x, axis=axis)


@rule("tf.keras.ops.softmax", samples=[sample(f32(3, 4)), sample(f32(3, 4), axis=0)], differences=[NAN])
def softmax(x, axis=-1):
    return nnx.softmax(x, axis=axis)


@rule("tf.keras.ops.log_softmax", samples=[sample(f32(3, 4)), sample(f32(3, 4), axis=0)])
def log_softmax(x, axis=-1):
    return nnx.log_softmax(x, axis=axis)


@rule(
    "tf.keras.ops.batch_normalization",
    samples=[
        sample(f32(4, 3), f32(3), f32(3, low=0.1), -1, f32(3), f32(3)),
        sample(f32(4, 3), f32(3), f32(3, low=0.1), axis=-1),
    ],
)
def batch_normalization(x, mean, variance, axis, offset=None, scale=None, epsilon=0.001):
    if axis != -1:
        refuse("another axis than the last: move it to the end")
    normalized = nnx.standardize(x, mean=mean, variance=variance, epsilon=epsilon)
    if not (known(scale) and scale is None):
        normalized = normalized * scale
    if not (known(offset) and offset is None):
        normalized = normalized + offset
    return normalized


@rule(
    "tf.keras.ops.max_pool",
    samples=[sample(f32(2, 6, 6, 3), 2), sample(f32(2, 7, 6, 3), (3, 2), strides=2, padding="same")],
    differences=[NAN],
)
def max_pool(inputs, pool_size, strides=None, padding="valid", data_format=None):
    if data_format == "channels_first":
        refuse(CHANNELS_LAST)
    rank = inputs.ndim - 2
    strides = pool_size if strides is None else strides
    return nnx.max_pool(inputs, window(pool_size, rank), strides=window(strides, rank), padding=padding.upper())


@rule(
    "tf.keras.ops.average_pool",
    samples=[sample(f32(2, 6, 6, 3), 2), sample(f32(2, 7, 6, 3), (3, 2), strides=2, padding="same")],
    differences=[HALF],
)
def average_pool(inputs, pool_size, strides=None, padding="valid", data_format=None):
    if data_format == "channels_first":
        refuse(CHANNELS_LAST)
    rank = inputs.ndim - 2
    strides = pool_size if strides is None else strides
    return nnx.avg_pool(
        inputs, window(pool_size, rank), strides=window(strides, rank), padding=padding.upper(), count_include_pad=False
    )
