"""Convolutions of tf.nn."""

from __future__ import annotations

import jax.numpy as jnp
from jax import lax

from codemods.engine.rule import f32, inline, known, refuse, rule, sample
from codemods.mappings.differences import BATCHES, EMPTY, NAN, SPREAD

CHANNELS_LAST = "channels that don't come last: move them to the end with jnp.moveaxis"


@inline
def window(value, rank, channels_last=True):
    """One number per spatial dimension, from what TensorFlow takes: a number, or a list of 1, rank or rank + 2."""
    if known(value) and value is None:
        return None
    if isinstance(value, int):
        return (value,) * rank
    if len(value) == 1:
        return (value[0],) * rank
    if len(value) == rank:
        return tuple(value)
    if channels_last:
        return tuple(value[1:-1])
    return tuple(value[2:])


@inline
def edges(padding, channels_last=True):
    """Padding, by name or by pairs, of the spatial dimensions."""
    if not known(padding) or isinstance(padding, str):
        return padding
    if channels_last:
        return padding[1:-1]
    return padding[2:]


CONV1D = [
    sample(f32(2, 9, 3), f32(3, 3, 4), 1, "SAME"), sample(f32(2, 9, 3), f32(3, 3, 4), [1, 2, 1], padding="VALID"),
    sample(f32(2, 9, 3), f32(2, 3, 4), stride=1, padding="VALID", dilations=2),
    sample(f32(2, 9, 3), f32(2, 3, 4), 1, "VALID", dilations=[1, 3, 1]),
    sample(f32(2, 3, 9), f32(2, 3, 4), [1, 1, 2], "VALID", "NCW"),
    sample(f32(2, 3, 9), f32(2, 3, 4), 1, "SAME", data_format="NCW", dilations=[1, 1, 2]),
]  # fmt: skip
CONV2D = [
    sample(f32(2, 8, 7, 3), f32(3, 3, 3, 4), 1, "SAME"),
    sample(f32(2, 8, 7, 3), f32(3, 2, 3, 4), [1, 2, 2, 1], padding="SAME"),
    sample(f32(2, 8, 7, 3), f32(3, 3, 3, 4), strides=[2, 1], padding="VALID"),
    sample(f32(2, 8, 7, 3), f32(3, 3, 3, 4), 1, [[0, 0], [1, 2], [0, 1], [0, 0]]),
    sample(f32(2, 8, 7, 3), f32(3, 3, 3, 4), 1, "VALID", dilations=2),
    sample(f32(2, 8, 7, 3), f32(3, 3, 3, 4), 1, "VALID", dilations=[1, 1, 2, 1]),
    sample(f32(2, 3, 8, 7), f32(3, 3, 3, 4), [1, 1, 1, 2], "VALID", "NCHW"),
    sample(f32(2, 3, 8, 7), f32(3, 3, 3, 4), 1, [[0, 0], [0, 0], [1, 2], [0, 1]], "NCHW", [1, 1, 1, 2]),
]  # fmt: skip


@rule("tf.nn.conv1d", samples=CONV1D, differences=[EMPTY, BATCHES, NAN])
def conv1d(input, filters, stride, padding, data_format="NWC", dilations=None, name=None):
    if data_format in ("NHWC", "NCHW"):
        refuse("a data_format of images: NWC or NCW are those of one dimension")
    return lax.conv_general_dilated(
        input, filters, window(stride, 1, data_format == "NWC"), padding,
        rhs_dilation=window(dilations, 1, data_format == "NWC"), dimension_numbers=(data_format, "WIO", data_format),
    )  # fmt: skip


@rule("tf.nn.conv2d", samples=CONV2D, differences=[EMPTY, BATCHES, NAN])
def conv2d(input, filters, strides, padding, data_format="NHWC", dilations=None, name=None):
    return lax.conv_general_dilated(
        input, filters, window(strides, 2, data_format == "NHWC"), edges(padding, data_format == "NHWC"),
        rhs_dilation=window(dilations, 2, data_format == "NHWC"),
        dimension_numbers=(data_format, "HWIO", data_format),
    )  # fmt: skip


@rule(
    "tf.nn.conv3d",
    samples=[
        sample(f32(1, 5, 4, 6, 2), f32(2, 3, 3, 2, 3), [1, 1, 2, 1, 1], "SAME"),
        sample(f32(1, 5, 4, 6, 2), f32(2, 3, 3, 2, 3), [1, 1, 1, 1, 1], padding="VALID"),
        sample(f32(1, 5, 4, 6, 2), f32(2, 2, 2, 2, 3), [1, 1, 1, 1, 1], "VALID", dilations=[1, 1, 2, 1, 1]),
        sample(f32(1, 2, 5, 4, 6), f32(2, 2, 2, 2, 3), [1, 1, 1, 1, 2], "VALID", "NCDHW"),
        sample(f32(1, 2, 5, 4, 6), f32(2, 2, 2, 2, 3), [1] * 5, "SAME", "NCDHW", dilations=[1, 1, 1, 1, 2]),
    ],
    differences=[EMPTY, BATCHES, NAN],
)
def conv3d(input, filters, strides, padding, data_format="NDHWC", dilations=None, name=None):
    return lax.conv_general_dilated(
        input, filters, window(strides, 3, data_format == "NDHWC"), padding,
        rhs_dilation=window(dilations, 3, data_format == "NDHWC"),
        dimension_numbers=(data_format, "DHWIO", data_format),
    )  # fmt: skip


DEPTHWISE = [
    sample(f32(2, 8, 8, 3), f32(3, 3, 3, 2), [1, 1, 1, 1], "SAME"),
    sample(f32(2, 8, 8, 3), f32(3, 3, 3, 1), strides=[1, 2, 2, 1], padding="VALID"),
    sample(f32(2, 8, 8, 3), f32(3, 3, 3, 2), [1, 1, 1, 1], "VALID", dilations=[2, 2]),
    sample(f32(2, 8, 8, 3), f32(3, 3, 3, 2), [1, 1, 1, 1], [[0, 0], [1, 2], [0, 1], [0, 0]]),
]  # fmt: skip


@rule("tf.nn.depthwise_conv2d", samples=DEPTHWISE, differences=[NAN, EMPTY, SPREAD])
def depthwise_conv2d(input, filter, strides, padding, data_format=None, dilations=None, name=None):
    if data_format not in (None, "NHWC"):
        refuse(CHANNELS_LAST)
    return lax.conv_general_dilated(
        input, jnp.reshape(filter, (*filter.shape[:2], 1, -1)), window(strides, 2), edges(padding),
        rhs_dilation=window(dilations, 2), dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=filter.shape[2],
    )  # fmt: skip


@rule(
    "tf.nn.separable_conv2d",
    samples=[
        sample(f32(2, 8, 8, 3), f32(3, 3, 3, 2), f32(1, 1, 6, 4), [1, 1, 1, 1], "SAME"),
        sample(f32(2, 8, 8, 3), f32(3, 3, 3, 2), f32(1, 1, 6, 4), strides=[1, 2, 2, 1], padding="VALID"),
        sample(f32(2, 8, 8, 3), f32(3, 3, 3, 2), f32(1, 1, 6, 4), [1, 1, 1, 1], "SAME", dilations=[2, 2]),
    ],
    differences=[SPREAD],
)
def separable_conv2d(
    input, depthwise_filter, pointwise_filter, strides, padding, data_format=None, dilations=None, name=None
):
    if data_format not in (None, "NHWC"):
        refuse(CHANNELS_LAST)
    depthwise = lax.conv_general_dilated(
        input, jnp.reshape(depthwise_filter, (*depthwise_filter.shape[:2], 1, -1)), window(strides, 2), edges(padding),
        rhs_dilation=window(dilations, 2), dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=depthwise_filter.shape[2],
    )  # fmt: skip
    return lax.conv_general_dilated(
        depthwise, pointwise_filter, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


@rule("tf.nn.conv2d_transpose", samples=[
    sample(f32(2, 4, 5, 3), f32(3, 3, 2, 3), [2, 8, 10, 2], 2),
    sample(f32(2, 4, 5, 3), f32(3, 3, 2, 3), (2, 4, 5, 2), strides=[1, 1, 1, 1], padding="SAME"),
    sample(f32(2, 4, 5, 3), f32(3, 3, 2, 3), output_shape=[2, 9, 11, 2], strides=[1, 2, 2, 1], padding="VALID"),
    sample(f32(2, 4, 5, 3), f32(4, 4, 2, 3), [2, 8, 10, 2], 2),
    sample(f32(2, 4, 5, 3), f32(2, 2, 2, 3), [2, 12, 15, 2], 3),
], differences=[EMPTY])  # fmt: skip
def conv2d_transpose(
    input, filters, output_shape, strides, padding="SAME", data_format="NHWC", dilations=None, name=None
):
    if data_format != "NHWC":
        refuse(CHANNELS_LAST)
    if dilations is not None:
        refuse("dilations of a transposed convolution: use lax.conv_transpose with rhs_dilation")
    return jnp.reshape(
        lax.conv_transpose(
            input,
            filters,
            window(strides, 2),
            padding,
            transpose_kernel=True,
        ),
        output_shape,
    )


@rule(
    "tf.nn.conv1d_transpose",
    samples=[
        sample(f32(2, 4, 3), f32(3, 2, 3), [2, 8, 2], 2),
        sample(f32(2, 4, 3), f32(3, 2, 3), output_shape=[2, 9, 2], strides=2, padding="VALID"),
    ],
)
def conv1d_transpose(
    input, filters, output_shape, strides, padding="SAME", data_format="NWC", dilations=None, name=None
):
    if data_format != "NWC":
        refuse(CHANNELS_LAST)
    if dilations is not None:
        refuse("dilations of a transposed convolution: use lax.conv_transpose with rhs_dilation")
    return jnp.reshape(
        lax.conv_transpose(input, filters, window(strides, 1), padding, transpose_kernel=True),
        output_shape,
    )


@rule(
    "tf.nn.depth_to_space",
    samples=[sample(f32(2, 3, 4, 8), 2), sample(f32(1, 2, 2, 9), block_size=3)],
    differences=[EMPTY],
)
def depth_to_space(input, block_size, data_format="NHWC", name=None):
    if data_format != "NHWC":
        refuse(CHANNELS_LAST)
    n = input.shape[0]
    h = input.shape[1]
    w = input.shape[2]
    blocks = jnp.reshape(input, (n, h, w, block_size, block_size, -1))
    return jnp.reshape(jnp.transpose(blocks, (0, 1, 3, 2, 4, 5)), (n, h * block_size, w * block_size, -1))


@rule(
    "tf.nn.space_to_depth",
    samples=[sample(f32(2, 4, 6, 3), 2), sample(f32(1, 3, 3, 2), block_size=3)],
    differences=[EMPTY],
)
def space_to_depth(input, block_size, data_format="NHWC", name=None):
    if data_format != "NHWC":
        refuse(CHANNELS_LAST)
    n = input.shape[0]
    h = input.shape[1]
    w = input.shape[2]
    blocks = jnp.reshape(input, (n, h // block_size, block_size, w // block_size, block_size, -1))
    return jnp.reshape(jnp.transpose(blocks, (0, 1, 3, 2, 4, 5)), (n, h // block_size, w // block_size, -1))
