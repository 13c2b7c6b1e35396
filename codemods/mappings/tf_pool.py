"""Pooling of tf.nn."""

from __future__ import annotations

from flax import nnx

from codemods.engine.rule import f32, refuse, rule, sample
from codemods.mappings.differences import HALF, NAN
from codemods.mappings.tf_conv import CHANNELS_LAST, edges, window

POOL = [
    sample(f32(2, 7, 6, 3), 2, 2, "VALID"), sample(f32(2, 7, 6, 3), [1, 3, 2, 1], [1, 2, 2, 1], padding="SAME"),
    sample(f32(2, 7, 6, 3), ksize=(2, 3), strides=1, padding="SAME"),
]  # fmt: skip


@rule(
    "tf.nn.max_pool2d",
    samples=[*POOL, sample(f32(2, 7, 6, 3), 3, 2, [[0, 0], [1, 1], [0, 1], [0, 0]])],
    differences=[NAN],
)
def max_pool2d(input, ksize, strides, padding, data_format="NHWC", name=None):
    if data_format != "NHWC":
        refuse(CHANNELS_LAST)
    return nnx.max_pool(input, window(ksize, 2), strides=window(strides, 2), padding=edges(padding))


@rule("tf.nn.avg_pool2d", samples=POOL)
def avg_pool2d(input, ksize, strides, padding, data_format="NHWC", name=None):
    if data_format != "NHWC":
        refuse(CHANNELS_LAST)
    if padding == "VALID":
        return nnx.avg_pool(input, window(ksize, 2), strides=window(strides, 2))
    return nnx.avg_pool(input, window(ksize, 2), strides=window(strides, 2), padding=padding, count_include_pad=False)


POOL1D = [sample(f32(2, 7, 3), 2, 2, "VALID"), sample(f32(2, 7, 3), [3], strides=[2], padding="SAME")]


@rule("tf.nn.max_pool1d", samples=POOL1D, differences=[NAN])
def max_pool1d(input, ksize, strides, padding, data_format="NWC", name=None):
    if data_format != "NWC":
        refuse(CHANNELS_LAST)
    return nnx.max_pool(input, window(ksize, 1), strides=window(strides, 1), padding=edges(padding))


@rule("tf.nn.avg_pool1d", samples=POOL1D)
def avg_pool1d(input, ksize, strides, padding, data_format="NWC", name=None):
    if data_format != "NWC":
        refuse(CHANNELS_LAST)
    if padding == "VALID":
        return nnx.avg_pool(input, window(ksize, 1), strides=window(strides, 1))
    return nnx.avg_pool(input, window(ksize, 1), strides=window(strides, 1), padding=padding, count_include_pad=False)


POOL3D = [
    sample(f32(1, 4, 6, 5, 2), 2, 2, "VALID"),
    sample(f32(1, 4, 6, 5, 2), [3, 2, 2], strides=[2, 1, 2], padding="SAME"),
]


@rule("tf.nn.max_pool3d", samples=POOL3D, differences=[NAN])
def max_pool3d(input, ksize, strides, padding, data_format="NDHWC", name=None):
    if data_format != "NDHWC":
        refuse(CHANNELS_LAST)
    return nnx.max_pool(input, window(ksize, 3), strides=window(strides, 3), padding=edges(padding))


@rule("tf.nn.avg_pool3d", samples=POOL3D)
def avg_pool3d(input, ksize, strides, padding, data_format="NDHWC", name=None):
    if data_format != "NDHWC":
        refuse(CHANNELS_LAST)
    if padding == "VALID":
        return nnx.avg_pool(input, window(ksize, 3), strides=window(strides, 3))
    return nnx.avg_pool(input, window(ksize, 3), strides=window(strides, 3), padding=padding, count_include_pad=False)


@rule("tf.nn.max_pool", samples=POOL, differences=[NAN])
def max_pool(input, ksize, strides, padding, data_format=None, name=None):
    if data_format not in (None, "NHWC", "NWC", "NDHWC"):
        refuse(CHANNELS_LAST)
    if not isinstance(ksize, int) and len(ksize) == 4:
        return nnx.max_pool(input, window(ksize, 2), strides=window(strides, 2), padding=edges(padding))
    return nnx.max_pool(
        input, window(ksize, input.ndim - 2), strides=window(strides, input.ndim - 2), padding=edges(padding)
    )


@rule("tf.nn.avg_pool", samples=POOL, differences=[HALF])
def avg_pool(input, ksize, strides, padding, data_format=None, name=None):
    if data_format not in (None, "NHWC", "NWC", "NDHWC"):
        refuse(CHANNELS_LAST)
    if not isinstance(ksize, int) and len(ksize) == 4:
        return nnx.avg_pool(
            input, window(ksize, 2), strides=window(strides, 2), padding=padding, count_include_pad=False
        )
    return nnx.avg_pool(
        input, window(ksize, input.ndim - 2), strides=window(strides, input.ndim - 2), padding=padding,
        count_include_pad=False,
    )  # fmt: skip
